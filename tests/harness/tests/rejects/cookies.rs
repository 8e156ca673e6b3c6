//! Under load: who proves that it receives at its address gets in, however many others do not.

use udp_sec::error::Reject;
use udp_sec::handshake::Initiator;
use udp_sec::keys::StaticKeypair;
use udp_sec::limits::{HALF_OPEN_LIFE, HALF_OPEN_PER_KEY, RETRY_FIRST};
use udp_sec::time::Duration;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::event::Event;

use super::lab::{HANDSHAKES, Lab, Peer, address, initiation, keys};

/// Initiations per second that the lab looks into without a cookie.
const UNPROVEN: u16 = 4;

/// An endpoint that allows eight peers, with their keys.
fn lab() -> (Lab, Vec<StaticKeypair>) {
    let all: Vec<_> = (10..18).map(keys).collect();
    let publics: Vec<_> = all.iter().map(StaticKeypair::public).collect();
    (Lab::with(&publics, 8, |config| config.unproven_per_second = UNPROVEN), all)
}

/// The CookieReply to the initiation of `initiator`, which must be demanded.
#[track_caller]
fn demanded(lab: &mut Lab, from: Path, initiator: &Initiator) -> Vec<u8> {
    let demanded = lab.endpoint.rejects().get(Reject::CookieRequired);
    lab.deliver(from, initiator.datagram());
    let mut done = lab.drain();
    assert_eq!(lab.endpoint.rejects().get(Reject::CookieRequired), demanded + 1);
    assert!(done.events.is_empty());
    assert_eq!(done.datagrams.len(), 1, "{done:?}");
    let (to, reply) = done.datagrams.remove(0);
    assert_eq!((to, reply.len(), reply[1]), (from, 68, 3));
    reply
}

#[test]
fn test_reject_cookie_required() {
    let (mut lab, all) = lab();
    for nth in 0..u64::from(UNPROVEN) {
        Peer::half_open(&mut lab, &all[nth as usize], address(1), nth);
    }
    // The budget is spent: the next one has to prove its address first.
    let mut late = initiation(&all[5], lab.keys.public(), 50);
    let entropy = lab.entropy.calls_left;
    let reply = demanded(&mut lab, address(5), &late);
    assert_eq!(lab.endpoint.half_open(), usize::from(UNPROVEN));
    assert!(entropy - lab.entropy.calls_left <= 2, "a nonce and a secret, no ephemeral key");
    late.on_cookie(&reply).expect("it answers this initiation");
    // From elsewhere it proves nothing.
    demanded(&mut lab, address(6), &late);
    lab.deliver(address(5), late.datagram());
    let done = lab.drain();
    let [(to, response)] = &done.datagrams[..] else { panic!("{done:?}") };
    assert_eq!(*to, address(5));
    let mut peer = Peer::established(late, address(5), response);
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.iter().any(|(_, event)| *event == Event::Established));
}

#[test]
fn a_proven_source_takes_the_place_of_the_oldest_unproven_one() {
    let (mut lab, all) = lab();
    let unproven: Vec<_> = (0..HANDSHAKES as u64)
        .map(|nth| {
            lab.wait(Duration::from_millis(300));
            Peer::half_open(&mut lab, &all[nth as usize / 2], address(nth as u8), nth)
        })
        .collect();
    assert_eq!(lab.endpoint.half_open(), HANDSHAKES);
    let mut proven = initiation(&all[7], lab.keys.public(), 70);
    let reply = demanded(&mut lab, address(70), &proven);
    proven.on_cookie(&reply).expect("it answers this initiation");
    lab.deliver(address(70), proven.datagram());
    assert_eq!(lab.drain().datagrams.len(), 1);
    assert_eq!(lab.endpoint.half_open(), HANDSHAKES, "at its bound, not above");
    // The oldest has lost its place, the second oldest has not.
    let mut unproven = unproven.into_iter();
    let (mut oldest, mut next) = (unproven.next().expect("eight"), unproven.next().expect("eight"));
    let unknown = oldest.seal(|frames| frames.ping().expect("room"));
    lab.deliver(oldest.path, &unknown);
    assert_eq!(lab.endpoint.rejects().get(Reject::UnknownSession), 1);
    let done = next.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.iter().any(|(_, event)| *event == Event::Established));
}

/// A table full of proven sources has no room for one more until they expire: judged before any Diffie-Hellman.
#[test]
fn test_reject_half_open_limit_of_the_table() {
    let all: Vec<_> = (10..13).map(keys).collect();
    let publics: Vec<_> = all.iter().map(StaticKeypair::public).collect();
    let mut lab = Lab::with(&publics, 8, |config| config.unproven_per_second = 0);
    let proven = |lab: &mut Lab, key: usize, nth: u64| {
        let mut initiator = initiation(&all[key], lab.keys.public(), nth);
        let reply = demanded(lab, address(nth as u8), &initiator);
        initiator.on_cookie(&reply).expect("it answers this initiation");
        initiator
    };
    for nth in 0..HANDSHAKES as u64 {
        let initiator = proven(&mut lab, nth as usize / HALF_OPEN_PER_KEY, nth);
        lab.deliver(address(nth as u8), initiator.datagram());
        assert_eq!(lab.drain().datagrams.len(), 1);
    }
    assert_eq!(lab.endpoint.half_open(), HANDSHAKES);
    let late = proven(&mut lab, 2, 20);
    let entropy = lab.entropy.calls_left;
    lab.assert_rejects(Reject::HalfOpenLimit, address(20), late.datagram());
    assert_eq!(lab.entropy.calls_left, entropy, "refused before anything is drawn or computed");
    lab.wait(HALF_OPEN_LIFE);
    assert_eq!(lab.endpoint.half_open(), 0);
    lab.deliver(address(20), late.datagram());
    assert_eq!(lab.drain().datagrams.len(), 1);
}

/// The initiator answers one cookie for each timed transmission, at once, and with the same initiation.
#[test]
fn an_initiator_answers_one_cookie_per_transmission() {
    let responder = keys(10);
    let mut lab = Lab::new(&[]);
    lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), responder.public()).expect("room");
    let mut cookies = udp_sec::handshake::Cookies::new(responder.public());
    let checker = udp_sec::handshake::Responder::new(responder);
    let first = lab.drain().datagrams.remove(0).1;
    let mut reply = |datagram: &[u8], lab: &mut Lab| {
        let checked = checker.check_mac1(datagram).expect("a right mac1");
        let own = address(9).remote;
        cookies.reply(lab.now, own, &checked, &mut lab.entropy).expect("entropy")
    };
    let cookie = reply(&first, &mut lab);
    lab.deliver(address(1), &cookie);
    let again = lab.drain().datagrams;
    let [(to, with_proof)] = &again[..] else { panic!("{again:?}") };
    assert_eq!(*to, address(1));
    assert_eq!(with_proof[..1184], first[..1184]);
    assert_ne!(with_proof[1184..], first[1184..]);
    for _ in 0..5 {
        let cookie = reply(with_proof, &mut lab);
        lab.deliver(address(1), &cookie);
        assert!(lab.drain().datagrams.is_empty(), "one for each transmission");
    }
    let repeat = lab.wait(RETRY_FIRST).datagrams;
    assert_eq!(repeat.len(), 1, "the timed repeats go on");
    assert_eq!(repeat[0].1[..1184], first[..1184]);
    let cookie = reply(&repeat[0].1, &mut lab);
    lab.deliver(address(1), &cookie);
    assert_eq!(lab.drain().datagrams.len(), 1, "and each may be answered once");
    // What does not open is dropped and counted.
    let mut forged = cookie;
    forged[40] ^= 1;
    lab.assert_rejects(Reject::HandshakeFailed, address(1), &forged);
    forged[4] ^= 1;
    lab.assert_rejects(Reject::UnknownSession, address(1), &forged);
}

/// A flood of valid initiations of an allowed peer, replayed or made anew, from any address: who answers cookies still
/// gets in at once, and the table stays at its bound.
#[test]
fn a_flood_keeps_nobody_out_who_answers_cookies() {
    let (mut lab, all) = lab();
    for round in 0..100_u64 {
        for nth in 0..100 {
            let flood = initiation(&all[(nth % 4) as usize], lab.keys.public(), 1_000 + 100 * round + nth);
            lab.deliver(address((nth % 200) as u8), flood.datagram());
            lab.drain();
        }
        assert!(lab.endpoint.half_open() <= HANDSHAKES);
        let mut honest = initiation(&all[4 + (round % 4) as usize], lab.keys.public(), 100_000 + round);
        let reply = demanded(&mut lab, address(250), &honest);
        honest.on_cookie(&reply).expect("it answers this initiation");
        lab.deliver(address(250), honest.datagram());
        let done = lab.drain();
        let [(_, response)] = &done.datagrams[..] else { panic!("round {round}: {done:?}") };
        let mut peer = Peer::established(honest, address(250), response);
        let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
        let (id, _) = done.events[0];
        assert!(done.events.contains(&(id, Event::Established)), "round {round}: {:?}", done.events);
        lab.endpoint.release(lab.now, id);
        lab.wait(Duration::from_secs(3));
    }
}

/// Under load the random source fails at its k-th call, for every k: no cookie leaves, and nothing is remembered.
#[test]
fn without_entropy_no_cookie_leaves() {
    let caller = keys(10);
    for calls in 0.. {
        let mut lab = Lab::with(&[caller.public()], 1, |config| config.unproven_per_second = 0);
        lab.entropy.calls_left = calls;
        let initiation = initiation(&caller, lab.keys.public(), 0);
        lab.deliver(address(1), initiation.datagram());
        let sent = lab.drain().datagrams.len();
        assert_eq!(lab.endpoint.half_open(), 0);
        if sent == 1 {
            assert_eq!(calls, 2, "a nonce and a secret");
            break;
        }
        assert_eq!((sent, lab.endpoint.rejects().get(Reject::EntropyUnavailable)), (0, 1), "{calls} calls");
        lab.entropy.calls_left = u64::MAX;
        demanded(&mut lab, address(1), &initiation);
    }
}
