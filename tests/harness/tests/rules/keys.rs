//! Section 3, "Life of a key": when keys move, and how long the one before is kept.

use udp_sec::error::Reject;
use udp_sec::time::{Duration, Instant};

use super::lab::{Lab, Peer, address};
use super::{MOMENT, before, probe_timeout, second, session};

/// The phase that the endpoint's answer to a PING shows.
fn phase(lab: &mut Lab, peer: &mut Peer) -> u8 {
    let done = peer.send(lab, |frames| frames.ping().expect("room"));
    let (_, datagram) = done.datagrams.last().expect("an ACK");
    peer.open(datagram);
    datagram[2]
}

#[test]
fn a_key_moves_with_the_first_packet_that_would_leave_after_120_s() {
    let (mut lab, mut peer, id) = session();
    for seconds in 1..6 {
        lab.run_until(second(20 * seconds));
        assert_eq!(phase(&mut lab, &mut peer), 0);
    }
    lab.run_until(before(second(120)));
    assert_eq!(phase(&mut lab, &mut peer), 0);
    lab.wait(MOMENT);
    assert_eq!(phase(&mut lab, &mut peer), 1);
    assert_eq!(lab.connection(id).stats().key_updates, 1);
    // The peer has followed, but acknowledged nothing of the new phase: until it does, there is no next one.
    for nth in 7..20 {
        lab.run_until(second(20 * nth));
        assert_eq!(phase(&mut lab, &mut peer), 1);
    }
}

/// The peer moves its key with the next packet, as one may whose packets were acknowledged.
fn move_key(lab: &mut Lab, peer: &mut Peer) {
    phase(lab, peer);
    let last = peer.session.next_packet_number() - 1;
    peer.session.on_acknowledged(last);
    assert!(peer.session.update_key());
}

#[test]
fn the_key_before_is_kept_for_three_probe_timeouts() {
    let (mut lab, mut peer, id) = session();
    phase(&mut lab, &mut peer);
    let late: Vec<_> = (0..2).map(|_| peer.seal(|frames| frames.ping().expect("room"))).collect();
    move_key(&mut lab, &mut peer);
    let three = probe_timeout(lab.connection(id).path_state()) * 3;
    let moved: Instant = lab.now;
    assert_eq!(phase(&mut lab, &mut peer), 1, "the endpoint has followed with both directions");
    lab.run_until(before(moved + three));
    lab.deliver(address(1), &late[0]);
    assert_eq!(lab.endpoint.rejects().total(), 0, "a moment before it still opens");
    lab.drain();
    lab.wait(MOMENT);
    lab.assert_rejects(Reject::DecryptFailed, address(1), &late[1]);
    assert_eq!(lab.connection(id).closure(), None);
}

#[test]
fn ids_and_packet_numbers_go_on_across_key_updates_and_moves() {
    let (mut lab, mut peer, id) = session();
    let ids = (peer.session.local_id(), peer.session.peer_id());
    let mut last = None;
    for round in 0..6_u8 {
        if round % 2 == 1 {
            move_key(&mut lab, &mut peer);
        }
        peer.path = address(1 + round / 3);
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        for (_, datagram) in &done.datagrams {
            assert_eq!(datagram[4..12], ids.0.to_le_bytes());
            let (number, frames) = peer.open(datagram);
            assert!(Some(number) > last, "{number} after {last:?}");
            last = Some(number);
            if let Some(challenge) = super::lab::challenge_in(&frames) {
                let answer = peer.seal(|frames| frames.path_response(challenge).expect("room"));
                lab.deliver(peer.path, &answer);
            }
        }
        lab.wait(Duration::from_millis(100));
    }
    assert_eq!(lab.connection(id).path(), address(2));
    assert_eq!((peer.session.send_phase(), lab.connection(id).closure()), (3, None));
    assert_eq!((peer.session.local_id(), peer.session.peer_id()), ids);
    assert_eq!(lab.endpoint.rejects().total(), 0);
}
