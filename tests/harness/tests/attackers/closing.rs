//! A peer with keys that closes in odd ways, or goes on after the end.

use udp_sec::error::CloseCode;
use udp_sec_recovery::connection::{ReadError, WriteError};
use udp_sec_recovery::event::{Closure, Event};

use super::{flood, heap, session};

/// CLOSE says that it is over; what follows is opened and dropped, and there is no word back.
#[test]
fn after_the_peers_close_nothing_leaves() {
    for code in [0_u16, 1, 4, 9, 12, 0x7fff, u16::MAX] {
        let (mut lab, mut peer, id) = session(7);
        lab.connection(id).write(&[7; 8_192]).expect("open");
        let told = CloseCode::from_wire(code);
        let done = peer.send(&mut lab, |frames| {
            frames.stream(0, true, 5).expect("room").fill(1);
            frames.close(told, "a reason").expect("room");
            frames.stream(5, false, 5).expect("room").fill(2);
        });
        assert!(done.datagrams.is_empty(), "{code}: {done:?}");
        // Also code 0: we had more to send.
        let why = Closure::ByPeer(told);
        assert_eq!(done.events.last(), Some(&(id, Event::Closed(why))), "{code}");
        assert_eq!(lab.connection(id).write(&[1]), Err(WriteError::Closed(why)));
        let settled = heap::live();
        for nth in 0..flood() / 20 {
            let done = peer.send(&mut lab, |frames| match nth % 3 {
                0 => frames.close(told, "again").expect("room"),
                1 => frames.path_challenge([1; 8]).expect("room"),
                _ => frames.ping().expect("room"),
            });
            assert!(done.datagrams.is_empty() && done.events.is_empty(), "{code}: {done:?}");
        }
        assert_eq!(heap::live(), settled);
        let mut bytes = [0; 20];
        assert_eq!(lab.connection(id).read(&mut bytes), Ok(5), "{code}: what came before CLOSE stays");
        assert_eq!(lab.connection(id).read(&mut bytes), Err(ReadError::Finished));
    }
}

/// A peer that will not hear our CLOSE is told ever more rarely: 14 times in 10 000 packets.
#[test]
fn a_closing_session_answers_ever_more_rarely() {
    let (mut lab, mut peer, id) = session(8);
    lab.connection(id);
    lab.endpoint.release(lab.now, id);
    let mut answers = lab.drain().datagrams.len();
    assert_eq!(lab.endpoint.sessions(), 0, "its memory is free");
    for _ in 0..flood() {
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        answers += done.datagrams.len();
        for (_, datagram) in done.datagrams {
            assert_eq!(peer.close_code(&datagram), Some(CloseCode::AppAbort));
        }
    }
    let most = 2 + flood().ilog2() as usize;
    assert!((2..=most).contains(&answers), "{answers}");
}
