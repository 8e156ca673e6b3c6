//! What the endpoint pays for each datagram that it does not want, beside a whole handshake.

use std::time::Duration;

use harness::attacker::keyed::{Peer, address, fix_mac1, initiation, keys};

use crate::responder::Responder;
use crate::{cpu, figure};

/// Issue: a wrong `mac1` costs at most so many microseconds.
const WRONG_MAC1_MAX: f64 = 6.0;
/// A piece of one byte at a full reassembly table, likewise.
const PIECE_MAX: f64 = 5.0;

/// Prints the figures; whether all are within their bounds.
pub(crate) fn measure() -> bool {
    let mut responder = Responder::new(0);
    let good = initiation(&keys(10), responder.keys.public(), 0).datagram().to_vec();
    let mut cost = |what: &str, change: &dyn Fn(&mut Vec<u8>, u32)| {
        let (mut nth, mut datagram) = (0, good.clone());
        let one = cpu::micros_of_one(21, 1_000, || {
            nth += 1;
            datagram.clone_from(&good);
            change(&mut datagram, nth);
            responder.take(address(9), &mut datagram);
            responder.drain();
        });
        println!("{what:<58} {one:>10.2} us");
        one
    };
    let tiny = cost("datagram of 0 to 15 bytes", &|datagram, nth| datagram.truncate((nth % 16) as usize));
    let stray = cost("Data for no session", &|datagram, _| datagram[1] = 4);
    let wrong = cost("wrong mac1", &|datagram, nth| datagram[20..24].copy_from_slice(&nth.to_le_bytes()));
    let own = *keys(1).public();
    let demanded =
        cost("right mac1 under load, answered by a cookie (mac1 made here, too)", &|datagram, nth| {
            datagram[20..24].copy_from_slice(&nth.to_le_bytes());
            fix_mac1(datagram, &own);
        });
    let handshake = handshake();
    println!("{:<58} {handshake:>10.2} us", "a whole handshake");
    println!(
        "handshakes in wrong mac1s: {:.0}; tiny {:.3}, stray {:.3}",
        handshake / wrong,
        tiny / wrong,
        stray / wrong
    );
    println!("handshakes in demanded cookies: {:.0}", handshake / demanded);
    let piece = piece_at_a_full_table();
    let cheap = figure("wrong mac1", wrong, "us", WRONG_MAC1_MAX, wrong <= WRONG_MAC1_MAX);
    figure("STREAM frame of one byte, 8192 gaps known", piece, "us", PIECE_MAX, piece <= PIECE_MAX) && cheap
}

/// Microseconds of the responder for a handshake, from the initiation to the session.
fn handshake() -> f64 {
    let mut responder = Responder::new(u16::MAX);
    const COUNT: u32 = 500;
    let mut spent = Duration::ZERO;
    for nth in 0..COUNT {
        responder.now += udp_sec::time::Duration::from_millis(100);
        let initiator = initiation(&keys(100 + u64::from(nth % 64)), responder.keys.public(), u64::from(nth));
        let mut datagram = initiator.datagram().to_vec();
        let (answer, (response, _)) = cpu::of(|| {
            responder.take(address(9), &mut datagram);
            responder.drain()
        });
        let mut peer = Peer::established(initiator, address(9), &response.expect("a Response"));
        let mut ping = peer.seal(|frames| frames.ping().expect("room"));
        let (confirm, (_, id)) = cpu::of(|| {
            responder.take(address(9), &mut ping);
            responder.drain()
        });
        let id = id.expect("a session");
        spent += answer + confirm;
        responder.endpoint.release(responder.now, id);
        responder.drain();
    }
    spent.as_secs_f64() * 1e6 / f64::from(COUNT)
}

/// Microseconds for a STREAM frame of one byte when the table of gaps of a host's session is full: at most 90 in a
/// packet, whose opening counts.
fn piece_at_a_full_table() -> f64 {
    const GAPS: u64 = 8_192;
    const PIECES: u64 = 90;
    let mut responder = Responder::new(u16::MAX);
    let initiator = initiation(&keys(10), responder.keys.public(), 0);
    responder.take(address(1), &mut initiator.datagram().to_vec());
    let response = responder.drain().0.expect("a Response");
    let mut peer = Peer::established(initiator, address(1), &response);
    let pieces = |peer: &mut Peer, first: u64| {
        peer.seal(|frames| {
            // Downward: each goes to the beginning of the table, and moves all others.
            for nth in first..first + PIECES {
                frames.stream(2 * (4 * GAPS - nth) + 1, false, 1).expect("room")[0] = 1;
            }
        })
    };
    for packet in 0..GAPS / PIECES + 1 {
        let mut datagram = pieces(&mut peer, packet * PIECES);
        responder.take(address(1), &mut datagram);
        responder.drain();
    }
    let mut nth = GAPS;
    let one = cpu::micros_of_one(21, 50, || {
        nth = GAPS + (nth + PIECES) % GAPS;
        let mut datagram = pieces(&mut peer, nth);
        responder.take(address(1), &mut datagram);
        responder.drain();
    });
    one / PIECES as f64
}
