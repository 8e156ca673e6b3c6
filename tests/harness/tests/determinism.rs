//! Invariant I8: a scenario, or a plan, is its seed. The same one gives the same datagrams at the same times, to the last bit,
//! whatever the clock says at the start; another seed gives others.

mod common;

use common::{on_two_threads, play};
use harness::{Profile, Scenario, chaos, network};
use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};

/// Plans drawn at random, each played once for every start of the clocks and once more.
const SEEDS: u64 = 60;
/// As late as a clock can start for a run of the longest time to end before the clock does, twice over for clocks that
/// leap. Timers beyond the end of the run saturate at the end of time.
const NEAR_THE_END: Instant = Instant::from_micros(u64::MAX - 2 * chaos::LIMIT.as_micros());

/// Suspensions, restarts, forgetful NATs and shared links included.
#[test]
fn same_plan_same_trace_whatever_the_clocks_say() {
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let traces = on_two_threads(&seeds, |seed| {
        let report_at = |start| network::run(&chaos::plan_at(*seed, start));
        let first = report_at(Instant::ZERO);
        let again = report_at(Instant::ZERO);
        assert_eq!(first.trace, again.trace, "seed {seed}: the same plan played differently");
        let late = report_at(NEAR_THE_END);
        assert_eq!(first.trace, late.trace, "seed {seed}: a late clock changed the run");
        assert_eq!((first.ended, first.lasted), (late.ended, late.lasted));
        let mixed = network::run(&chaos::plan(*seed));
        assert_eq!(first.trace, mixed.trace, "seed {seed}: clocks that differ changed the run");
        first.trace
    });
    let mut distinct = traces.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), traces.len(), "two seeds gave the same run");
}

/// The same in each profile with plain losses, where everything succeeds: the seed alone decides.
#[test]
fn another_seed_gives_another_run_in_every_profile() {
    let link = LinkConfig::default().delay(Duration::from_millis(15)).loss(common::random(2));
    for profile in [Profile::Small, Profile::Medium, Profile::Host] {
        let trace = |seed| play(&Scenario::new(seed, 50_000).profile(profile).link(link.clone())).trace;
        assert_eq!(trace(1), trace(1));
        assert_ne!(trace(1), trace(2));
    }
}

/// The idle timeout and every other deadline may lie beyond the end of time.
#[test]
fn runs_at_the_very_end_of_time() {
    let link = LinkConfig::default().delay(Duration::from_millis(15));
    let mut scenario = Scenario::new(1, 50_000).link(link);
    let early = play(&scenario);
    scenario.start = Instant::from_micros(u64::MAX - 2 * early.ended.as_micros());
    assert!(scenario.start + scenario.idle_timeout == Instant::MAX);
    assert_eq!(play(&scenario).trace, early.trace);
}
