//! Handshakes at their bounds: too early, too many, repeated, without entropy.

use rand_core::SeedableRng;
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::{Accepted, Responder};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::limits::{HALF_OPEN_PER_KEY, HALF_OPEN_REPLACE_AGE};
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::ConnectError;
use udp_sec_recovery::event::{Closure, Event};

use super::lab::{Lab, Peer, address, initiation, keys, parameters};

/// Data for a handshake that has no keys yet, and garbage in place of its Response: the true one still completes it.
#[test]
fn test_reject_unauthenticated_data_before_handshake() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[]);
    let id = lab
        .endpoint
        .connect(lab.now, &mut lab.entropy, address(1), peer_keys.public())
        .expect("an empty endpoint");
    let done = lab.drain();
    let [(_, sent)] = &done.datagrams[..] else { panic!("{done:?}") };

    let mut data = vec![0x55; 100];
    data[..4].copy_from_slice(&[1, 4, 0, 0]);
    data[4..12].copy_from_slice(&sent[4..12]);
    lab.assert_rejects(Reject::UnauthenticatedDataBeforeHandshake, address(1), &data);

    let response = respond(&peer_keys, lab.keys.public(), sent);
    for offset in (12..1_200).step_by(11) {
        let mut forged = response.clone();
        forged[offset] ^= 0x10;
        lab.assert_rejects(Reject::HandshakeFailed, address(1), &forged);
    }
    lab.deliver(address(1), &response);
    assert!(lab.drain().events.contains(&(id, Event::Established)));
}

/// The Response of the holder of `own` to `initiation`.
pub(crate) fn respond(own: &StaticKeypair, peer: &PublicKey, initiation: &[u8]) -> Vec<u8> {
    let mut rng = chacha20::ChaCha8Rng::seed_from_u64(77);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*peer).expect("an empty list");
    let responder = Responder::new(own.clone());
    let checked = responder.check_mac1(initiation).expect("a right mac1");
    let incoming = responder.read(checked, &mut rng).expect("a generator that cannot fail");
    let authorized = incoming.authorize(&allowed).expect("an allowed key");
    match authorized.accept(1_234, &parameters()).expect("good parameters") {
        Accepted::HalfOpen { response, .. } => response.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// Four initiations of one key wait at most; a fifth replaces the oldest, once that is 3 s old.
#[test]
fn test_reject_half_open_limit() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    for nth in 0..HALF_OPEN_PER_KEY as u64 {
        Peer::half_open(&mut lab, &peer_keys, address(1), nth);
    }
    let fifth = initiation(&peer_keys, lab.keys.public(), 5);
    lab.wait(HALF_OPEN_REPLACE_AGE - Duration::from_micros(1));
    lab.assert_rejects(Reject::HalfOpenLimit, address(1), fifth.datagram());
    lab.wait(Duration::from_micros(1));
    lab.deliver(address(1), fifth.datagram());
    assert_eq!(lab.drain().datagrams.len(), 1, "the oldest gives way");
    assert_eq!(lab.endpoint.half_open(), HALF_OPEN_PER_KEY);
}

/// No room for a session that has just been confirmed: CLOSE under its own keys, so that the peer need not guess.
#[test]
fn test_reject_session_limit() {
    let (first, second) = (keys(10), keys(11));
    let mut lab = Lab::with(&[first.public(), second.public()], 1, |_| {});
    let (_, id) = Peer::connect(&mut lab, &first, address(1), 0);
    let mut peer = Peer::half_open(&mut lab, &second, address(2), 100);
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert_eq!(lab.endpoint.rejects().get(Reject::SessionLimit), 1);
    assert!(done.events.is_empty(), "{:?}", done.events);
    let [(to, close)] = &done.datagrams[..] else { panic!("{done:?}") };
    assert_eq!(*to, address(2));
    assert_eq!(peer.close_code(close), Some(CloseCode::SessionLimit));
    assert_eq!((lab.endpoint.sessions(), lab.endpoint.half_open()), (1, 0));
    assert_eq!(lab.connection(id).closure(), None);
}

/// A new session of the same key takes the place of the old one, but only when it is confirmed.
#[test]
fn a_session_is_superseded_only_by_a_confirmed_one() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut old, old_id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let mut new = Peer::half_open(&mut lab, &peer_keys, address(1), 1);
    assert_eq!(lab.connection(old_id).closure(), None);
    let done = old.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.is_empty(), "the old session goes on: {:?}", done.events);
    let done = new.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.contains(&(old_id, Event::Closed(Closure::Superseded))), "{:?}", done.events);
    assert!(done.events.iter().any(|(id, event)| *id != old_id && *event == Event::Established));
    assert!(
        done.datagrams.iter().all(|(_, datagram)| datagram[4..12] == new.session.local_id().to_le_bytes())
    );
}

/// Message 1 can be replayed by anyone who saw it: that never disturbs the session it made, nor a later one.
#[test]
fn a_replayed_initiation_displaces_nothing() {
    const REPLAYS: usize = 20_000;
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let recorded = initiation(&peer_keys, lab.keys.public(), 0).datagram().to_vec();
    let (mut peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    for nth in 0..REPLAYS {
        lab.deliver(address(2 + (nth % 200) as u8), &recorded);
        let done = lab.drain();
        assert!(done.datagrams.is_empty() && done.events.is_empty(), "{done:?}");
    }
    let done = peer.send(&mut lab, |frames| frames.stream(0, false, 5).expect("room").fill(1));
    assert!(done.events.contains(&(id, Event::Readable)));
    assert_eq!((lab.endpoint.sessions(), lab.endpoint.half_open()), (1, 0));

    // The session is over and a second one of the same peer lives: the recording of the first may get an answer, as
    // any initiation of an allowed key, but no session comes of it.
    let (mut second, second_id) = Peer::connect(&mut lab, &peer_keys, address(1), 1);
    lab.endpoint.release(lab.now, id);
    lab.wait(Duration::from_secs(10));
    for nth in 0..REPLAYS {
        lab.deliver(address(2 + (nth % 200) as u8), &recorded);
        let done = lab.drain();
        assert!(done.events.is_empty(), "{:?}", done.events);
        assert!(done.datagrams.len() <= 1, "never more than was sent");
    }
    assert!(lab.endpoint.half_open() <= 1);
    assert_eq!(lab.connection(second_id).closure(), None);
    let done = second.send(&mut lab, |frames| frames.stream(0, false, 5).expect("room").fill(1));
    assert!(done.events.contains(&(second_id, Event::Readable)));
}

/// The random source fails at its k-th call, for every k: no datagram leaves, and with a working one all goes on.
#[test]
fn test_reject_entropy_unavailable() {
    let peer_keys = keys(10);
    let mut failures = [0; 2];
    for calls in 0.. {
        let mut lab = Lab::new(&[]);
        lab.entropy.calls_left = calls;
        let begun = lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), peer_keys.public());
        if begun.is_ok() {
            break;
        }
        assert_eq!(begun, Err(ConnectError::EntropyUnavailable));
        assert_eq!(lab.endpoint.rejects().get(Reject::EntropyUnavailable), 1);
        assert!(lab.drain().datagrams.is_empty());
        failures[0] += 1;
    }
    for calls in 0.. {
        let mut lab = Lab::new(&[peer_keys.public()]);
        let initiator = initiation(&peer_keys, lab.keys.public(), 0);
        lab.entropy.calls_left = calls;
        lab.deliver(address(1), initiator.datagram());
        let done = lab.drain();
        if lab.endpoint.rejects().total() == 0 {
            assert_eq!(done.datagrams.len(), 1);
            break;
        }
        assert_eq!(lab.endpoint.rejects().get(Reject::EntropyUnavailable), 1);
        assert!(done.datagrams.is_empty());
        assert_eq!(lab.endpoint.half_open(), 0);
        lab.entropy.calls_left = u64::MAX;
        lab.deliver(address(1), initiator.datagram());
        assert_eq!(lab.drain().datagrams.len(), 1, "the same initiation is good once there is entropy");
        failures[1] += 1;
    }
    assert!(failures.iter().all(|failures| *failures >= 3), "{failures:?} calls each were tried");
}
