//! Handshakes under extreme loss, extreme corruption, and extreme round-trip times.

mod common;

use common::{bursty, percentile, secs};
use harness::world::ms;
use harness::{Profile, Report, Scenario, run};
use lossy_link::LinkConfig;
use udp_sec::time::Duration;

const HANDSHAKES: u64 = 10_000;

fn handshake(seed: u64, link: &LinkConfig) -> Report {
    let mut scenario = Scenario::new(seed, 0).profile(Profile::Small).handshake_only().link(link.clone());
    scenario.handshake_budget = Duration::from_secs(45);
    let report = run(&scenario);
    assert!(report.is_success(), "{:?} in {scenario:?}", report.outcome);
    assert_eq!((report.client.sessions, report.server.sessions), (1, 1), "{scenario:?}");
    report
}

/// Plays all handshakes over `link` on two threads; the times at the initiator, sorted.
fn handshakes(link: &LinkConfig) -> Vec<Duration> {
    let half = |seeds: std::ops::Range<u64>| {
        let times = seeds.map(|seed| handshake(seed, link).client.established.expect("established"));
        times.map(|at| Duration::from_micros(at.as_micros())).collect::<Vec<_>>()
    };
    let mut times = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(0..HANDSHAKES / 2));
        let mut times = half(HANDSHAKES / 2..HANDSHAKES);
        times.extend(other.join().expect("the other half"));
        times
    });
    times.sort_unstable();
    println!(
        "{} handshakes: p50 {:.3} s, p99 {:.3} s, p99.9 {:.3} s, max {:.3} s",
        times.len(),
        secs(percentile(&times, 500)),
        secs(percentile(&times, 990)),
        secs(percentile(&times, 999)),
        secs(times[times.len() - 1]),
    );
    times
}

fn assert_figures(times: &[Duration]) {
    assert_eq!(times.len() as u64, HANDSHAKES);
    assert!(percentile(times, 500) <= ms(350));
    assert!(percentile(times, 990) <= ms(8_500));
    assert!(percentile(times, 999) <= ms(17_000));
}

#[test]
fn all_complete_at_30_percent_loss() {
    assert_figures(&handshakes(&LinkConfig::default().delay(ms(15)).loss(bursty(30))));
}

#[test]
fn all_complete_at_30_percent_corruption() {
    assert_figures(&handshakes(
        &LinkConfig::default().delay(ms(15)).corruption(bursty(30)).corrupt_offsets(0..51),
    ));
}

#[test]
fn long_round_trips_make_exactly_one_session() {
    for rtt in [1_500, 10_000] {
        let report = handshake(rtt, &LinkConfig::default().delay(ms(rtt / 2)));
        assert!(report.to_server.sent >= 2, "the initiation is repeated while the answer is under way");
        println!(
            "RTT {rtt} ms: established after {:?}, {} datagrams",
            report.client.established, report.to_server.sent
        );
    }
}
