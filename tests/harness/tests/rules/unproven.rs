//! Section 6, "Path": what goes where the peer has not shown to receive.

use udp_sec::error::CloseCode;
use udp_sec::time::Duration;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::SessionId;

use super::lab::{Done, Lab, Peer, address, keys};
use super::{acknowledge, frames_of, session};

/// A session whose Response went to address 1 and which was confirmed from address 2 by a packet of `len` bytes.
fn unproven(len: usize) -> (Lab, Peer, SessionId, Done) {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    peer.path = address(2);
    let done = peer.send(&mut lab, |frames| {
        frames.ping().expect("room");
        frames.pad_to(len - 32);
    });
    let id = lab.last_session();
    (lab, peer, id, done)
}

fn challenge(peer: &mut Peer, done: &Done) -> Option<[u8; 8]> {
    done.datagrams.iter().find_map(|(_, datagram)| peer.challenge(datagram))
}

#[test]
fn a_response_that_went_nowhere_else_proves_the_responders_path() {
    let peer_keys = keys(10);
    for repeat_from in [address(1), address(2)] {
        let mut lab = Lab::new(&[peer_keys.public()]);
        let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
        lab.deliver(repeat_from, super::initiation(&peer_keys, lab.keys.public(), 0).datagram());
        assert_eq!(lab.drain().datagrams.len(), 1);
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        let is_proven = repeat_from == address(1);
        assert_eq!(challenge(&mut peer, &done).is_none(), is_proven, "repeated from {repeat_from:?}");
        let id = lab.last_session();
        lab.connection(id).write(&[1; 8_000]).expect("open");
        assert_eq!(lab.drain().bytes() > 3 * 33, is_proven);
    }
}

/// The answer overtakes a packet of the path in use, and comes from elsewhere.
#[test]
fn an_unproven_path_is_proven_by_the_answer_to_its_challenge_from_whatever_address() {
    let (mut lab, mut peer, id, done) = unproven(100);
    let asked = challenge(&mut peer, &done).expect("a challenge");
    let wrong = peer.seal(|frames| frames.path_response([5; 8]).expect("room"));
    let answer = peer.seal(|frames| frames.path_response(asked).expect("room"));
    peer.send(&mut lab, |frames| frames.ping().expect("room"));
    lab.connection(id).write(&[1; 8_000]).expect("open");
    lab.deliver(address(7), &wrong);
    assert!(lab.drain().bytes() < 1_200, "bytes that answer nothing prove nothing");
    lab.deliver(address(7), &answer);
    let done = lab.drain();
    assert!(done.bytes_to(address(2)) > 8_000, "{}", done.bytes());
}

/// The peer has had everything and waits for data; its answer to the challenge, which nobody sends twice, was lost.
#[test]
fn a_lost_answer_is_asked_for_again_though_nothing_is_in_flight() {
    let (mut lab, mut peer, id, done) = unproven(200);
    let frames = acknowledge(&mut lab, &mut peer, &done.datagrams).concat();
    assert!(frames.contains(&"PATH_CHALLENGE".to_owned()));
    assert_eq!(lab.connection(id).path_state().in_flight, 0);
    lab.connection(id).write(&[1; 64]).expect("open");
    let later = lab.run_until(super::second(2));
    let asked = later.iter().find_map(|(_, done)| challenge(&mut peer, done));
    let asked = asked.expect("else the data would wait until the idle timeout");
    let done = peer.send(&mut lab, |frames| frames.path_response(asked).expect("room"));
    assert!(frames_of(&mut peer, &done.datagrams).concat().contains(&"STREAM".to_owned()));
}

#[test]
fn less_than_51_bytes_do_not_leave_to_an_unproven_path() {
    let (mut lab, mut peer, id, done) = unproven(33);
    // 33 bytes allow 99, of which a challenge with an ACK takes 51: 48 are left.
    assert_eq!(done.bytes(), 51);
    assert_eq!(frames_of(&mut peer, &done.datagrams), [["PATH_CHALLENGE", "ACK"]]);
    let later = lab.run_until(super::second(5));
    assert_eq!(later.iter().map(|(_, done)| done.bytes()).sum::<usize>(), 0);
    assert!(lab.connection(id).path_state().pto_count > 2, "there were probes to send");
    let done = peer.send(&mut lab, |frames| frames.pad_to(1));
    assert!(done.bytes() >= 41, "one more byte suffices");
}

#[test]
fn the_last_1200_bytes_for_an_unproven_path_are_for_probes_without_stream_data() {
    let (mut lab, mut peer, id, done) = unproven(800);
    lab.connection(id).write(&[1; 8_000]).expect("open");
    let mut sent = done.bytes();
    let mut after_reserve = Vec::new();
    for (_, done) in lab.run_until(super::second(25)) {
        for (to, datagram) in done.datagrams {
            assert_eq!(to, address(2));
            let frames = frames_of(&mut peer, &[(to, datagram.clone())]).concat();
            if sent + 1_200 > 2_400 - 1_200 {
                after_reserve.push(frames);
            } else {
                assert!(frames.contains(&"STREAM".to_owned()));
            }
            sent += datagram.len();
        }
    }
    assert!(sent <= 2_400);
    assert!(after_reserve.len() > 3, "{after_reserve:?}");
    assert!(after_reserve.concat().iter().all(|frame| frame != "STREAM"), "{after_reserve:?}");
}

#[test]
fn every_packet_in_flight_to_an_unproven_path_begins_with_the_challenge_and_an_ack_takes_it_along() {
    let (mut lab, mut peer, id, done) = unproven(1_100);
    let mut all = frames_of(&mut peer, &done.datagrams);
    assert_eq!(all, [["PATH_CHALLENGE", "ACK"]], "an ACK takes it along");
    lab.connection(id).write(&[1; 8_000]).expect("open");
    for (_, done) in lab.run_until(super::second(5)) {
        all.extend(frames_of(&mut peer, &done.datagrams));
    }
    assert!(all.len() > 4);
    assert!(all.iter().all(|frames| frames[0] == "PATH_CHALLENGE"), "{all:?}");
}

#[test]
fn a_close_to_an_unproven_path_takes_no_ack_along() {
    let (mut lab, mut peer, id, _) = unproven(400);
    for _ in 0..3 {
        let ping = peer.seal(|frames| frames.ping().expect("room"));
        lab.deliver(address(2), &ping);
    }
    lab.connection(id).abort(super::second(0), CloseCode::AppAbort);
    assert_eq!(frames_of(&mut peer, &lab.drain().datagrams), [["CLOSE 1"]]);
}

/// On a proven path it does, the first time: else the peer would not learn what has arrived.
#[test]
fn an_ack_that_waits_goes_before_the_first_close() {
    let (mut lab, mut peer, id) = session();
    let ping = peer.seal(|frames| frames.ping().expect("room"));
    lab.deliver(address(1), &ping);
    lab.connection(id).abort(super::second(0), CloseCode::AppAbort);
    assert_eq!(frames_of(&mut peer, &lab.drain().datagrams), [["ACK", "CLOSE 1"]]);
    let again = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert_eq!(frames_of(&mut peer, &again.datagrams), [["CLOSE 1"]]);
}

#[test]
fn packets_leave_from_the_local_address_that_the_newest_packet_reached() {
    let (mut lab, mut peer, id) = session();
    let via = |host: u8| Path { local: Some([10, 0, 0, host].into()), ..address(1) };
    let older = peer.seal(|frames| frames.ping().expect("room"));
    for host in [1, 2] {
        peer.path = via(host);
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        assert!(done.datagrams.iter().all(|(path, _)| *path == via(host)), "{done:?}");
        assert_eq!(lab.connection(id).path(), via(host));
    }
    lab.deliver(via(3), &older);
    assert_eq!(lab.connection(id).path(), via(2), "an older packet tells nothing");
    assert_eq!(lab.connection(id).stats().path_changes, 0);
    lab.wait(Duration::from_secs(1));
}
