//! New addresses: who answers there is followed, who does not gets three times what he sent, and no more.

use udp_sec::error::Reject;
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::frame::{Frame, Frames};
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::lab::{Done, Lab, Peer, address, keys};

/// Longer than three probe timeouts of a session whose round trip is as short as the lab's.
const A_WHILE: Duration = Duration::from_secs(5);

fn session() -> (Lab, Peer, SessionId) {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    (lab, peer, id)
}

#[test]
fn an_answered_challenge_moves_the_path() {
    let (mut lab, mut peer, id) = session();
    peer.path = address(2);
    let done = peer.send(&mut lab, |frames| frames.stream(0, false, 900).expect("room").fill(7));
    assert_eq!(lab.connection(id).path(), address(1), "not before it is proven");
    let (to, datagram) = done.datagrams.iter().find(|(to, _)| *to == address(2)).expect("a challenge there");
    assert_eq!((*to, datagram.len()), (address(2), 1200), "of full size, for the allowance is larger");
    let asked = peer.challenge(datagram).expect("a challenge");
    let elsewhere = done.datagrams.iter().filter(|(to, _)| *to == address(1)).count();
    assert!(elsewhere >= 1, "and one to the path in use");
    // An answer that is none changes nothing.
    peer.send(&mut lab, |frames| frames.path_response([0x55; 8]).expect("room"));
    assert_eq!(lab.connection(id).path(), address(1));
    peer.send(&mut lab, |frames| frames.path_response(asked).expect("room"));
    assert_eq!(lab.connection(id).path(), address(2));
    assert_eq!(lab.connection(id).stats().path_changes, 1);
    assert_eq!(lab.endpoint.rejects().total(), 0);
}

/// Packets of the true peer that an attacker has diverted, to come from the address of a victim.
#[test]
fn test_reject_path_unvalidated() {
    let (mut lab, mut peer, id) = session();
    // There is much to send, and nothing of it may go to the victim.
    let written = lab.connection(id).write(&[9; 8192]).expect("open");
    assert!(written > 5000);
    let victim = address(9);
    let (mut came, mut went) = (0, 0);
    for _ in 0..3 {
        let diverted = peer.seal(|frames| frames.ping().expect("room"));
        came += diverted.len();
        lab.deliver(victim, &diverted);
        went += lab.drain().bytes_to(victim);
        assert!(went <= 3 * came, "{went} for {came}");
    }
    let mut later = Done::default();
    for _ in 0..50 {
        later.datagrams.extend(lab.wait(A_WHILE / 50).datagrams);
    }
    went += later.bytes_to(victim);
    assert!(went <= 3 * came, "{went} for {came}");
    assert_eq!(lab.endpoint.rejects().get(Reject::PathUnvalidated), 1);
    assert_eq!(lab.connection(id).path(), address(1));
    assert!(later.bytes_to(address(1)) > 2 * 1200, "the session goes on where it was");
}

/// From a network next door to one at the other end of the world: the answer takes many times the probe timeout of the
/// path before, and counts all the same.
#[test]
fn an_answer_from_a_much_longer_path_moves_the_session() {
    for round_trip in [Duration::from_millis(50), Duration::from_secs(1), Duration::from_secs(3)] {
        let (mut lab, mut peer, id) = session();
        peer.path = address(2);
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        let to_candidate = done.datagrams.iter().find(|(to, _)| *to == address(2)).expect("a challenge");
        let asked = peer.challenge(&to_candidate.1).expect("a challenge");
        for _ in 0..100 {
            lab.wait(round_trip / 100);
        }
        peer.send(&mut lab, |frames| frames.path_response(asked).expect("room"));
        assert_eq!(lab.connection(id).path(), address(2), "after {round_trip:?}");
    }
}

/// Diverted packets with a challenge of the peer's in each: the answers come out of the same allowance as our challenges.
#[test]
fn answers_and_challenges_share_the_allowance_of_a_new_address() {
    let (mut lab, mut peer, _) = session();
    let victim = address(9);
    let (mut came, mut went) = (0, 0);
    for nth in 0..3_u64 {
        let diverted = peer.seal(|frames| {
            frames.path_challenge(nth.to_le_bytes()).expect("room");
            frames.pad_to(100);
        });
        came += diverted.len();
        lab.deliver(victim, &diverted);
        for _ in 0..4 {
            went += lab.wait(A_WHILE / 8).bytes_to(victim);
            assert!(went <= 3 * came, "{went} for {came}");
        }
    }
    assert!(went > 2 * came, "there are answers, and challenges");
}

#[test]
fn a_newer_packet_from_the_path_in_use_ends_the_candidate() {
    let (mut lab, mut peer, id) = session();
    let diverted = peer.seal(|frames| frames.stream(0, false, 900).expect("room").fill(7));
    lab.deliver(address(9), &diverted);
    let done = lab.drain();
    let asked = done.datagrams.iter().find(|(to, _)| *to == address(9)).expect("a challenge");
    let asked = peer.challenge(&asked.1).expect("a challenge");
    peer.send(&mut lab, |frames| frames.ping().expect("room"));
    let later = lab.wait(A_WHILE);
    assert_eq!(later.bytes_to(address(9)), 0, "it is not asked again");
    assert_eq!(lab.endpoint.rejects().get(Reject::PathUnvalidated), 0, "nor given up");
    // The answer comes too late, though from there: the peer was heard where it was.
    let answer = peer.seal(|frames| frames.path_response(asked).expect("room"));
    lab.deliver(address(9), &answer);
    assert_eq!(lab.connection(id).path(), address(1));
}

#[test]
fn an_older_packet_from_another_address_makes_no_candidate() {
    let (mut lab, mut peer, id) = session();
    let older = peer.seal(|frames| frames.ping().expect("room"));
    peer.send(&mut lab, |frames| frames.ping().expect("room"));
    lab.deliver(address(9), &older);
    let done = lab.drain();
    assert_eq!(done.bytes_to(address(9)), 0);
    assert_eq!(lab.connection(id).path(), address(1));
}

/// A thousand challenges get one answer for each time that something may leave, as long as what asked, where it asked from.
#[test]
fn a_flood_of_challenges_gets_no_more_than_it_brings() {
    let (mut lab, mut peer, _) = session();
    let mut received = ReceivedNumbers::new();
    let mut flood: Vec<_> = (0..1000_u64)
        .map(|nth| peer.seal(|frames| frames.path_challenge(nth.to_le_bytes()).expect("room")))
        .collect();
    let last = flood.pop().expect("a thousand");
    for datagram in &flood {
        lab.deliver(address(1), datagram);
    }
    lab.deliver(address(5), &last);
    let done = lab.drain();
    let answers: Vec<_> = done
        .datagrams
        .iter()
        .filter_map(|(to, datagram)| {
            let (number, frames) = peer.open(datagram);
            received.insert(number);
            let answer = Frames::new(&frames).find_map(|frame| match frame.expect("legal") {
                Frame::PathResponse(answer) => Some(answer),
                _ => None,
            })?;
            Some((*to, datagram.len(), answer))
        })
        .collect();
    assert_eq!(answers, [(address(5), last.len(), 999_u64.to_le_bytes())]);
}
