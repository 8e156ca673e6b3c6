//! Peers that are there and do not acknowledge: the session neither floods them nor falls silent.

use udp_sec::time::Duration;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::lab::{Lab, Peer, address, challenge_in, keys};

/// Sends the peer's PING every second and drops what the endpoint says; each second's datagrams.
fn withhold(lab: &mut Lab, peer: &mut Peer, seconds: usize) -> Vec<Vec<Vec<u8>>> {
    let each = |_| {
        let mut done = peer.send(lab, |frames| frames.ping().expect("room"));
        done.datagrams.extend(lab.wait(Duration::from_secs(1)).datagrams);
        done.datagrams.into_iter().map(|(_, datagram)| datagram).collect()
    };
    (0..seconds).map(each).collect()
}

/// The peer acknowledges everything at last: what is still to be delivered arrives.
fn assert_goes_on(lab: &mut Lab, peer: &mut Peer, mut received: ReceivedNumbers, datagrams: Vec<Vec<u8>>) {
    let mut pending = datagrams;
    let id = lab.last_session();
    for _ in 0..200 {
        for datagram in pending.drain(..) {
            received.insert(peer.open(&datagram).0);
        }
        let done = peer.send(lab, |frames| {
            frames.ack(&received, Duration::ZERO).expect("room");
        });
        pending.extend(done.datagrams.into_iter().map(|(_, datagram)| datagram));
        pending
            .extend(lab.wait(Duration::from_millis(50)).datagrams.into_iter().map(|(_, datagram)| datagram));
    }
    assert_eq!(lab.connection(id).unacknowledged(), 0, "everything was delivered in the end");
}

/// Probes fill the sent-packet queue, and there are still more probes: one of them must be the one that is answered.
#[test]
fn probes_never_run_out() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    lab.connection(id).write(&[7; 1_000]).expect("open");
    let mut received = ReceivedNumbers::new();
    for (_, datagram) in lab.drain().datagrams {
        received.insert(peer.open(&datagram).0);
    }
    assert_goes_on(&mut lab, &mut peer, received.clone(), Vec::new());

    lab.connection(id).write(&[8; 5_000]).expect("open");
    let mut seconds = withhold(&mut lab, &mut peer, 300);
    let before = lab.connection(id).stats().probes_sent;
    assert!(before > 100, "probes went on for five minutes: {before}");
    for second in &seconds {
        for datagram in second {
            received.insert(peer.open(datagram).0);
        }
    }
    seconds.clear();
    let mut last = withhold(&mut lab, &mut peer, 10).concat();
    assert!(lab.connection(id).stats().probes_sent > before);
    // Only the newest few are acknowledged: all before them were lost.
    let newest = last.split_off(last.len() - 3);
    let mut acknowledged = ReceivedNumbers::new();
    for datagram in &newest {
        acknowledged.insert(peer.open(datagram).0);
    }
    assert_goes_on(&mut lab, &mut peer, acknowledged, Vec::new());
}

/// Until the peer answers a challenge, its address gets three times what came from there and not a byte more; and
/// it is asked again and again, so that one answer is enough.
#[test]
fn an_unproven_path_gets_little_but_is_always_asked() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    // It has moved before it could say anything.
    peer.path = address(2);
    let (mut to_peer, mut from_peer) = (0, 0);
    let mut asked = 0;
    let mut last = Vec::new();
    for nth in 0..300 {
        let ping = peer.seal(|frames| frames.ping().expect("room"));
        from_peer += ping.len();
        lab.deliver(address(2), &ping);
        let mut done = lab.drain();
        if nth == 0 {
            let id = lab.last_session();
            lab.connection(id).write(&[7; 8_000]).expect("open");
            done.datagrams.extend(lab.drain().datagrams);
        }
        done.datagrams.extend(lab.wait(Duration::from_secs(1)).datagrams);
        for (_, datagram) in &done.datagrams {
            to_peer += datagram.len();
            assert!(to_peer <= 3 * from_peer, "{to_peer} bytes for {from_peer}");
        }
        let id = lab.last_session();
        let in_flight = lab.connection(id).path_state().in_flight;
        asked += usize::from(!done.datagrams.is_empty() && in_flight > 0);
        if nth >= 290 {
            last.extend(done.datagrams.into_iter().map(|(_, datagram)| datagram));
        }
    }
    assert!(asked > 250, "asked in {asked} of 300 seconds");
    let mut received = ReceivedNumbers::new();
    let mut challenge = None;
    for datagram in last {
        let (number, frames) = peer.open(&datagram);
        received.insert(number);
        challenge = challenge_in(&frames).or(challenge);
    }
    let answer = challenge.expect("asked to the end");
    peer.send(&mut lab, |frames| frames.path_response(answer).expect("room"));
    assert_goes_on(&mut lab, &mut peer, received, Vec::new());
}
