//! Section 6, "Path changes", rule by rule.

use udp_sec::error::Reject;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;
use udp_sec_recovery::stats::PathState;

use super::lab::{Done, Lab, Peer, address};
use super::{MOMENT, acknowledge, before, frames_of, probe_timeout, second, session};

/// 333 ms, give or take half, and the acknowledgement delay: the probe timeout of a path of which nothing is known.
const UNKNOWN: Duration = Duration::from_millis(333 + 4 * 333 / 2 + 25);

fn to(done: &Done, path: Path) -> Vec<Vec<u8>> {
    done.datagrams.iter().filter(|(to, _)| *to == path).map(|(_, datagram)| datagram.clone()).collect()
}

/// The peer's packet of `len` bytes comes from `from`.
fn come_from(lab: &mut Lab, peer: &mut Peer, from: Path, len: usize) -> Done {
    let datagram = peer.seal(|frames| {
        frames.ping().expect("room");
        frames.pad_to(len - 32);
    });
    lab.deliver(from, &datagram);
    lab.drain()
}

#[test]
fn a_newer_packet_from_a_third_address_takes_the_candidates_place() {
    let (mut lab, mut peer, id) = session();
    let first = come_from(&mut lab, &mut peer, address(2), 400);
    let first = peer.challenge(&to(&first, address(2))[0]).expect("a challenge");
    let second = come_from(&mut lab, &mut peer, address(3), 400);
    let second = peer.challenge(&to(&second, address(3))[0]).expect("a challenge");
    assert_ne!(first, second);
    let answer =
        |peer: &mut Peer, challenge| peer.seal(|frames| frames.path_response(challenge).expect("room"));
    let late = answer(&mut peer, first);
    lab.deliver(address(3), &late);
    assert_eq!(lab.connection(id).path(), address(1), "its challenge is forgotten");
    let right = answer(&mut peer, second);
    lab.deliver(address(3), &right);
    assert_eq!(lab.connection(id).path(), address(3));
}

#[test]
fn nothing_but_challenges_leaves_to_a_candidate() {
    let (mut lab, mut peer, id) = session();
    lab.connection(id).write(&[1; 8_000]).expect("open");
    let mut seen = Vec::new();
    let mut done = come_from(&mut lab, &mut peer, address(2), 1_200);
    for _ in 0..200 {
        for datagram in to(&done, address(2)) {
            seen.extend(frames_of(&mut peer, &[(address(2), datagram)]).concat());
        }
        done = lab.wait(Duration::from_millis(10));
    }
    assert!(seen.iter().any(|frame| frame == "PATH_CHALLENGE"));
    assert!(seen.iter().all(|frame| frame == "PATH_CHALLENGE" || frame == "PADDING"), "{seen:?}");
}

/// After one probe timeout, then after twice as long as the time before; each time with the same bytes, and beside it one
/// of 41 bytes with others on the path in use.
#[test]
fn a_challenge_is_repeated_unchanged_after_one_probe_timeout_and_doubling_intervals() {
    let (mut lab, mut peer, id) = session();
    let timeout = probe_timeout(lab.connection(id).path_state());
    // As small as can be: a candidate with much to spend would be sent three large ones and no more.
    let begun = lab.now;
    let mut all = vec![(begun, come_from(&mut lab, &mut peer, address(2), 33))];
    for _ in 0..20 {
        let from = lab.now;
        // More comes from there, each time older than what was last heard from there: the allowance is never spent.
        all.extend(lab.run_until(from + Duration::from_millis(20)));
        let more = peer.seal(|frames| frames.pad_to(1));
        lab.deliver(address(2), &more);
    }
    all.extend(lab.run_until(begun + Duration::from_secs(10)));
    let (mut there, mut here) = (Vec::new(), Vec::new());
    for (at, done) in &all {
        for (path, datagram) in &done.datagrams {
            let Some(challenge) = peer.challenge(datagram) else { continue };
            if *path == address(2) {
                there.push((*at, challenge));
            } else {
                assert_eq!(datagram.len(), 41);
                here.push((*at, challenge));
            }
        }
    }
    let mut expected = vec![begun];
    let (mut at, mut interval) = (begun, timeout);
    while at + interval < begun + UNKNOWN * 3 {
        at += interval;
        interval = interval * 2;
        expected.push(at);
    }
    assert_eq!(here.iter().map(|(at, _)| *at).collect::<Vec<_>>(), expected);
    assert!(there.len() >= 5, "{there:?}");
    assert!(
        there.iter().all(|(at, challenge)| *challenge == there[0].1 && expected.contains(at)),
        "{there:?}"
    );
    let mut others: Vec<_> = here.iter().map(|(_, challenge)| *challenge).collect();
    others.push(there[0].1);
    others.sort_unstable();
    others.dedup();
    assert_eq!(others.len(), here.len() + 1, "other bytes each time");
}

/// A round trip that was drawn out says nothing of the new path, and data may wait for the answer: the first repeat comes
/// no later than on a path of which nothing is known. The time until the candidate is given up stays the longer one.
#[test]
fn a_drawn_out_round_trip_delays_no_repeat() {
    let (mut lab, mut peer, id) = session();
    for _ in 0..4 {
        lab.connection(id).write(&[1; 1_000]).expect("open");
        let sent = lab.drain().datagrams;
        lab.wait(Duration::from_secs(2));
        acknowledge(&mut lab, &mut peer, &sent);
    }
    let timeout = probe_timeout(lab.connection(id).path_state());
    assert!(timeout > UNKNOWN, "{timeout:?}");
    let begun = lab.now;
    let mut all = vec![(begun, come_from(&mut lab, &mut peer, address(2), 1_200))];
    // What comes from there, older each time, leaves room for every repeat.
    for _ in 0..10 {
        let more = peer.seal(|frames| frames.pad_to(1_100));
        lab.deliver(address(2), &more);
    }
    all.extend(lab.run_until(begun + timeout * 3 + Duration::from_secs(1)));
    let to_candidate = all.iter().filter(|(_, done)| !to(done, address(2)).is_empty());
    let at: Vec<_> = to_candidate.map(|(at, _)| at.saturating_since(begun)).collect();
    let mut expected = vec![Duration::ZERO];
    let mut interval = UNKNOWN;
    while expected[expected.len() - 1] + interval < timeout * 3 {
        expected.push(expected[expected.len() - 1] + interval);
        interval = interval * 2;
    }
    assert!(expected.len() > 2, "{expected:?}");
    assert_eq!(at, expected);
    assert_eq!(lab.endpoint.rejects().get(Reject::PathUnvalidated), 1, "and then it is given up");
}

#[test]
fn a_challenge_is_padded_to_1200_bytes_or_to_what_three_times_the_bytes_received_allow() {
    for (came, went) in [(33, 99), (100, 300), (399, 1_197), (400, 1_200), (1_200, 1_200)] {
        let (mut lab, mut peer, _) = session();
        let done = come_from(&mut lab, &mut peer, address(2), came);
        let sizes: Vec<_> = to(&done, address(2)).iter().map(Vec::len).collect();
        assert_eq!(sizes, [went], "{came} bytes came");
    }
    // What is left after three of full size is 0, and after one of 401 bytes is 3: below 41 bytes it does not leave.
    for (came, most) in [(1_200, 3_600), (401, 1_200), (413, 1_200), (414, 1_242)] {
        let (mut lab, mut peer, _) = session();
        let mut sent = come_from(&mut lab, &mut peer, address(2), came).bytes_to(address(2));
        for (_, done) in lab.run_until(second(3)) {
            sent += done.bytes_to(address(2));
        }
        assert_eq!(sent, most, "{came} bytes came");
    }
}

#[test]
fn a_candidate_is_given_up_after_three_times_the_probe_timeout_of_an_unknown_path() {
    let (mut lab, mut peer, id) = session();
    let end: Instant = lab.now + UNKNOWN * 3;
    come_from(&mut lab, &mut peer, address(2), 400);
    lab.run_until(before(end));
    assert_eq!(lab.endpoint.rejects().get(Reject::PathUnvalidated), 0);
    lab.wait(MOMENT);
    assert_eq!(lab.endpoint.rejects().get(Reject::PathUnvalidated), 1);
    assert_eq!((lab.connection(id).path(), lab.connection(id).closure()), (address(1), None));
    let later = lab.run_until(second(20));
    assert_eq!(later.iter().map(|(_, done)| done.bytes_to(address(2))).sum::<usize>(), 0);
}

/// The answer is overtaken, and comes from neither of the two.
#[test]
fn the_answer_to_the_candidates_challenge_counts_from_whatever_address_it_comes() {
    let (mut lab, mut peer, id) = session();
    let done = come_from(&mut lab, &mut peer, address(2), 400);
    let asked = peer.challenge(&to(&done, address(2))[0]).expect("a challenge");
    let answer = peer.seal(|frames| frames.path_response(asked).expect("room"));
    come_from(&mut lab, &mut peer, address(2), 40);
    lab.deliver(address(5), &answer);
    assert_eq!(lab.connection(id).path(), address(2));
}

/// What a sender that has had a round trip of 80 ms and a loss knows of its path, before and after a move to `to_path`.
fn move_to(to_path: Path) -> (PathState, PathState) {
    let (mut lab, mut peer, id) = session();
    let mut received = ReceivedNumbers::new();
    for round in 0..4 {
        lab.connection(id).write(&[1; 4_000]).expect("open");
        let sent = lab.drain().datagrams;
        lab.wait(Duration::from_millis(80));
        for (nth, (_, datagram)) in sent.iter().enumerate() {
            // One loss, so that the window is another than at the start.
            if round > 0 || nth > 0 {
                received.insert(peer.open(datagram).0);
            }
        }
        let done = peer.send(&mut lab, |frames| {
            frames.ack(&received, Duration::ZERO).expect("room");
        });
        for (_, datagram) in done.datagrams {
            received.insert(peer.open(&datagram).0);
        }
    }
    let before = lab.connection(id).path_state();
    assert!(before.window < 12_000 && before.smoothed_rtt > Duration::ZERO, "{before:?}");
    let done = come_from(&mut lab, &mut peer, to_path, 400);
    let asked = peer.challenge(&to(&done, to_path)[0]).expect("a challenge");
    peer.path = to_path;
    peer.send(&mut lab, |frames| frames.path_response(asked).expect("room"));
    let after = lab.connection(id).path_state();
    assert_eq!(lab.connection(id).path(), to_path);
    (before, after)
}

#[test]
fn after_a_change_of_address_estimates_start_anew_and_after_one_of_port_they_stay() {
    let (_, after) = move_to(address(2));
    assert_eq!((after.smoothed_rtt, after.window), (Duration::from_millis(333), 12_000));
    let (before, after) = move_to(Path::to(([192, 0, 2, 1], 9).into()));
    assert_eq!((after.smoothed_rtt, after.window), (before.smoothed_rtt, before.window));
}

#[test]
fn challenges_and_their_answers_are_not_in_flight() {
    let (mut lab, mut peer, id) = session();
    let done = come_from(&mut lab, &mut peer, address(2), 400);
    assert!(done.bytes() > 1_200, "two challenges");
    let done = peer.send(&mut lab, |frames| frames.path_challenge([3; 8]).expect("room"));
    assert!(frames_of(&mut peer, &done.datagrams).concat().contains(&"PATH_RESPONSE".to_owned()));
    assert_eq!(lab.connection(id).path_state().in_flight, 0);
    assert_eq!(lab.connection(id).stats().probes_sent, 0);
}
