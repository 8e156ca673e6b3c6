//! Section 6, "The end": what follows each, and what the application hears.

use udp_sec::error::{CloseCode, Reject};
use udp_sec::time::Duration;
use udp_sec_recovery::connection::ReadError;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::{Closure, Event};

use super::lab::{HANDSHAKES, Lab, Peer, address, initiation, keys};
use super::{MOMENT, acknowledge, frames_of, probe_timeout, second, session};

/// What the peer gets, and what the application hears, at once.
#[track_caller]
fn assert_closes(lab: &mut Lab, peer: &mut Peer, id: SessionId, code: u16, why: Closure) {
    let done = lab.drain();
    let last = frames_of(peer, &done.datagrams).pop().and_then(|frames| frames.last().cloned());
    assert_eq!(last, Some(format!("CLOSE {code}")));
    assert!(done.events.contains(&(id, Event::Closed(why))), "{:?}", done.events);
}

#[test]
fn a_side_that_is_complete_closes_with_no_error() {
    let (mut lab, mut peer, id) = session();
    lab.connection(id).write(&[1; 10]).expect("open");
    lab.connection(id).finish();
    let sent = lab.drain().datagrams;
    let fin = peer.seal(|frames| frames.stream(0, true, 5).expect("room").fill(2));
    lab.deliver(address(1), &fin);
    lab.wait(Duration::from_millis(30));
    assert_eq!(lab.connection(id).closure(), None, "its FIN is not acknowledged");
    let mut received = udp_sec_recovery::recv::ranges::ReceivedNumbers::new();
    for (_, datagram) in sent {
        received.insert(peer.open(&datagram).0);
    }
    let ack = peer.seal(|frames| {
        frames.ack(&received, Duration::ZERO).expect("room");
    });
    lab.deliver(address(1), &ack);
    assert_closes(&mut lab, &mut peer, id, 0, Closure::Complete);
}

#[test]
fn an_abort_or_a_release_closes_with_its_code() {
    let (mut lab, mut peer, id) = session();
    lab.connection(id).abort(second(0), CloseCode::Other(999));
    assert_closes(&mut lab, &mut peer, id, 999, Closure::ByUs(CloseCode::Other(999)));
    let (mut lab, mut peer, id) = session();
    lab.endpoint.release(lab.now, id);
    assert_closes(&mut lab, &mut peer, id, 1, Closure::ByUs(CloseCode::AppAbort));
}

/// The peer says so because it has received all: what was under way counts as acknowledged.
#[test]
fn the_peers_no_error_acknowledges_all_we_sent_if_both_directions_have_ended() {
    let (mut lab, mut peer, id) = session();
    lab.connection(id).write(&[1; 10]).expect("open");
    lab.connection(id).finish();
    lab.drain();
    let done = peer.send(&mut lab, |frames| {
        frames.stream(0, true, 5).expect("room").fill(2);
        frames.close(CloseCode::NoError, "").expect("room");
    });
    assert!(done.datagrams.is_empty(), "nothing follows");
    assert!(done.events.contains(&(id, Event::Closed(Closure::Complete))));
    assert!(lab.connection(id).is_delivered());
}

#[test]
fn a_no_error_that_comes_too_early_is_no_clean_end() {
    // We have not finished; bytes of the peer's are missing; its end is.
    let early: [(bool, u64, bool); 3] = [(false, 0, true), (true, 1, true), (true, 0, false)];
    for (finished, offset, fin) in early {
        let (mut lab, mut peer, id) = session();
        if finished {
            lab.connection(id).finish();
            lab.drain();
        }
        let done = peer.send(&mut lab, |frames| {
            frames.stream(offset, fin, 5).expect("room").fill(2);
            frames.close(CloseCode::NoError, "").expect("room");
        });
        let why = Closure::ByPeer(CloseCode::NoError);
        assert!(
            done.events.contains(&(id, Event::Closed(why))),
            "{finished} {offset} {fin}: {:?}",
            done.events
        );
        assert!(!why.is_clean() && done.datagrams.is_empty());
    }
}

#[test]
fn closing_lasts_three_probe_timeouts_with_and_without_memory() {
    for released in [false, true] {
        for (late, answered) in [(MOMENT, false), (Duration::ZERO, true)] {
            let (mut lab, mut peer, id) = session();
            let three = probe_timeout(lab.connection(id).path_state()) * 3;
            lab.connection(id).abort(second(0), CloseCode::AppAbort);
            if released {
                lab.endpoint.release(lab.now, id);
            }
            assert_eq!(lab.drain().datagrams.len(), 1);
            assert_eq!(lab.endpoint.farewells(), usize::from(released));
            let end = lab.now + three.saturating_sub(MOMENT) + late;
            lab.run_until(end);
            lab.wait(Duration::ZERO);
            let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
            assert_eq!(!done.datagrams.is_empty(), answered, "released {released}, {late:?} late");
        }
    }
}

#[test]
fn all_frames_but_close_are_ignored_while_closing_and_the_peers_close_ends_it() {
    for released in [false, true] {
        let (mut lab, mut peer, id) = session();
        lab.connection(id).abort(second(0), CloseCode::AppAbort);
        if released {
            lab.endpoint.release(lab.now, id);
        }
        lab.drain();
        let done = peer.send(&mut lab, |frames| {
            frames.stream(0, true, 5).expect("room").fill(2);
            frames.path_challenge([1; 8]).expect("room");
        });
        assert_eq!(frames_of(&mut peer, &done.datagrams), [["CLOSE 1"]]);
        assert!(done.events.is_empty());
        let done = peer.send(&mut lab, |frames| frames.close(CloseCode::AppAbort, "").expect("room"));
        assert!(done.datagrams.is_empty() && done.events.is_empty());
        for _ in 0..8 {
            let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
            assert!(done.datagrams.is_empty(), "it has ended");
        }
        assert_eq!(lab.endpoint.farewells(), 0);
    }
}

/// Nine sessions close one after the other, and there is room for eight that are closing.
#[test]
fn a_released_closing_session_keeps_its_memory_no_longer_and_the_oldest_gives_way() {
    let all: Vec<_> = (10..18).map(keys).collect();
    let mut lab = Lab::new(&all.iter().map(|keys| keys.public()).collect::<Vec<_>>());
    let mut peers = Vec::new();
    for nth in 0..=HANDSHAKES {
        let (peer, id) = Peer::connect(&mut lab, &all[nth % 8], address(nth as u8), nth as u64);
        peers.push(peer);
        lab.endpoint.release(lab.now, id);
        assert_eq!(lab.drain().datagrams.len(), 1, "CLOSE");
        assert_eq!(lab.endpoint.sessions(), 0, "its memory is free");
        assert_eq!(lab.endpoint.farewells(), (nth + 1).min(HANDSHAKES));
    }
    let forgotten = peers[0].send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(forgotten.datagrams.is_empty());
    assert_eq!(lab.endpoint.rejects().get(Reject::UnknownSession), 1);
    for peer in &mut peers[1..] {
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        assert_eq!(frames_of(peer, &done.datagrams), [["CLOSE 1"]]);
    }
}

/// One way for a session to end.
type End = fn(&mut Lab, &mut Peer, SessionId);

/// Every way to end, after five bytes have come, and what the application hears.
const ENDS: [(End, Closure); 7] = [
    (
        |lab, _, id| lab.connection(id).abort(second(0), CloseCode::AppAbort),
        Closure::ByUs(CloseCode::AppAbort),
    ),
    (
        |lab, peer, _| {
            let close = peer.seal(|frames| frames.close(CloseCode::AppAbort, "").expect("room"));
            lab.deliver(address(1), &close);
        },
        Closure::ByPeer(CloseCode::AppAbort),
    ),
    (
        |lab, peer, _| {
            let close = peer.seal(|frames| frames.close(CloseCode::NoError, "").expect("room"));
            lab.deliver(address(1), &close);
        },
        Closure::ByPeer(CloseCode::NoError),
    ),
    (
        |lab, peer, _| {
            let bad = peer.seal_bytes(&[0xff]);
            lab.deliver(address(1), &bad);
        },
        Closure::ByUs(CloseCode::MalformedFrame),
    ),
    (
        |lab, peer, _| {
            peer.session.on_acknowledged(u64::MAX);
            let over = peer.seal(|frames| frames.stream(9_000, false, 5).expect("room").fill(1));
            lab.deliver(address(1), &over);
        },
        Closure::ByUs(CloseCode::FlowControlViolation),
    ),
    (
        |lab, _, _| {
            lab.now = second(30);
            lab.endpoint.handle_timeout(lab.now);
        },
        Closure::TimedOut,
    ),
    (
        |lab, _, _| {
            let call = initiation(&keys(10), lab.keys.public(), 5);
            lab.deliver(address(1), call.datagram());
            let (_, response) = lab.drain().datagrams.remove(0);
            let mut newer = Peer::established(call, address(1), &response);
            let ping = newer.seal(|frames| frames.ping().expect("room"));
            lab.deliver(address(1), &ping);
        },
        Closure::Superseded,
    ),
];

#[test]
fn the_application_hears_of_the_end_exactly_once() {
    for (end, why) in ENDS {
        let (mut lab, mut peer, id) = session();
        peer.send(&mut lab, |frames| frames.stream(0, false, 5).expect("room").fill(7));
        end(&mut lab, &mut peer, id);
        let mut events = lab.drain().events;
        // Whatever else happens to it.
        for nth in 0..50 {
            let done = peer.send(&mut lab, |frames| match nth % 3 {
                0 => frames.close(CloseCode::AppAbort, "").expect("room"),
                1 => frames.ping().expect("room"),
                _ => frames.stream(5, true, 0).map(|_| ()).expect("room"),
            });
            events.extend(done.events);
            lab.connection(id).abort(second(0), CloseCode::AppAbort);
            events.extend(lab.wait(Duration::from_secs(1)).events);
        }
        let ends: Vec<_> =
            events.into_iter().filter(|(of, it)| *of == id && *it != Event::Readable).collect();
        assert_eq!(ends, [(id, Event::Closed(why))]);
        assert_eq!(lab.connection(id).closure(), Some(why), "and it does not change");
    }
}

#[test]
fn bytes_received_in_order_stay_readable_after_any_end() {
    for (end, why) in ENDS {
        let (mut lab, mut peer, id) = session();
        peer.send(&mut lab, |frames| frames.stream(0, false, 5).expect("room").fill(7));
        // Not in order: it will never be.
        peer.send(&mut lab, |frames| frames.stream(6, false, 5).expect("room").fill(8));
        end(&mut lab, &mut peer, id);
        lab.drain();
        lab.wait(Duration::from_secs(5));
        let mut bytes = [0; 20];
        assert_eq!(lab.connection(id).read(&mut bytes), Ok(5), "{why}");
        assert_eq!(bytes[..5], [7; 5]);
        assert_eq!(lab.connection(id).read(&mut bytes), Err(ReadError::Closed(why)));
        lab.endpoint.release(lab.now, id);
        lab.drain();
        assert!(lab.endpoint.session(id).is_none(), "until it is released");
    }
}

#[test]
fn the_end_of_one_direction_leaves_the_other_open() {
    let (mut lab, mut peer, id) = session();
    let done = peer.send(&mut lab, |frames| frames.stream(0, true, 5).expect("room").fill(7));
    acknowledge(&mut lab, &mut peer, &done.datagrams);
    let mut bytes = [0; 20];
    assert_eq!(lab.connection(id).read(&mut bytes), Ok(5));
    assert_eq!(lab.connection(id).read(&mut bytes), Err(ReadError::Finished));
    assert_eq!(lab.connection(id).closure(), None);
    assert_eq!(lab.connection(id).write(&[1; 10]), Ok(10));
    assert_eq!(frames_of(&mut peer, &lab.drain().datagrams), [["STREAM"]]);
}
