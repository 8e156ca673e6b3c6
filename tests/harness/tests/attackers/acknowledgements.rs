//! A peer with keys that lies about what it received, or keeps it to itself.

use std::collections::BTreeSet;

use harness::attacker::keyed::{Done, Lab, Peer};
use udp_sec::error::{CloseCode, Reject};
use udp_sec::time::Duration;
use udp_sec_recovery::connection::WriteError;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::{flood, heap, session, times};

/// Bytes of each ring of the lab's sessions.
const RING: u64 = 8_192;
/// Bytes in flight, if their queue of sent packets is full of the largest.
const SENT_MAX: u64 = 32 * 1_200;

/// What an optimistic acknowledger claims to have received.
#[derive(Clone, Copy, Debug)]
enum Claim {
    /// Everything up to the newest that came, whether it came or not.
    NoGaps,
    /// The same, though it has looked at one packet in three only.
    OneInThree,
    /// A little more than has come.
    Ahead,
}

/// Packets that the endpoint has sent until it noticed.
fn packets_until_noticed(seed: u64, claim: Claim) -> u64 {
    let (mut lab, mut peer, id) = session(seed);
    let mut claimed = ReceivedNumbers::new();
    let (mut next, mut came) = (0, 0_u64);
    while lab.connection(id).closure().is_none() {
        while lab.connection(id).write(&[7; 1_100]) == Ok(1_100) {}
        for (_, datagram) in lab.wait(Duration::from_millis(1)).datagrams {
            came += 1;
            if matches!(claim, Claim::OneInThree) && !came.is_multiple_of(3) {
                continue;
            }
            let newest = peer.open(&datagram).0;
            let ahead = if matches!(claim, Claim::Ahead) && came > 20 { 3 } else { 0 };
            while next <= newest + ahead {
                claimed.insert(next);
                next += 1;
            }
        }
        if next > 0 {
            let ack = peer.seal(|frames| {
                frames.ack(&claimed, Duration::ZERO).expect("room");
            });
            lab.deliver(peer.path, &ack);
        }
        assert!(lab.connection(id).stats().datagrams_sent <= 1_000, "seed {seed}, {claim:?}: not noticed");
    }
    let code = CloseCode::AckOfUnsentPacket;
    assert_eq!(lab.connection(id).closure(), Some(Closure::ByUs(code)), "seed {seed}, {claim:?}");
    assert_eq!(lab.endpoint.rejects().get(Reject::AckOfUnsentPacket), 1);
    lab.connection(id).stats().datagrams_sent
}

/// Row 51 of the figures: within 1 000 packets, always.
#[test]
fn optimistic_acknowledgements_are_noticed() {
    let seeds = times("ATTACK_SEEDS", 100);
    for claim in [Claim::NoGaps, Claim::OneInThree, Claim::Ahead] {
        let latest = (0..seeds).map(|seed| packets_until_noticed(seed, claim)).max();
        println!("{claim:?}: {seeds} of {seeds} noticed, after {} packets at most", latest.expect("a seed"));
    }
}

/// Writes what fits, as an application that has more to say than there is room.
fn write_until_refused(lab: &mut Lab, id: SessionId) {
    loop {
        match lab.connection(id).write(&[7; 4_096]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(WriteError::Closed(why)) => panic!("closed: {why}"),
            Err(WriteError::Finished) => panic!("nobody finished"),
        }
    }
}

/// Sends `frames` packets of the peer's, 10 ms apart, of which `acknowledge` decides what they say about what came. The
/// writer always wants to write more. Memory, queue and window stay at their bounds; all that was sent is returned in
/// numbers: packets and bytes.
fn withhold(
    (mut lab, mut peer, id): (Lab, Peer, SessionId),
    frames: u64,
    mut acknowledge: impl FnMut(&mut Peer, &Done) -> Option<ReceivedNumbers>,
) -> (Lab, u64, u64) {
    let (mut packets, mut bytes) = (0, 0);
    let mut settled = None;
    for nth in 0..frames {
        write_until_refused(&mut lab, id);
        let done = lab.wait(Duration::from_millis(10));
        packets += done.datagrams.len() as u64;
        bytes += done.bytes() as u64;
        let received = acknowledge(&mut peer, &done);
        drop(done);
        let says = peer.seal(|frames| {
            frames.ping().expect("room");
            if let Some(received) = received {
                frames.ack(&received, Duration::ZERO).expect("room");
            }
        });
        lab.deliver(peer.path, &says);
        drop(says);
        let connection = lab.connection(id);
        assert!(connection.unacknowledged() <= RING, "more than the send buffer holds");
        let path = connection.path_state();
        assert!(path.in_flight <= SENT_MAX, "{path:?}");
        if nth == frames / 10 {
            settled = Some(heap::live());
        }
    }
    assert_eq!(lab.endpoint.rejects().total(), 0);
    assert_eq!(Some(heap::live()), settled, "memory grew while acknowledgements were withheld");
    (lab, packets, bytes)
}

/// Row 36: the peer asks for acknowledgements all the time, and gives none.
#[test]
fn who_never_acknowledges_gets_a_window_and_probes() {
    let frames = flood();
    let (mut lab, packets, bytes) = withhold(session(1), frames, |_, _| None);
    let id = lab.last_session();
    let stats = lab.connection(id).stats();
    println!("{frames} frames without an acknowledgement: {packets} packets, {bytes} bytes, {stats:?}");
    assert!(packets <= frames + stats.probes_sent + 30, "an answer for each, the window, and probes");
    assert!(stats.stream_bytes_sent <= RING);
    assert!(stats.probes_sent <= 2 * (10 + frames / 300), "no faster than an eighth of the idle timeout");
}

/// Row 36: every second packet is acknowledged, the others never.
#[test]
fn who_acknowledges_every_second_packet_is_served_within_the_bounds() {
    let frames = flood();
    let mut even = ReceivedNumbers::new();
    let mut seen = BTreeSet::new();
    let acknowledge = |peer: &mut Peer, done: &Done| {
        for (_, datagram) in &done.datagrams {
            let number = peer.open(datagram).0;
            if number.is_multiple_of(2) {
                even.insert(number);
            }
        }
        seen.clear();
        seen.extend(even.iter().map(|range| *range.end()));
        (!seen.is_empty()).then(|| even.clone())
    };
    let (mut lab, packets, _) = withhold(session(2), frames, acknowledge);
    let id = lab.last_session();
    let stats = lab.connection(id).stats();
    println!("{frames} acknowledgements of every second packet: {packets} packets, {stats:?}");
    assert!(stats.stream_bytes_sent > 10 * RING, "it goes on: every byte is acknowledged in the end");
    assert!(stats.packets_lost > stats.datagrams_sent / 10, "the others count as lost");
}

/// An ACK of `numbers`, `delay` late by its own account.
fn ack(peer: &mut Peer, lab: &mut Lab, numbers: impl IntoIterator<Item = u64>, delay: Duration) {
    let mut received = ReceivedNumbers::new();
    numbers.into_iter().for_each(|number| {
        received.insert(number);
    });
    peer.send(lab, |frames| {
        frames.ack(&received, delay).expect("room");
    });
}

/// The numbers of what the endpoint sends for ten more bytes.
fn write_ten(lab: &mut Lab, peer: &mut Peer, id: SessionId) -> Vec<u64> {
    assert_eq!(lab.connection(id).write(&[7; 10]), Ok(10));
    lab.drain().datagrams.iter().map(|(_, datagram)| peer.open(datagram).0).collect()
}

/// What was declared lost, sent again and long forgotten may be acknowledged after all: that is no lie, and no harm.
#[test]
fn an_acknowledgement_of_a_packet_long_lost_is_no_violation() {
    let (mut lab, mut peer, id) = session(5);
    let lost = write_ten(&mut lab, &mut peer, id);
    for _ in 0..100 {
        let came = write_ten(&mut lab, &mut peer, id);
        let more = lab.wait(Duration::from_millis(100)).datagrams;
        let more: Vec<u64> = more.iter().map(|(_, datagram)| peer.open(datagram).0).collect();
        ack(&mut peer, &mut lab, came.into_iter().chain(more), Duration::ZERO);
    }
    let before = (lab.connection(id).stats().packets_lost, lab.connection(id).path_state());
    assert!(before.0 >= 1 && before.1.in_flight == 0 && lab.connection(id).unacknowledged() == 0);
    ack(&mut peer, &mut lab, lost, Duration::ZERO);
    assert_eq!(lab.connection(id).closure(), None);
    assert_eq!(lab.endpoint.rejects().total(), 0);
    assert_eq!((lab.connection(id).stats().packets_lost, lab.connection(id).path_state()), before);
}

/// RFC 9002 section 5.1: a round trip is measured by the largest number that an ACK names, when it is new. Late
/// acknowledgements of older packets, and the same one again, measure nothing.
#[test]
fn a_round_trip_is_measured_by_the_largest_number_and_once() {
    let (mut lab, mut peer, id) = session(6);
    let estimates = |lab: &mut Lab| {
        let path = lab.connection(id).path_state();
        (path.smoothed_rtt, path.rtt_variation, path.min_rtt)
    };
    let older = write_ten(&mut lab, &mut peer, id);
    lab.wait(Duration::from_millis(1));
    let newer = write_ten(&mut lab, &mut peer, id);
    let untouched = estimates(&mut lab);
    lab.wait(Duration::from_millis(20));
    ack(&mut peer, &mut lab, newer.clone(), Duration::ZERO);
    let measured = estimates(&mut lab);
    assert_ne!(measured, untouched, "the largest, for the first time");
    lab.wait(Duration::from_millis(2));
    ack(&mut peer, &mut lab, newer.clone(), Duration::ZERO);
    assert_eq!(estimates(&mut lab), measured, "again");
    ack(&mut peer, &mut lab, older.iter().chain(&newer).copied(), Duration::ZERO);
    assert_eq!(estimates(&mut lab), measured, "an older one is new, and the largest is not");
}

/// A peer that says it waited no time at all, or a minute: the estimate differs from that of an honest one by 25 ms at
/// most, the delay that it announced, and never goes below the shortest round trip.
#[test]
fn lies_about_delays_move_the_estimate_by_no_more_than_the_announced_one() {
    let estimate = |says: Option<Duration>| {
        let (mut lab, mut peer, id) = session(7);
        let mut smoothed = Vec::new();
        for nth in 0..200 {
            let numbers = write_ten(&mut lab, &mut peer, id);
            let waited = Duration::from_millis(nth % 3 * 12);
            lab.wait(Duration::from_millis(100));
            lab.wait(waited);
            ack(&mut peer, &mut lab, numbers, says.unwrap_or(waited));
            let path = lab.connection(id).path_state();
            assert!(path.smoothed_rtt >= path.min_rtt, "{path:?}");
            smoothed.push(path.smoothed_rtt);
        }
        assert_eq!(lab.connection(id).closure(), None);
        smoothed
    };
    let honest = estimate(None);
    for lie in [Duration::ZERO, Duration::from_secs(60), Duration::MAX] {
        let lied = estimate(Some(lie));
        let moved =
            honest.iter().zip(&lied).map(|(honest, lied)| honest.as_micros().abs_diff(lied.as_micros()));
        let most = moved.max().expect("estimates");
        println!("a delay of {lie:?}: the estimate is off by {most} us at most");
        assert!(most <= 25_000, "{lie:?}: {most} us");
    }
}
