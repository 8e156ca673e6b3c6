//! Phases: who may move, who follows, and which packets open meanwhile.

use std::vec;
use std::vec::Vec;

use crate::crypto::aead::{Aead, ChaChaKey};
use crate::error::Reject;
use crate::session::Session;
use crate::tests::{seal, sessions};

/// Two sides with their replay windows.
struct Pair {
    sides: [Session; 2],
    words: [Vec<u64>; 2],
}

impl Pair {
    fn new(seed: u64) -> Self {
        let (initiator, responder) = sessions(seed);
        Self { sides: [initiator, responder], words: [vec![0; 128], vec![0; 128]] }
    }

    fn seal(&mut self, side: usize) -> Vec<u8> {
        seal(&mut self.sides[side], b"a packet")
    }

    fn open(&mut self, side: usize, packet: &[u8]) -> Result<u64, Reject> {
        let mut packet = packet.to_vec();
        self.sides[side].open(&mut self.words[side], &mut packet).map(|packet| packet.packet_number())
    }

    /// A packet from `side` to the other one, which acknowledges it.
    fn exchange(&mut self, side: usize) {
        let packet = self.seal(side);
        let number = self.open(1 - side, &packet).expect("it opens");
        self.sides[1 - side].on_ack_sealed(number);
        self.sides[side].on_acknowledged(number);
    }

    fn phases(&self, side: usize) -> (u64, u64) {
        (self.sides[side].send_phase(), self.sides[side].receive_phase())
    }
}

/// Whether a packet shows phase 1.
fn shows_one(packet: &[u8]) -> bool {
    packet[2] & 1 == 1
}

#[test]
fn nobody_moves_before_a_packet_of_the_phase_was_acknowledged() {
    let mut pair = Pair::new(1);
    assert!(!pair.sides[0].update_key());
    let packet = pair.seal(0);
    assert!(!pair.sides[0].update_key());
    pair.open(1, &packet).expect("it opens");
    pair.sides[0].on_acknowledged(0);
    assert!(pair.sides[0].update_key());
    assert!(!pair.sides[0].update_key(), "the peer has not followed");
    assert_eq!(pair.phases(0), (1, 0));
}

#[test]
fn the_other_side_follows_with_both_directions() {
    let mut pair = Pair::new(2);
    for round in 1..=5 {
        let mover = round as usize % 2;
        pair.exchange(0);
        pair.exchange(1);
        assert!(pair.sides[mover].update_key());
        let packet = pair.seal(mover);
        assert_eq!(shows_one(&packet), round % 2 == 1);
        pair.open(1 - mover, &packet).expect("under the next key");
        assert_eq!(pair.phases(1 - mover), (round, round));
        let answer = pair.seal(1 - mover);
        assert_eq!(shows_one(&answer), round % 2 == 1);
        pair.open(mover, &answer).expect("under the next key");
        assert_eq!(pair.phases(mover), (round, round));
    }
}

#[test]
fn both_may_move_at_once() {
    let mut pair = Pair::new(3);
    pair.exchange(0);
    pair.exchange(1);
    assert!(pair.sides[0].update_key() && pair.sides[1].update_key());
    let (there, back) = (pair.seal(0), pair.seal(1));
    pair.open(1, &there).expect("under the next key");
    pair.open(0, &back).expect("under the next key");
    assert_eq!((pair.phases(0), pair.phases(1)), ((1, 1), (1, 1)));
}

#[test]
fn late_packets_of_the_phase_before_open_until_they_are_forgotten() {
    let mut pair = Pair::new(4);
    pair.exchange(0);
    let late: Vec<_> = (0..3).map(|_| pair.seal(0)).collect();
    assert!(pair.sides[0].update_key());
    let early = pair.seal(0);
    let newer = pair.seal(0);
    pair.open(1, &newer).expect("under the next key");
    assert_eq!(pair.open(1, &late[1]), Ok(2));
    assert_eq!(pair.open(1, &early), Ok(4), "of the new phase, though older than the one that began it here");
    assert_eq!(pair.open(1, &late[0]), Ok(1));
    pair.sides[1].forget_previous_key();
    assert_eq!(pair.open(1, &late[2]), Err(Reject::DecryptFailed));
}

/// A packet under the old key with a number above the phase's beginning can only come from one who has stolen the key.
#[test]
fn a_packet_of_the_old_key_above_the_new_phase_does_not_open() {
    let mut pair = Pair::new(5);
    let mut thief = Pair::new(5);
    pair.exchange(0);
    thief.exchange(0);
    assert!(pair.sides[0].update_key());
    let first = pair.seal(0);
    pair.open(1, &first).expect("under the next key");
    // The same session as it was before the update, at a later number.
    thief.seal(0);
    let forged = thief.seal(0);
    assert_eq!(pair.open(1, &forged), Err(Reject::DecryptFailed));
    assert_eq!(pair.phases(1), (1, 1));
}

#[test]
fn test_reject_key_update_violation() {
    let mut pair = Pair::new(6);
    let packet = pair.seal(0);
    pair.open(1, &packet).expect("it opens");
    // The peer moves although nothing of the phase was acknowledged to it.
    pair.sides[0].on_acknowledged(0);
    assert!(pair.sides[0].update_key());
    let packet = pair.seal(0);
    assert_eq!(pair.open(1, &packet), Err(Reject::KeyUpdateViolation));
    assert_eq!(pair.phases(1), (0, 0));
    assert_eq!(pair.sides[1].largest_received(), Some(0));
}

#[test]
fn a_packet_costs_one_opening_whatever_phase_it_shows() {
    let mut pair = Pair::new(7);
    pair.exchange(0);
    pair.seal(0);
    assert!(pair.sides[0].update_key());
    let moved = pair.seal(0);
    pair.open(1, &moved).expect("under the next key");
    // Of the key before, of the next, and of the present one; older and newer than what came.
    for (phase, number) in [(0, 1), (0, 50), (1, 1), (1, 50)] {
        let before = pair.sides[1].failed_openings();
        let mut forged = moved.clone();
        (forged[2], forged[12]) = (phase, number);
        assert_eq!(pair.open(1, &forged), Err(Reject::DecryptFailed));
        assert_eq!(pair.sides[1].failed_openings(), before + 1);
    }
}

/// Noise section 4.2: the first 32 bytes of 32 zeros encrypted under the last nonce.
#[test]
fn the_next_key_is_noises_rekey() {
    let key = [7; 32];
    let mut expected = [0; 32];
    let _tag = ChaChaKey::new(&key).seal(&super::aead::nonce(u64::MAX), &[], &mut expected).expect("short");
    let mut keys = super::SendKeys::new(Aead::ChaCha20Poly1305, &key);
    keys.advance();
    let mut sealed = *b"text";
    let (next, _) = keys.take_use(0).expect("fresh");
    let tag = next.seal(&[0; 12], b"", &mut sealed).expect("short");
    let mut by_hand = *b"text";
    assert_eq!(ChaChaKey::new(&expected).seal(&[0; 12], b"", &mut by_hand), Some(tag));
    assert_eq!(sealed, by_hand);
}
