//! What each step of the responder costs, counted in X25519: a stranger gets none.

use super::{Pair, flipped};
use crate::crypto::dh::tests::counted;
use crate::error::Reject;
use crate::handshake::{Accepted, Cookies};
use crate::tests::{RESPONDER_ID, allow, parameters, rng};
use crate::time::Instant;
use core::net::SocketAddr;

/// A bit of an initiation that `mac1` covers, one of each byte.
#[test]
fn a_wrong_mac1_costs_no_x25519() {
    let pair = Pair::new(60);
    let initiator = pair.initiator();
    for byte in (4..12).chain(12..1168) {
        let forged = flipped(initiator.datagram(), 8 * byte);
        let (count, checked) = counted(|| pair.responder.check_mac1(&forged).map(|_| ()));
        assert_eq!((count, checked), (0, Err(Reject::BadMac1)), "byte {byte}");
    }
}

/// Under load a right `mac1` costs none either, with a cookie or without.
#[test]
fn a_cookie_costs_no_x25519() {
    let pair = Pair::new(61);
    let source: SocketAddr = ([192, 0, 2, 1], 9).into();
    let mut cookies = Cookies::new(pair.responder.public());
    let mut initiator = pair.initiator();
    let (count, reply) = counted(|| {
        let checked = pair.responder.check_mac1(initiator.datagram()).unwrap();
        cookies.reply(Instant::ZERO, source, &checked, &mut rng(1)).unwrap()
    });
    assert_eq!(count, 0);
    initiator.on_cookie(&reply).unwrap();
    let (count, proven) = counted(|| {
        let checked = pair.responder.check_mac1(initiator.datagram()).unwrap();
        cookies.verify(Instant::ZERO, source, &checked)
    });
    assert_eq!((count, proven), (0, true));
}

/// What the others are spared: two for the initiator's identity and three for the answer. Our own public key is known.
#[test]
fn an_answer_costs_five() {
    let pair = Pair::new(62);
    let initiator = pair.initiator();
    let checked = pair.responder.check_mac1(initiator.datagram()).unwrap();
    let (identity, incoming) = counted(|| pair.responder.read(checked, &mut rng(2)).unwrap());
    let authorized = incoming.authorize(&allow(&[*pair.client.public()])).unwrap();
    let (answer, accepted) = counted(|| authorized.accept(RESPONDER_ID, &parameters()).unwrap());
    assert!(matches!(accepted, Accepted::HalfOpen { .. }));
    assert_eq!((identity, answer), (2, 3), "es, ss; ephemeral key, ee, se");
}
