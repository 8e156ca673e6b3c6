//! Somebody on the path who sees everything and holds no key: replays, copies that win the race, forgeries,
//! reflections; from any address.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use harness::attacker::keyed::{Lab, Peer, address, keys};
use harness::attacker::on_path::{Forged, Observed, Seen, home};
use harness::pool::HostStorage;
use harness::world::{SERVER, ms};
use harness::{Report, Scenario};
use lossy_link::LinkConfig;
use udp_sec::error::Reject;
use udp_sec::time::{Duration, Instant};

use super::times;

/// Where the observer sends from, or who is to be flooded.
const ELSEWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 66)), 666);
const MIB: u64 = 1 << 20;
const RTT: Duration = ms(30);
const CLIENT: usize = 0;
const RESPONDER: usize = 1;

/// 10 Mbit/s with a queue, as most figures have it.
fn scenario(seed: u64, up: u64, down: u64) -> Scenario {
    let link = LinkConfig::default().rate(10_000_000).delay(RTT / 2).queue(25);
    let mut scenario = Scenario::new(seed, up).link(link);
    scenario.server_bytes = down;
    scenario.keepalive = true;
    scenario
}

/// Plays `scenario` to its end under the eyes of `observer`.
fn play(
    scenario: &Scenario,
    observer: impl FnMut(&Seen<'_>) -> Vec<Forged>,
) -> (Report, Observed<HostStorage>) {
    let mut observed = Observed::<HostStorage>::new(scenario);
    let limit = scenario.start + scenario.limit;
    observed.play(observer, |observed| {
        assert!(observed.world.now < limit, "no end: {scenario:?}");
        observed.world.has_ended(scenario)
    });
    for (address, tally) in &observed.strangers {
        assert!(tally.went <= 3 * tally.came, "{address}: {tally:?}");
    }
    let mut last = Observed::<HostStorage>::new(scenario);
    std::mem::swap(&mut last.world, &mut observed.world);
    let report = last.world.report(scenario);
    assert!(report.is_success(), "{:?} in {scenario:?}", report.outcome);
    assert_eq!(report.server.sessions, 1, "one session all along");
    (report, observed)
}

/// The time that `scenario` takes when nobody interferes.
fn undisturbed(scenario: &Scenario) -> Duration {
    play(scenario, |_| Vec::new()).0.done.expect("delivered")
}

fn at_once(seen: &Seen<'_>, to: usize, source: SocketAddr, data: Vec<u8>) -> Forged {
    Forged { at: seen.now, to, source, data }
}

/// Row 7: message 1 again and again while the session lives, each time from another address.
#[test]
fn replayed_initiations_leave_the_transfer_as_it_was() {
    let replays = times("ATTACK_REPLAYS", 100_000);
    let scenario = scenario(1, 2 * MIB, 0);
    let expected = undisturbed(&scenario);
    let mut sent = 0;
    let (report, observed) = play(&scenario, |seen| {
        if seen.from == RESPONDER || seen.data[1] != 1 {
            return Vec::new();
        }
        // Spread over the transfer, from the moment that the session may exist.
        let first = seen.now + RTT * 3;
        let step = expected.as_micros() * 9 / 10 * 1_000 / replays;
        let at = |nth: u64| first + Duration::from_micros(nth * step / 1_000);
        let from = |nth: u64| SocketAddr::new([203, 0, 113, nth as u8].into(), (nth >> 8) as u16 + 1);
        let data = seen.data.to_vec();
        sent = replays;
        (0..replays)
            .map(|nth| Forged { at: at(nth), to: RESPONDER, source: from(nth), data: data.clone() })
            .collect()
    });
    let took = report.done.expect("delivered");
    println!("{sent} replays: {took:?} instead of {expected:?}, {} sessions", report.server.sessions);
    assert!(took.as_micros() * 95 <= expected.as_micros() * 100, "{took:?} instead of {expected:?}");
    let went: u64 = observed.strangers.values().map(|tally| tally.went).sum();
    assert_eq!((sent, went), (replays, 0), "no word back");
}

/// Row 46: a copy of every packet of the client's arrives first, and from a victim's address. Its content counts, so that
/// the original is the replay; but the session stays where it is, and the victim gets no more than three times the bytes.
#[test]
fn copies_that_win_every_race_divert_nothing() {
    let mut most = 0.0_f64;
    for seed in 0..times("ATTACK_SEEDS", 10).min(200) {
        let scenario = scenario(seed, MIB / 2, MIB / 2);
        let begun = scenario.start + RTT * 4;
        let expected = undisturbed(&scenario);
        let (report, observed) = play(&scenario, |seen| match seen.from {
            CLIENT if seen.now > begun => vec![at_once(seen, RESPONDER, ELSEWHERE, seen.data.to_vec())],
            _ => Vec::new(),
        });
        let took = report.done.expect("delivered");
        let tally = observed.strangers[&ELSEWHERE];
        most = most.max(tally.went as f64 / tally.came as f64);
        assert!(tally.came > MIB / 2 && tally.went <= 3 * tally.came, "seed {seed}: {tally:?}");
        assert!(
            took <= expected * 3 + Duration::from_secs(3),
            "seed {seed}: {took:?} instead of {expected:?}"
        );
    }
    println!("the victim got {most:.3} bytes for each that came from its address, at most");
}

/// Row 46: the observer wins every race and relays what the server sends him, the challenge among it, so that the path
/// leads to him. Once he stops, the first packet that comes straight brings it back within a round trip.
#[test]
fn a_diverted_path_comes_back_within_a_round_trip() {
    for seed in 0..times("ATTACK_SEEDS", 10).min(200) {
        let mut scenario = scenario(seed, 4 * MIB, 4 * MIB);
        scenario = scenario.link(LinkConfig::default().delay(RTT / 2));
        let until = Instant::ZERO + ms(130 + seed % 50);
        let mut observed = Observed::<HostStorage>::new(&scenario);
        let straight = Cell::new(None);
        let mut relay = |seen: &Seen<'_>| {
            if seen.now >= until {
                if seen.from == CLIENT {
                    straight.set(straight.get().or(Some(seen.now)));
                }
                return Vec::new();
            }
            let (to, source) = match seen.from {
                CLIENT => (RESPONDER, ELSEWHERE),
                _ if seen.to == ELSEWHERE => (CLIENT, SERVER),
                _ => return Vec::new(),
            };
            vec![Forged { at: seen.now + RTT / 3, to, source, data: seen.data.to_vec() }]
        };
        let remote = |observed: &Observed<HostStorage>| {
            let server = &observed.world.sides[RESPONDER];
            server.session.and_then(|id| server.endpoint.peek(id)).map(|session| session.path().remote)
        };
        observed.play(&mut relay, |observed| observed.world.now >= until);
        assert_eq!(remote(&observed), Some(ELSEWHERE), "seed {seed}: the attack works");
        assert!(observed.world.sides.iter().all(|side| side.closure().is_none()), "seed {seed}: under way");
        observed.play(&mut relay, |observed| remote(observed) == Some(home(CLIENT)));
        let back = observed.world.now;
        let first = straight.get().expect("a packet that came straight") + RTT / 2;
        println!("seed {seed}: back {:?} after the first straight packet", back.saturating_since(first));
        assert!(back.saturating_since(first) <= RTT + ms(1), "seed {seed}");
        observed.play(&mut relay, |observed| observed.world.has_ended(&scenario));
        assert!(observed.world.report(&scenario).is_success());
    }
}

/// Everything that was ever sent comes again, to both ends, later and from elsewhere; the sender's own packets come back
/// to it; and forgeries with the right addresses come before the true ones. The run takes as long as without.
#[test]
fn replays_reflections_and_forgeries_cost_a_transfer_nothing() {
    // Nothing is lost: what is, the observer's copy would mend.
    let scenario = scenario(3, 4 * MIB, 4 * MIB).link(LinkConfig::default().delay(RTT / 2));
    let expected = undisturbed(&scenario);
    let mut count = 0_u64;
    let (report, observed) = play(&scenario, |seen| {
        count += 1;
        let (there, here) = (1 - seen.from, seen.from);
        let mut forged = seen.data.to_vec();
        let place = 12 + count as usize % (forged.len() - 12);
        forged[place] ^= 1 << (count % 8);
        let later = |span: Duration, to: usize, source: SocketAddr, data: Vec<u8>| Forged {
            at: seen.now + span,
            to,
            source,
            data,
        };
        let again = seen.data.to_vec();
        let mut all = vec![
            later(ms(50), there, ELSEWHERE, again.clone()),
            later(ms(70), there, home(here), again.clone()),
            later(ms(1), here, home(there), again),
        ];
        // A changed initiation is another one, which its own tests look into.
        if seen.data[1] != 1 {
            all.push(later(Duration::ZERO, there, home(here), forged));
        }
        all
    });
    let rejects = |side: &harness::report::SideReport| side.rejects.clone();
    println!("{count} packets: {:?}, {:?}", rejects(&report.client), rejects(&report.server));
    // What arrives wakes the endpoint, so that an acknowledgement may leave a moment earlier than it would.
    let took = report.done.expect("delivered");
    assert!(took <= expected + ms(1), "{took:?} instead of {expected:?}");
    for side in [&report.client, &report.server] {
        assert!(side.rejects.get(Reject::ReplayOrStalePacketNumber) > 1_000);
        assert!(side.rejects.get(Reject::DecryptFailed) > 1_000);
        assert!(side.rejects.get(Reject::UnknownSession) > 1_000);
    }
    let went: u64 = observed.strangers.values().map(|tally| tally.went).sum();
    assert_eq!(went, 0, "no word to where a replay came from");
}

/// The observer copies what makes the session, too: the initiation, and the packet that confirms. The session begins at
/// his address, and comes to the client's.
#[test]
fn a_session_whose_beginning_was_copied_comes_to_its_client() {
    for seed in 0..times("ATTACK_SEEDS", 10).min(200) {
        let scenario = scenario(seed, MIB / 4, MIB / 4);
        let expected = undisturbed(&scenario);
        let mut seen_by_kind = BTreeMap::<u8, u64>::new();
        let (report, observed) = play(&scenario, |seen| {
            let count = seen_by_kind.entry(seen.data[1]).or_default();
            *count += 1;
            // Initiations, and the first five data packets of the client's.
            if seen.from == RESPONDER || (seen.data[1] == 4 && *count > 5) {
                return Vec::new();
            }
            vec![at_once(seen, RESPONDER, ELSEWHERE, seen.data.to_vec())]
        });
        let took = report.done.expect("delivered");
        let tally = observed.strangers[&ELSEWHERE];
        println!("seed {seed}: {took:?} instead of {expected:?}, {tally:?}");
        assert!(took <= expected + Duration::from_secs(2), "seed {seed}: {took:?} instead of {expected:?}");
    }
}

/// Packets of one session under the id of another: no key fits.
#[test]
fn packets_of_another_session_open_nothing() {
    let (one, two) = (keys(10), keys(11));
    let mut lab = Lab::new(&[one.public(), two.public()]);
    let (mut first, _) = Peer::connect(&mut lab, &one, address(1), 0);
    let (second, _) = Peer::connect(&mut lab, &two, address(2), 100);
    for _ in 0..100 {
        let mut crossed = first.seal(|frames| frames.stream(0, false, 9).expect("room").fill(1));
        crossed[4..12].copy_from_slice(&second.session.peer_id().to_le_bytes());
        lab.assert_rejects(Reject::DecryptFailed, address(2), &crossed);
    }
}
