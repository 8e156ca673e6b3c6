//! Section 3, "The responder" and "Under load": who is answered, with what, and from which budget.

use rand_core::SeedableRng;
use udp_sec::error::Reject;
use udp_sec::handshake::Initiator;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::limits::HALF_OPEN_LIFE;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;

use super::MOMENT;
use super::lab::{HANDSHAKES, Lab, Peer, address, initiation, keys};

/// A call for an application that the lab does not speak.
fn call_for_another(own: &StaticKeypair, to: &PublicKey, nth: u64) -> Initiator {
    let parameters = Parameters::new(ApplicationProtocol::new(b"other/1").expect("short"), 1);
    let mut rng = chacha20::ChaCha8Rng::seed_from_u64(nth);
    Initiator::new(own, to, nth, &parameters, &mut rng).expect("entropy")
}

#[test]
fn a_repeat_gets_the_identical_response_where_the_repeat_came_from() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let call = initiation(&peer_keys, lab.keys.public(), 0);
    lab.deliver(address(1), call.datagram());
    let (_, first) = lab.drain().datagrams.remove(0);
    for from in [address(1), address(2), Path::to(([192, 0, 2, 1], 9).into())] {
        let entropy = lab.entropy.calls_left;
        lab.wait(Duration::from_millis(250));
        lab.deliver(from, call.datagram());
        let again = lab.drain().datagrams;
        assert_eq!(again, [(from, first.clone())]);
        assert_eq!(lab.entropy.calls_left, entropy, "nothing is made anew");
    }
    assert_eq!((lab.endpoint.half_open(), lab.endpoint.rejects().total()), (1, 0));
}

#[test]
fn a_half_open_entry_lives_30_s_and_repeats_do_not_prolong_it() {
    assert_eq!(HALF_OPEN_LIFE, Duration::from_secs(30));
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let call = initiation(&peer_keys, lab.keys.public(), 0);
    for seconds in 0..30 {
        lab.run_until(Instant::ZERO + Duration::from_secs(seconds));
        lab.deliver(address(1), call.datagram());
        lab.drain();
    }
    lab.run_until(Instant::ZERO + HALF_OPEN_LIFE.saturating_sub(MOMENT));
    assert_eq!(lab.endpoint.half_open(), 1);
    lab.wait(MOMENT);
    assert_eq!(lab.endpoint.half_open(), 0);
}

#[test]
fn a_repeat_needs_no_cookie_under_load() {
    let all = [keys(10), keys(11)];
    let mut lab = Lab::with(&[all[0].public(), all[1].public()], 8, |config| config.unproven_per_second = 1);
    let [known, new] = [0, 1].map(|nth| initiation(&all[nth], lab.keys.public(), nth as u64));
    lab.deliver(address(1), known.datagram());
    assert_eq!(lab.drain().datagrams[0].1[1], 2, "a Response");
    lab.deliver(address(1), new.datagram());
    assert_eq!(lab.drain().datagrams[0].1[1], 3, "a CookieReply: there is load");
    lab.deliver(address(1), known.datagram());
    assert_eq!(lab.drain().datagrams[0].1[1], 2);
}

#[test]
fn a_full_half_open_table_is_load() {
    let all = [keys(10), keys(11), keys(12)];
    let mut lab = Lab::new(&[all[0].public(), all[1].public(), all[2].public()]);
    for nth in 0..HANDSHAKES as u64 {
        Peer::half_open(&mut lab, &all[nth as usize / 4], address(1), nth);
    }
    lab.deliver(address(1), initiation(&all[2], lab.keys.public(), 90).datagram());
    let done = lab.drain();
    assert_eq!(lab.endpoint.rejects().get(Reject::CookieRequired), 1);
    assert_eq!((done.datagrams.len(), done.datagrams[0].1.len()), (1, 68));
}

/// 16 calls a second for all sources of one group, which have each proven theirs; another group has its own.
#[test]
fn a_group_of_proven_sources_that_has_spent_its_budget_is_refused() {
    let peer_keys = keys(10);
    let mut lab = Lab::with(&[peer_keys.public()], 8, |config| config.unproven_per_second = 0);
    let mut nth = 0;
    let mut prove = |lab: &mut Lab, host: u8| {
        nth += 1;
        let from = Path::to(([192, 0, 2, host], nth as u16).into());
        // Another application's: its answer leaves no entry behind.
        let mut call = call_for_another(&peer_keys, lab.keys.public(), nth);
        lab.deliver(from, call.datagram());
        let (_, cookie) = lab.drain().datagrams.remove(0);
        call.on_cookie(&cookie).expect("it is for this call");
        (from, *call.datagram())
    };
    for _ in 0..16 {
        let (from, call) = prove(&mut lab, 1);
        lab.deliver(from, &call);
        assert_eq!(lab.drain().datagrams.len(), 1);
    }
    let (from, call) = prove(&mut lab, 1);
    lab.deliver(from, &call);
    assert_eq!(lab.endpoint.rejects().get(Reject::HalfOpenLimit), 1);
    assert!(lab.drain().datagrams.is_empty());
    let (elsewhere, other) = prove(&mut lab, 2);
    lab.deliver(elsewhere, &other);
    assert_eq!(lab.drain().datagrams.len(), 1, "another group");
    lab.wait(Duration::from_micros(1_000_000 / 16));
    lab.deliver(from, &call);
    assert_eq!(lab.drain().datagrams.len(), 1, "a sixteenth of a second later");
}

#[test]
fn refusals_are_not_kept_and_at_most_four_wait() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let calls: Vec<_> = (0..5).map(|nth| call_for_another(&peer_keys, lab.keys.public(), nth)).collect();
    for call in &calls {
        lab.deliver(address(1), call.datagram());
    }
    assert_eq!(lab.endpoint.rejects().get(Reject::HalfOpenLimit), 1, "the fifth finds no place to wait");
    let refusals = lab.drain().datagrams;
    assert_eq!(refusals.len(), 4);
    assert_eq!(lab.endpoint.half_open(), 0);
    // A repeat is a new call: it gets a refusal that is made anew.
    lab.deliver(address(1), calls[0].datagram());
    let again = lab.drain().datagrams;
    assert_eq!((again.len(), again[0].1.len()), (1, 1_200));
    assert_ne!(again[0].1, refusals[0].1);
}

#[test]
fn a_hundred_unproven_initiations_a_second_are_looked_into_unless_told_otherwise() {
    let config = udp_sec_recovery::endpoint::Config::new(keys(1), super::lab::parameters());
    assert_eq!(config.unproven_per_second, 100);
    assert_eq!(config.sessions_per_peer, 1);
    assert_eq!(config.handshake_budget, Duration::from_secs(30));
}
