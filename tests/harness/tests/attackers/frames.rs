//! A peer with keys that sends frames which are of no use, as many as it can.

use harness::attacker::keyed::Peer;
use udp_sec::time::Duration;
use udp_sec_recovery::frame::FrameWriter;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::{flood, heap, session};

/// What became of a flood.
#[derive(Debug)]
struct Answered {
    packets: u64,
    bytes: u64,
}

/// Floods a session with packets of the frames that `write` writes, `gaps` numbers left out before each.
fn answers(gaps: u64, mut write: impl FnMut(u64, &mut FrameWriter<'_>)) -> Answered {
    let (mut lab, mut peer, id) = session(4);
    let packets = flood();
    let mut settled = None;
    let mut answered = Answered { packets: 0, bytes: 0 };
    for nth in 0..packets {
        for _ in 0..gaps {
            peer.session.skip_packet_number();
        }
        let done = peer.send(&mut lab, |frames| write(nth, frames));
        assert!(done.datagrams.len() <= 1, "{nth}: more than one packet for one");
        assert!(done.events.is_empty(), "{nth}: {:?}", done.events);
        answered.packets += done.datagrams.len() as u64;
        answered.bytes += done.bytes() as u64;
        drop(done);
        if nth == packets / 10 {
            settled = Some(heap::live());
        }
    }
    assert_eq!(Some(heap::live()), settled, "memory grew");
    assert_eq!(lab.endpoint.rejects().total(), 0);
    assert_eq!(lab.connection(id).closure(), None);
    assert!(lab.wait(Duration::from_secs(1)).datagrams.len() <= 1, "nothing was put off");
    answered
}

/// What does not ask for an answer gets none.
#[test]
fn packets_that_ask_for_nothing_get_nothing() {
    let padding = answers(0, |nth, frames| frames.pad_to(1 + (nth % 1_168) as usize));
    assert_eq!(padding.packets, 0);
    let mut received = ReceivedNumbers::new();
    received.insert(0);
    let again = answers(0, |_, frames| while frames.ack(&received, Duration::ZERO).is_ok() {});
    assert_eq!(again.packets, 0, "the same acknowledgement a hundred times in each packet");
}

/// What does, gets one for two once it comes in order.
#[test]
fn packets_that_ask_get_one_acknowledgement_for_two() {
    let packets = flood();
    let pings = answers(0, |_, frames| while frames.ping().is_ok() {});
    let credit = answers(0, |nth, frames| while frames.max_data(nth).is_ok() {});
    let blocked = answers(0, |nth, frames| while frames.data_blocked(nth).is_ok() {});
    let responses = answers(0, |nth, frames| while frames.path_response(nth.to_le_bytes()).is_ok() {});
    for (what, answered) in
        [("PING", pings), ("MAX_DATA", credit), ("DATA_BLOCKED", blocked), ("PATH_RESPONSE", responses)]
    {
        println!("{what}: {answered:?} for {packets} packets of 1200 bytes");
        assert!(answered.packets <= packets / 2 + 64, "{what}: {answered:?}");
        assert!(answered.bytes * 20 < packets * 1_200, "{what}: {answered:?}");
    }
}

/// Gaps ask for an acknowledgement of each packet: one, of a length that has a bound.
#[test]
fn packets_with_gaps_get_one_acknowledgement_each() {
    let packets = flood();
    let answered = answers(1, |_, frames| frames.ping().expect("room"));
    println!("PING behind gaps: {answered:?} for {packets} packets of 33 bytes");
    assert_eq!(answered.packets, packets);
    assert!(answered.bytes <= packets * (32 + 10 + 31 * 4), "32 ranges at most");
}

/// The peer's own packets, word for word, from its own address: opened once.
#[test]
fn repeated_packets_get_nothing() {
    let (mut lab, mut peer, _) = session(5);
    let packets: Vec<_> = (0..100).map(|_| ping(&mut peer)).collect();
    for datagram in &packets {
        lab.deliver(peer.path, datagram);
    }
    lab.endpoint.end_of_batch();
    lab.drain();
    for datagram in packets.iter().cycle().take(flood() as usize) {
        lab.deliver(peer.path, datagram);
        lab.endpoint.end_of_batch();
        assert!(lab.drain().datagrams.is_empty());
    }
    assert_eq!(lab.endpoint.rejects().total(), flood());
}

fn ping(peer: &mut Peer) -> Vec<u8> {
    peer.seal(|frames| frames.ping().expect("room"))
}
