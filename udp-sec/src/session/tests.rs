//! Sealing, opening, and what is refused without changing anything.

use super::{SealError, Session};
use crate::error::Reject;
use crate::handshake::params::{Aead, AeadList, Parameters};
use crate::limits::{DATAGRAM_MAX, FRAMES_MAX, KEY_FAILED_MAX, KEY_SEALED_MAX, KEY_SEALED_RESERVE, TAG_LEN};
use crate::tests::{INITIATOR_ID, RESPONDER_ID, parameters, seal, sessions, sessions_with};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// A session's window lives apart from it.
struct Receiver {
    session: Session,
    words: Vec<u64>,
}

impl Receiver {
    fn new(session: Session) -> Self {
        Self { session, words: vec![0; 128] }
    }

    /// The packet's number and frames.
    fn open(&mut self, datagram: &[u8]) -> Result<(u64, Vec<u8>), Reject> {
        let mut datagram = datagram.to_vec();
        let opened = self.session.open(&mut self.words, &mut datagram)?;
        assert_eq!(opened.datagram_len(), opened.frames().len() + 32);
        Ok((opened.packet_number(), opened.frames().to_vec()))
    }

    fn state(&self) -> (Option<u64>, Vec<u64>, u64) {
        (self.session.largest_received(), self.words.clone(), self.session.next_packet_number())
    }

    /// Asserts that `datagram` is refused as `reject`, and leaves everything but the counter of failures as it was.
    fn refuses(&mut self, datagram: &[u8], reject: Reject) {
        let before = self.state();
        let failed = self.session.failed_openings();
        assert_eq!(self.open(datagram), Err(reject));
        assert_eq!(self.state(), before);
        assert!(self.session.failed_openings() - failed <= 1, "at most one opening");
    }
}

#[test]
fn both_directions_carry_frames() {
    let (mut initiator, mut responder) = sessions(1);
    assert!(initiator.is_initiator() && !responder.is_initiator());
    assert_eq!((initiator.local_id(), initiator.peer_id()), (INITIATOR_ID, RESPONDER_ID));
    assert_eq!((responder.local_id(), responder.peer_id()), (RESPONDER_ID, INITIATOR_ID));
    let there = seal(&mut initiator, b"there");
    let back = seal(&mut responder, b"back");
    assert_eq!(Receiver::new(responder).open(&there), Ok((0, b"there".to_vec())));
    assert_eq!(Receiver::new(initiator).open(&back), Ok((0, b"back".to_vec())));
}

#[test]
fn test_reject_oversized_payload_encode() {
    let (mut initiator, responder) = sessions(2);
    for len in [0, 1, 32, DATAGRAM_MAX + 1, 65_535] {
        let mut datagram = vec![0xee; len];
        assert_eq!(initiator.seal(&mut datagram), Err(SealError::Size));
        assert!(datagram.iter().all(|byte| *byte == 0xee), "nothing is written");
    }
    assert_eq!(initiator.next_packet_number(), 0, "no number is used");
    let largest = seal(&mut initiator, &[3; FRAMES_MAX]);
    assert_eq!(largest.len(), DATAGRAM_MAX);
    let mut receiver = Receiver::new(responder);
    assert_eq!(receiver.open(&largest), Ok((0, vec![3; FRAMES_MAX])));
    assert_eq!(receiver.open(&seal(&mut initiator, &[4])), Ok((1, vec![4])));
}

#[test]
fn test_reject_malformed_header_truncated_and_oversize() {
    let (mut initiator, responder) = sessions(3);
    let mut receiver = Receiver::new(responder);
    let packet = seal(&mut initiator, &[1; 100]);
    for len in 0..packet.len() {
        let expected = if len < 33 { Reject::MalformedHeader } else { Reject::DecryptFailed };
        receiver.refuses(&packet[..len], expected);
    }
    receiver.refuses(&[&packet[..], &[0; 1200]].concat(), Reject::OversizeDatagram);
    for (at, value) in [(0, 2), (1, 1), (2, 2), (3, 1)] {
        let mut bad = packet.clone();
        bad[at] = value;
        receiver.refuses(&bad, Reject::MalformedHeader);
    }
    assert!(receiver.open(&packet).is_ok());
}

#[test]
fn test_reject_decrypt_failed() {
    let (mut initiator, responder) = sessions(4);
    let mut receiver = Receiver::new(responder);
    let packet = seal(&mut initiator, b"every bit of this counts");
    for bit in 0..8 * packet.len() {
        let mut bad = packet.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let before = receiver.state();
        let expected = match bit / 8 {
            2 if bit == 16 => Reject::DecryptFailed, // the key phase: the next key opens nothing yet
            0..4 => Reject::MalformedHeader,
            4..12 => Reject::UnknownSession,
            _ => Reject::DecryptFailed,
        };
        receiver.refuses(&bad, expected);
        assert_eq!(receiver.state(), before);
    }
    assert_eq!(receiver.session.failed_openings(), 8 * (packet.len() as u64 - 12) + 1);
    assert!(receiver.open(&packet).is_ok());
}

#[test]
fn keys_of_another_handshake_open_nothing() {
    let ((mut initiator, _), (_, stranger)) = (sessions(5), sessions(50));
    let packet = seal(&mut initiator, b"not for you");
    Receiver::new(stranger).refuses(&packet, Reject::DecryptFailed);
}

#[test]
fn a_reflected_packet_is_not_ours() {
    let (mut initiator, _) = sessions(6);
    let mut packet = seal(&mut initiator, b"echo");
    let mut receiver = Receiver::new(initiator);
    receiver.refuses(&packet, Reject::UnknownSession);
    // Even with the id set right: each direction has its own key.
    packet[4..12].copy_from_slice(&INITIATOR_ID.to_le_bytes());
    receiver.refuses(&packet, Reject::DecryptFailed);
}

#[test]
fn test_reject_replay_or_stale_packet_number() {
    let (mut initiator, responder) = sessions(7);
    let mut receiver = Receiver::new(responder);
    let packets: Vec<_> = (0..8300_u32).map(|i| seal(&mut initiator, &i.to_le_bytes())).collect();
    for i in [0, 2, 1, 8200, 9, 8299] {
        assert_eq!(receiver.open(&packets[i]).map(|(number, _)| number), Ok(i as u64));
        receiver.refuses(&packets[i], Reject::ReplayOrStalePacketNumber);
    }
    // 8299 - 8192 = 107 is the newest that is too old.
    receiver.refuses(&packets[107], Reject::ReplayOrStalePacketNumber);
    assert_eq!(receiver.session.failed_openings(), 0, "a replay costs no opening");
    assert!(receiver.open(&packets[108]).is_ok());
}

#[test]
fn a_forged_number_does_not_move_the_window() {
    let (mut initiator, responder) = sessions(8);
    let mut receiver = Receiver::new(responder);
    let packet = seal(&mut initiator, b"first");
    let mut forged = packet.clone();
    forged[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    receiver.refuses(&forged, Reject::DecryptFailed);
    assert!(receiver.open(&packet).is_ok());
}

#[test]
fn a_skipped_number_is_never_sealed() {
    let (mut initiator, responder) = sessions(9);
    let mut receiver = Receiver::new(responder);
    assert_eq!(receiver.open(&seal(&mut initiator, b"a")).unwrap().0, 0);
    initiator.skip_packet_number();
    assert_eq!(initiator.next_packet_number(), 2);
    assert_eq!(receiver.open(&seal(&mut initiator, b"b")).unwrap().0, 2);
}

#[test]
fn the_window_moves_to_other_words() {
    let (mut initiator, mut responder) = sessions(10);
    let packets: Vec<_> = (0..3).map(|_| seal(&mut initiator, b"x")).collect();
    let mut scratch = [0; 4];
    assert!(responder.open(&mut scratch, &mut packets[1].clone()).is_ok());
    let mut receiver = Receiver::new(responder);
    receiver.session.adopt_replay_window(&mut receiver.words);
    receiver.refuses(&packets[1], Reject::ReplayOrStalePacketNumber);
    assert!(receiver.open(&packets[0]).is_ok() && receiver.open(&packets[2]).is_ok());
}

#[test]
fn a_key_has_an_end() {
    let (mut initiator, responder) = sessions(11);
    let mut receiver = Receiver::new(responder);
    initiator.keys.send.set_sealed(KEY_SEALED_MAX - KEY_SEALED_RESERVE - 1);
    assert!(!initiator.key_limit_reached());
    assert!(receiver.open(&seal(&mut initiator, b"the last one before CLOSE")).is_ok());
    assert!(initiator.key_limit_reached());
    assert!(receiver.open(&seal(&mut initiator, b"CLOSE")).is_ok());
    initiator.keys.send.set_sealed(KEY_SEALED_MAX);
    let number = initiator.next_packet_number();
    let mut datagram = [7; 40];
    assert_eq!(initiator.seal(&mut datagram), Err(SealError::KeyLimit));
    assert_eq!((datagram, initiator.next_packet_number()), ([7; 40], number));

    let (mut initiator, responder) = sessions(12);
    let mut receiver = Receiver::new(responder);
    receiver.session.failed_openings = KEY_FAILED_MAX - 1;
    let packet = seal(&mut initiator, b"y");
    assert!(receiver.open(&packet).is_ok() && !receiver.session.key_limit_reached());
    receiver.refuses(&[&packet[..12], &[1; 21]].concat(), Reject::DecryptFailed);
    assert!(receiver.session.key_limit_reached());
    receiver.refuses(&seal(&mut initiator, b"z"), Reject::DecryptFailed);
}

/// Numbers run over the 32 bits of the wire, and end before Noise's reserved one.
#[test]
fn large_packet_numbers() {
    let (mut initiator, responder) = sessions(13);
    let mut receiver = Receiver::new(responder);
    let half = 1 << 31;
    for step in 1..10 {
        initiator.next_packet_number = step * half - 1;
        let number = receiver.open(&seal(&mut initiator, b"far")).unwrap().0;
        assert_eq!(number, step * half - 1);
    }
    // A jump that the wire cannot tell: the receiver takes it for a number close by, and it does not open.
    initiator.next_packet_number = u64::MAX - 1;
    assert_eq!(receiver.open(&seal(&mut initiator, b"too far")), Err(Reject::DecryptFailed));
    assert_eq!(initiator.seal(&mut [0; 40]), Err(SealError::KeyLimit));
    initiator.skip_packet_number();
    assert_eq!(initiator.seal(&mut [0; 40]), Err(SealError::KeyLimit));
}

#[test]
fn random_numbers_differ_between_the_sides() {
    let (mut initiator, mut responder) = sessions(14);
    let ours: Vec<_> = (0..100).map(|_| initiator.random_u64()).collect();
    assert!((0..100).all(|_| !ours.contains(&responder.random_u64())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_frames_come_back(frames in proptest::collection::vec(any::<u8>(), 1..=FRAMES_MAX), seed in 0..4_u64) {
        let (mut initiator, responder) = sessions(seed);
        let packet = seal(&mut initiator, &frames);
        prop_assert_eq!(packet.len(), 16 + frames.len() + TAG_LEN);
        prop_assert_eq!(Receiver::new(responder).open(&packet), Ok((0, frames)));
    }

    #[test]
    fn no_bytes_make_it_panic_or_open(bytes in proptest::collection::vec(any::<u8>(), 0..1300), ours: bool) {
        let (_, responder) = sessions(0);
        let mut bytes = bytes;
        if ours {
            let header = [&[1, 4, 0, 0][..], &RESPONDER_ID.to_le_bytes()].concat();
            bytes.iter_mut().zip(header).for_each(|(to, from)| *to = from);
        }
        prop_assert!(Receiver::new(responder).open(&bytes).is_err());
    }
}

fn preferring(aeads: &[Aead]) -> Parameters {
    Parameters { aeads: AeadList::new(aeads).unwrap(), ..parameters() }
}

#[test]
fn the_initiators_order_chooses_the_cipher() {
    use Aead::{Aes256Gcm as Aes, ChaCha20Poly1305 as ChaCha};
    if !Aes.is_available() {
        return;
    }
    for (calling, answering, chosen) in [
        (&[Aes, ChaCha][..], &[ChaCha, Aes][..], Aes),
        (&[ChaCha, Aes], &[Aes, ChaCha], ChaCha),
        (&[Aes, ChaCha], &[ChaCha], ChaCha),
        (&[Aes], &[ChaCha, Aes], Aes),
    ] {
        let (mut ours, mut theirs) = sessions_with(50, [&preferring(calling), &preferring(answering)]);
        assert_eq!([ours.keys.send.aead(), theirs.keys.send.aead()], [chosen; 2]);
        for _ in 0..3 {
            // Across two key updates, which make keys of the same kind.
            let mut packet = seal(&mut ours, b"there");
            let opened = theirs.open(&mut [0; 4], &mut packet).expect("it opens").packet_number();
            theirs.on_ack_sealed(opened);
            ours.on_acknowledged(opened);
            let mut packet = seal(&mut theirs, b"back");
            let opened = ours.open(&mut [0; 4], &mut packet).expect("it opens").packet_number();
            ours.on_ack_sealed(opened);
            theirs.on_acknowledged(opened);
            assert!(ours.update_key());
        }
        assert_eq!(ours.keys.send.aead(), chosen);
    }
}

#[test]
fn a_key_of_aes_seals_fewer_packets() {
    if !Aead::Aes256Gcm.is_available() {
        return;
    }
    let aes = preferring(&[Aead::Aes256Gcm]);
    let (mut session, _) = sessions_with(51, [&aes, &aes]);
    session.keys.send.set_sealed((1 << 27) - KEY_SEALED_RESERVE - 1);
    assert!(!session.key_limit_reached());
    seal(&mut session, b"the last that is not in the reserve");
    assert!(session.key_limit_reached());
    session.keys.send.set_sealed((1 << 27) - 1);
    seal(&mut session, b"the last");
    assert_eq!(session.seal(&mut [0; 40]), Err(SealError::KeyLimit));
}
