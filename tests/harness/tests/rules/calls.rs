//! Section 3, "The initiator": what a call does until it is answered, and when it is over.

use rand_core::SeedableRng;
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Responder};
use udp_sec::limits::{HANDSHAKE_BUDGET, HANDSHAKE_BUDGET_WITH_FALLBACK};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::{Closure, Event};

use super::lab::{Lab, Peer, address, keys, parameters};
use super::{MOMENT, frames_of, second};

/// An endpoint that calls the holder of `keys(10)`, and its initiation.
fn call(lab: &mut Lab) -> (SessionId, Vec<u8>) {
    let peer = *keys(10).public();
    let id = lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), &peer).expect("room");
    let mut sent = lab.drain().datagrams;
    assert_eq!(sent.len(), 1);
    (id, sent.remove(0).1)
}

fn millis(at: Instant) -> u64 {
    at.saturating_since(Instant::ZERO).as_micros() / 1_000
}

#[test]
fn an_initiation_is_repeated_byte_for_byte_after_250_ms_and_doubling_intervals_up_to_2_s() {
    let mut lab = Lab::new(&[]);
    let (id, first) = call(&mut lab);
    assert_eq!(first[1_184..], [0; 16], "mac2 is zero without a cookie");
    let mut times = Vec::new();
    let mut events = Vec::new();
    for (at, done) in lab.run_until(second(100)) {
        for (to, datagram) in done.datagrams {
            assert_eq!((to, datagram == first), (address(1), true), "the identical bytes");
            times.push(millis(at));
        }
        events.extend(done.events.into_iter().map(|event| (millis(at), event)));
    }
    let expected: Vec<u64> = [250, 750, 1_750].into_iter().chain((3_750..30_000).step_by(2_000)).collect();
    assert_eq!(times, expected);
    assert_eq!(events, [(30_000, (id, Event::Closed(Closure::HandshakeTimeout)))]);
    assert_eq!(HANDSHAKE_BUDGET, Duration::from_secs(30));
}

#[test]
fn with_a_fallback_the_handshake_budget_is_5_s() {
    assert_eq!(HANDSHAKE_BUDGET_WITH_FALLBACK, Duration::from_secs(5));
    let mut lab = Lab::with(&[], 8, |config| config.handshake_budget = HANDSHAKE_BUDGET_WITH_FALLBACK);
    let (id, _) = call(&mut lab);
    let all = lab.run_until(second(100));
    let events: Vec<_> =
        all.iter().flat_map(|(at, done)| done.events.iter().map(|it| (millis(*at), *it))).collect();
    assert_eq!(events, [(5_000, (id, Event::Closed(Closure::HandshakeTimeout)))]);
    let last = all.iter().filter(|(_, done)| !done.datagrams.is_empty()).map(|(at, _)| millis(*at)).max();
    assert_eq!(last, Some(3_750));
}

/// The peer refuses, since it speaks another application protocol: the true acceptance that follows comes too late.
#[test]
fn a_refusal_ends_the_attempt_with_its_code() {
    let mut lab = Lab::new(&[]);
    let (id, initiation) = call(&mut lab);
    let mut rng = chacha20::ChaCha8Rng::seed_from_u64(5);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*lab.keys.public()).expect("room");
    let responder = Responder::new(keys(10));
    let incoming =
        responder.read(responder.check_mac1(&initiation).expect("right"), &mut rng).expect("opens");
    let other = Parameters::new(ApplicationProtocol::new(b"other/1").expect("short"), 1);
    let refusal = match incoming.authorize(&allowed).expect("allowed").accept(7, &other) {
        Ok(Accepted::Refused { response, .. }) => response,
        other => panic!("{other:?}"),
    };
    lab.deliver(address(1), &refusal);
    let done = lab.drain();
    assert_eq!(done.events, [(id, Event::Closed(Closure::Refused(CloseCode::NoAppProtocol)))]);
    assert!(done.datagrams.is_empty());
    assert_eq!(lab.endpoint.rejects().total(), 0, "nothing is wrong with it");
    let (_, acceptance) = Peer::answering(&lab, &keys(10), address(1), &initiation);
    lab.assert_rejects(Reject::UnknownSession, address(1), &acceptance);
    let later = lab.run_until(second(60));
    assert!(later.iter().all(|(_, done)| done.datagrams.is_empty() && done.events.is_empty()));
}

#[test]
fn a_response_is_answered_at_once_by_ping_if_there_is_nothing_else() {
    let mut lab = Lab::new(&[]);
    let (id, initiation) = call(&mut lab);
    let (mut peer, response) = Peer::answering(&lab, &keys(10), address(1), &initiation);
    lab.deliver(address(1), &response);
    let done = lab.drain();
    assert_eq!(done.events, [(id, Event::Established)]);
    assert_eq!(frames_of(&mut peer, &done.datagrams), [["PING"]]);

    let mut lab = Lab::new(&[]);
    let (id, initiation) = call(&mut lab);
    let (mut peer, response) = Peer::answering(&lab, &keys(10), address(1), &initiation);
    lab.deliver(address(1), &response);
    lab.connection(id).write(b"behind the Response").expect("open");
    assert_eq!(frames_of(&mut peer, &lab.drain().datagrams), [["STREAM"]], "one round trip");
}

#[test]
fn until_the_responder_is_heard_the_handshake_budget_goes_on_running() {
    for heard in [false, true] {
        let mut lab = Lab::new(&[]);
        let (id, initiation) = call(&mut lab);
        let (mut peer, response) = Peer::answering(&lab, &keys(10), address(1), &initiation);
        lab.run_until(second(10));
        lab.deliver(address(1), &response);
        lab.run_until(second(29));
        if heard {
            peer.send(&mut lab, |frames| frames.ping().expect("room"));
        }
        lab.run_until(Instant::ZERO + HANDSHAKE_BUDGET.saturating_sub(MOMENT));
        assert_eq!(lab.connection(id).closure(), None);
        let done = lab.wait(MOMENT);
        let timed_out = (id, Event::Closed(Closure::HandshakeTimeout));
        assert_eq!(done.events.contains(&timed_out), !heard, "{done:?}");
    }
}

#[test]
fn a_response_finds_no_place_for_its_session() {
    let mut lab = Lab::with(&[], 0, |_| {});
    let (id, initiation) = call(&mut lab);
    let (_, response) = Peer::answering(&lab, &keys(10), address(1), &initiation);
    lab.deliver(address(1), &response);
    let done = lab.drain();
    assert_eq!(done.events, [(id, Event::Closed(Closure::ByUs(CloseCode::SessionLimit)))]);
    assert!(done.datagrams.is_empty());
    assert_eq!(lab.endpoint.rejects().get(Reject::SessionLimit), 1);
}

/// Section 5: where the message that starts the clock left twice, it is not known which one was answered.
#[test]
fn a_handshake_gives_a_round_trip_only_if_its_message_left_once() {
    const ASSUMED: Duration = Duration::from_millis(333);
    for (wait, expected) in [(100, Duration::from_millis(100)), (250, ASSUMED)] {
        let mut lab = Lab::new(&[]);
        let (id, initiation) = call(&mut lab);
        let (_, response) = Peer::answering(&lab, &keys(10), address(1), &initiation);
        lab.wait(Duration::from_millis(wait));
        lab.deliver(address(1), &response);
        assert_eq!(lab.connection(id).path_state().smoothed_rtt, expected, "initiator, {wait} ms");
    }
    for (repeats, expected) in [(0, Duration::from_millis(60)), (1, ASSUMED)] {
        let peer_keys = keys(10);
        let mut lab = Lab::new(&[peer_keys.public()]);
        let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
        for _ in 0..repeats {
            lab.deliver(address(1), super::initiation(&peer_keys, lab.keys.public(), 0).datagram());
            assert_eq!(lab.drain().datagrams.len(), 1);
        }
        lab.wait(Duration::from_millis(60));
        peer.send(&mut lab, |frames| frames.ping().expect("room"));
        let id = lab.last_session();
        assert_eq!(lab.connection(id).path_state().smoothed_rtt, expected, "responder, {repeats} repeats");
    }
}

/// `EMSGSIZE`: for handshakes on that path it is the end, for sessions it is nothing.
#[test]
fn a_socket_that_refuses_1200_bytes_ends_the_handshakes_on_that_path_and_no_session() {
    let peer_keys = keys(11);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut peer, open) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let (on_path, _) = call(&mut lab);
    let elsewhere =
        lab.endpoint.connect(lab.now, &mut lab.entropy, address(2), keys(12).public()).expect("room");
    lab.drain();
    lab.endpoint.path_too_narrow(address(1));
    let done = lab.drain();
    assert_eq!(done.events, [(on_path, Event::Closed(Closure::NoPath))]);
    assert!(done.datagrams.is_empty());
    assert_eq!(lab.connection(open).closure(), None);
    let done = peer.send(&mut lab, |frames| frames.stream(0, false, 5).expect("room").fill(1));
    assert!(done.events.contains(&(open, Event::Readable)), "it goes on");
    let repeats = lab.wait(Duration::from_millis(250)).datagrams;
    let initiations: Vec<Path> = repeats.iter().filter(|(_, it)| it[1] == 1).map(|(to, _)| *to).collect();
    assert_eq!(initiations, [address(2)], "the other attempt {elsewhere:?} goes on");
    assert_eq!(parameters().idle_timeout, Duration::from_secs(30));
}
