//! A peer with keys that says it is somewhere else: nobody is sent more than three times what came from there.

use std::collections::HashMap;

use harness::attacker::keyed::{Lab, Peer, address, keys};
use udp_sec::time::Duration;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::{flood, heap, session};

/// Bytes sent to the victim of a spoofed address, and come from there.
struct Victim {
    came: usize,
    went: usize,
}

impl Victim {
    const PATH: u8 = 9;

    /// A session whose first packet came from the victim's address.
    fn new() -> (Lab, Peer, Self) {
        let peer_keys = keys(10);
        let mut lab = Lab::new(&[peer_keys.public()]);
        let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
        peer.path = address(Self::PATH);
        (lab, peer, Self { came: 0, went: 0 })
    }

    /// Delivers `datagram` as if the victim had sent it.
    fn spoof(&mut self, lab: &mut Lab, datagram: &[u8]) {
        self.came += datagram.len();
        lab.deliver(address(Self::PATH), datagram);
        self.drain(lab);
    }

    fn drain(&mut self, lab: &mut Lab) {
        lab.endpoint.end_of_batch();
        self.wait(lab, Duration::ZERO);
    }

    /// Lets time pass, and sees what that brings the victim.
    fn wait(&mut self, lab: &mut Lab, span: Duration) {
        self.went += lab.wait(span).bytes_to(address(Self::PATH));
        assert!(self.went <= 3 * self.came, "{} bytes for {}", self.went, self.came);
    }
}

/// The session begins at the victim's, and every packet leaves a gap: each asks for an ACK five times as long.
#[test]
fn acknowledgements_to_an_unproven_path_are_held_back_too() {
    let (mut lab, mut peer, mut victim) = Victim::new();
    for _ in 0..2_000 {
        peer.session.skip_packet_number();
        let ping = peer.seal(|frames| frames.ping().expect("room"));
        victim.spoof(&mut lab, &ping);
    }
    let id = lab.last_session();
    assert_eq!(lab.connection(id).path(), address(Victim::PATH));
    assert!(lab.connection(id).stats().acks_sent > 100, "held back, not silent");
}

/// What comes from elsewhere buys nothing at the victim's.
#[test]
fn bytes_from_elsewhere_do_not_count_for_an_unproven_path() {
    let (mut lab, mut peer, mut victim) = Victim::new();
    let first = peer.seal(|frames| frames.ping().expect("room"));
    victim.spoof(&mut lab, &first);
    let id = lab.last_session();
    lab.connection(id).write(&[7; 8_192]).expect("open");
    victim.drain(&mut lab);
    for _ in 0..100 {
        let large = peer.seal(|frames| frames.pad_to(1_168));
        lab.deliver(address(1), &large);
        victim.drain(&mut lab);
        victim.wait(&mut lab, Duration::from_millis(20));
    }
    assert_eq!(lab.connection(id).path(), address(Victim::PATH));
}

/// Packet numbers can be guessed: to acknowledge what went to the victim proves nothing.
#[test]
fn guessed_acknowledgements_prove_no_path() {
    let (mut lab, mut peer, mut victim) = Victim::new();
    let first = peer.seal(|frames| frames.ping().expect("room"));
    victim.spoof(&mut lab, &first);
    let id = lab.last_session();
    let mut guessed = ReceivedNumbers::new();
    for number in 0..200 {
        if lab.connection(id).closure().is_some() {
            break;
        }
        lab.connection(id).write(&[7; 8_192]).expect("open");
        victim.drain(&mut lab);
        guessed.insert(number);
        let ack = peer.seal(|frames| {
            frames.ack(&guessed, Duration::ZERO).expect("room");
        });
        victim.spoof(&mut lab, &ack);
    }
}

/// Every packet comes from another address: each is asked in turn, for no more than three times what came from there, and
/// the session stays where it answers.
#[test]
fn a_peer_that_is_everywhere_is_asked_within_the_bounds() {
    let (mut lab, mut peer, id) = session(9);
    let mut came = HashMap::<Path, usize>::new();
    let mut went = HashMap::<Path, usize>::new();
    let (mut packets, mut settled) = (0, None);
    for nth in 0..flood() {
        // 65 536 ports, over and over; large and small.
        let from = Path::to(([203, 0, 113, 7], (nth % 65_521) as u16).into());
        let len = if nth % 5 == 0 { 1_100 } else { 1 };
        let datagram = peer.seal(|frames| {
            frames.ping().expect("room");
            frames.pad_to(len);
        });
        *came.entry(from).or_default() += datagram.len();
        lab.deliver(from, &datagram);
        lab.endpoint.end_of_batch();
        let done = lab.drain();
        packets += done.datagrams.len();
        for (to, sent) in &done.datagrams {
            *went.entry(*to).or_default() += sent.len();
        }
        assert!(done.datagrams.len() <= 3, "two challenges and an acknowledgement: {done:?}");
        drop((datagram, done));
        came.retain(|path, came| {
            let went = went.remove(path).unwrap_or_default();
            assert!(went <= 3 * *came, "{went} bytes for {came} from {path:?}");
            false
        });
        went.retain(|path, _| *path != peer.path);
        assert!(went.is_empty(), "sent where nothing came from: {went:?}");
        if nth == flood() / 10 {
            settled = Some(heap::live());
        }
    }
    assert_eq!(Some(heap::live()), settled, "memory grew");
    assert!(packets as u64 > flood(), "it did ask");
    assert_eq!(lab.connection(id).path(), peer.path);
    assert_eq!(lab.connection(id).stats().path_changes, 0);
}
