//! Section 6, "Idle timeout": when it begins anew, when it ends, and what keeps a session alive.

use udp_sec::error::Reject;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::{Closure, Event};

use super::lab::{Lab, Peer, address, keys};
use super::{MOMENT, acknowledge, before, frames_of, probe_timeout, second, session};

/// The lab's peers announce this.
const IDLE: Duration = Duration::from_secs(30);

/// Asserts that the session `id` ends at `end`, silently, and not a moment before.
#[track_caller]
fn assert_times_out_at(lab: &mut Lab, id: SessionId, end: Instant) {
    lab.run_until(before(end));
    assert_eq!(lab.connection(id).closure(), None, "a moment before {end:?}");
    let done = lab.wait(MOMENT);
    assert_eq!(done.events, [(id, Event::Closed(Closure::TimedOut))], "at {end:?}");
    assert!(done.datagrams.is_empty(), "silently");
}

/// A session whose endpoint announces `own`, or is kept alive.
fn session_with(own: Duration, keepalive: bool) -> (Lab, Peer, SessionId) {
    let peer_keys = keys(10);
    let mut lab = Lab::with(&[peer_keys.public()], 8, |config| {
        config.parameters.idle_timeout = own;
        config.keepalive = keepalive;
    });
    let (peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    (lab, peer, id)
}

#[test]
fn the_smaller_idle_timeout_of_the_two_counts() {
    for (own, counts) in [(10, 10), (30, 30), (100, 30)] {
        let (mut lab, _, id) = session_with(Duration::from_secs(own), false);
        assert_times_out_at(&mut lab, id, second(counts));
    }
}

/// One second, over a path whose round trip takes two.
#[test]
fn the_idle_timeout_is_at_least_three_probe_timeouts() {
    let peer_keys = keys(10);
    let mut lab =
        Lab::with(&[peer_keys.public()], 8, |config| config.parameters.idle_timeout = Duration::from_secs(1));
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    lab.wait(Duration::from_secs(2));
    peer.send(&mut lab, |frames| frames.ping().expect("room"));
    let id = lab.last_session();
    let three = probe_timeout(lab.connection(id).path_state()) * 3;
    assert_eq!(three, Duration::from_millis(3 * (2_000 + 4_000 + 25)));
    let end = lab.now + three;
    assert_times_out_at(&mut lab, id, end);
}

#[test]
fn every_packet_that_opens_starts_the_idle_timeout_anew_and_no_other_datagram_does() {
    let (mut lab, mut peer, id) = session();
    lab.run_until(second(20));
    let ping = peer.seal(|frames| frames.ping().expect("room"));
    lab.deliver(address(1), &ping);
    lab.run_until(second(25));
    lab.assert_rejects(Reject::ReplayOrStalePacketNumber, address(1), &ping);
    let mut forged = peer.seal(|frames| frames.ping().expect("room"));
    forged[20] ^= 1;
    lab.deliver(address(1), &forged);
    assert_eq!(lab.endpoint.rejects().get(Reject::DecryptFailed), 1);
    assert_times_out_at(&mut lab, id, second(20) + IDLE);
}

#[test]
fn the_first_ack_eliciting_packet_since_starts_the_idle_timeout_anew_and_no_later_one_does() {
    let (mut lab, _, id) = session();
    lab.run_until(second(10));
    lab.connection(id).write(&[1; 10]).expect("open");
    lab.run_until(second(20));
    lab.connection(id).write(&[2; 10]).expect("open");
    let sent = lab.connection(id).stats().datagrams_sent;
    lab.run_until(second(39));
    assert!(lab.connection(id).stats().datagrams_sent > sent + 2, "that, and probes");
    assert_times_out_at(&mut lab, id, second(10) + IDLE);
}

/// After a suspension the packet that waited in the socket is seen before the clock is.
#[test]
fn an_idle_timeout_that_has_ended_is_the_end_whatever_is_seen_first() {
    let (mut lab, mut peer, id) = session();
    lab.now = second(31);
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    drop(done);
    lab.connection(id).write(&[1; 10]).expect("still open");
    lab.drain();
    let done = lab.wait(Duration::ZERO);
    assert_eq!(done.events, [(id, Event::Closed(Closure::TimedOut))]);
}

#[test]
fn a_keepalive_leaves_a_third_of_the_idle_timeout_after_the_last_packet() {
    let (mut lab, mut peer, _) = session_with(Duration::from_secs(12), true);
    let mut times = Vec::new();
    for (at, done) in lab.run_until(second(4)) {
        let frames = acknowledge(&mut lab, &mut peer, &done.datagrams);
        times.extend(frames.into_iter().map(|frames| (at, frames)));
    }
    assert_eq!(times, [(second(4), vec!["PING".to_owned()])]);
    // The next one leaves a third after the last packet that opened, or that left as the first since.
    lab.run_until(second(5));
    peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(lab.run_until(before(second(9))).iter().all(|(_, done)| done.datagrams.is_empty()));
    assert_eq!(frames_of(&mut peer, &lab.wait(MOMENT).datagrams), [["PING"]]);

    let (mut lab, mut peer, _) = session_with(Duration::from_secs(12), false);
    let quiet = lab.run_until(second(11));
    assert!(
        quiet.iter().all(|(_, done)| frames_of(&mut peer, &done.datagrams).is_empty()),
        "only when asked for"
    );
}

/// What came last were stream bytes: the peer may be sending to where we were.
#[test]
fn after_new_stream_bytes_a_keepalive_leaves_after_three_probe_timeouts() {
    let pings_after = |write: &dyn Fn(&mut Lab, &mut Peer)| {
        let (mut lab, mut peer, id) = session_with(IDLE, true);
        write(&mut lab, &mut peer);
        let three = probe_timeout(lab.connection(id).path_state()) * 3;
        let from = lab.now;
        let mut pings = Vec::new();
        for (at, done) in lab.run_until(from + three) {
            let frames = frames_of(&mut peer, &done.datagrams);
            pings.extend(frames.into_iter().filter(|frames| frames[0] == "PING").map(|_| at));
        }
        (pings, from + three)
    };
    let stream = |fin: bool, offset: u64| {
        move |lab: &mut Lab, peer: &mut Peer| {
            drop(peer.send(lab, |frames| frames.stream(offset, fin, 5).expect("room").fill(1)));
        }
    };
    let (pings, at) = pings_after(&stream(false, 0));
    assert_eq!(pings, [at]);
    assert_eq!(pings_after(&stream(true, 0)).0, [], "the stream has ended");
    assert_eq!(pings_after(&|_, _| ()).0, [], "nothing came");
    let again = |lab: &mut Lab, peer: &mut Peer| {
        stream(false, 0)(lab, peer);
        lab.run_until(second(9));
        stream(false, 0)(lab, peer);
    };
    // The keepalive that followed the first has been sent long ago; bytes that are not new ask for no other.
    assert_eq!(pings_after(&again).0, [], "they are not new");
}
