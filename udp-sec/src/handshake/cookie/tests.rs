//! Cookies come back as `mac2` from where they were sent, and from nowhere else.

use std::net::SocketAddr;
use std::vec::Vec;

use super::Cookies;
use crate::error::Reject;
use crate::handshake::{Initiator, Responder};
use crate::keys::StaticKeypair;
use crate::limits::{COOKIE_LIFE, INITIATION_LEN};
use crate::tests::{parameters, rng};
use crate::time::{Duration, Instant};

fn source(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn responder() -> (StaticKeypair, Responder) {
    let keys = StaticKeypair::from_secret([2; 32]);
    (keys.clone(), Responder::new(keys))
}

fn initiator(seed: u64) -> Initiator {
    let keys = StaticKeypair::from_secret([1; 32]);
    Initiator::new(&keys, responder().0.public(), seed, &parameters(), &mut rng(seed)).expect("entropy")
}

/// Whether `datagram` from `source` passes.
fn passes(cookies: &Cookies, now: Instant, source: SocketAddr, datagram: &[u8; INITIATION_LEN]) -> bool {
    let (_, responder) = responder();
    let checked = responder.check_mac1(datagram).expect("a right mac1");
    cookies.verify(now, source, &checked)
}

/// The reply to `datagram` from `source`.
fn reply(
    cookies: &mut Cookies,
    now: Instant,
    source: SocketAddr,
    datagram: &[u8; INITIATION_LEN],
) -> Vec<u8> {
    let (_, responder) = responder();
    let checked = responder.check_mac1(datagram).expect("a right mac1");
    cookies
        .reply(now, source, &checked, &mut rng(now.saturating_since(Instant::ZERO).as_micros()))
        .expect("entropy")
        .to_vec()
}

#[test]
fn an_answered_cookie_passes_from_its_source_only() {
    let (keys, responder) = responder();
    let mut cookies = Cookies::new(keys.public());
    let mut initiator = initiator(5);
    let plain = *initiator.datagram();
    assert!(!passes(&cookies, Instant::ZERO, source(1), &plain), "there is no secret yet");
    let answer = reply(&mut cookies, Instant::ZERO, source(1), &plain);
    assert_eq!(answer.len(), 68);
    assert!(!passes(&cookies, Instant::ZERO, source(1), &plain), "mac2 is zero");

    initiator.on_cookie(&answer).expect("it is for this initiation");
    let with_mac2 = *initiator.datagram();
    assert_eq!(plain[..INITIATION_LEN - 16], with_mac2[..INITIATION_LEN - 16], "only mac2 differs");
    assert!(passes(&cookies, Instant::ZERO, source(1), &with_mac2));
    assert!(!passes(&cookies, Instant::ZERO, source(2), &with_mac2), "another port");
    let other = SocketAddr::from(([192, 0, 2, 2], 1));
    assert!(!passes(&cookies, Instant::ZERO, other, &with_mac2), "another address");
    let mapped = SocketAddr::from((core::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped(), 1));
    assert!(!passes(&cookies, Instant::ZERO, mapped, &with_mac2), "another family");
    for bit in 0..128 {
        let mut forged = with_mac2;
        forged[INITIATION_LEN - 16 + bit / 8] ^= 1 << (bit % 8);
        assert!(!passes(&cookies, Instant::ZERO, source(1), &forged));
    }
    let (id, again) = (responder.check_mac1(&plain), responder.check_mac1(&with_mac2));
    assert_eq!(id.expect("right").id(), again.expect("right").id(), "it is a repeat of the same initiation");
}

#[test]
fn a_cookie_is_good_for_two_to_four_minutes() {
    let (keys, _) = responder();
    let mut cookies = Cookies::new(keys.public());
    let mut initiator = initiator(5);
    let moment = Duration::from_micros(1);
    let late = Instant::ZERO + COOKIE_LIFE.saturating_sub(moment);
    let _first = reply(&mut cookies, Instant::ZERO, source(1), initiator.datagram());
    let answer = reply(&mut cookies, late, source(1), initiator.datagram());
    initiator.on_cookie(&answer).expect("it is for this initiation");
    // A new secret does not end the one before it.
    let renewed = Instant::ZERO + COOKIE_LIFE;
    let _second = reply(&mut cookies, renewed, source(7), initiator.datagram());
    let end = Instant::ZERO + COOKIE_LIFE * 2;
    let just_before = Instant::ZERO + (COOKIE_LIFE * 2).saturating_sub(moment);
    assert!(passes(&cookies, just_before, source(1), initiator.datagram()));
    assert!(!passes(&cookies, end, source(1), initiator.datagram()));
    // A third one takes its place.
    let mut cookies = Cookies::new(keys.public());
    let answer = reply(&mut cookies, Instant::ZERO, source(1), initiator.datagram());
    initiator.on_cookie(&answer).expect("it is for this initiation");
    for nth in 1..=2 {
        let _next = reply(&mut cookies, Instant::ZERO + COOKIE_LIFE * nth, source(7), initiator.datagram());
    }
    assert!(!passes(&cookies, Instant::ZERO, source(1), initiator.datagram()), "whatever the clock says");
}

#[test]
fn a_reply_that_is_not_for_this_initiation_changes_nothing() {
    let (keys, _) = responder();
    let mut cookies = Cookies::new(keys.public());
    let (mut ours, theirs) = (initiator(5), initiator(6));
    let before = *ours.datagram();
    let good = reply(&mut cookies, Instant::ZERO, source(1), &before);
    let foreign = reply(&mut cookies, Instant::ZERO, source(1), theirs.datagram());
    let mut renamed = foreign.clone();
    renamed[4..12].copy_from_slice(&good[4..12]);
    assert_eq!(ours.on_cookie(&foreign), Err(Reject::UnknownSession));
    assert_eq!(ours.on_cookie(&renamed), Err(Reject::HandshakeFailed));
    for bit in 8 * 12..8 * good.len() {
        let mut forged = good.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(ours.on_cookie(&forged), Err(Reject::HandshakeFailed));
        assert_eq!(*ours.datagram(), before);
    }
    assert_eq!(ours.on_cookie(&good[..67]), Err(Reject::MalformedHeader));
    ours.on_cookie(&good).expect("the true one still does");
    let another = StaticKeypair::from_secret([3; 32]);
    let mut stranger = Cookies::new(another.public());
    let forged = reply(&mut stranger, Instant::ZERO, source(1), &before);
    assert_eq!(ours.on_cookie(&forged), Err(Reject::HandshakeFailed), "of another responder");
}
