//! A network that was bad for a minute and then loses 10 %: what is left to send arrives soon, whatever came before
//! (`src/healing.rs` says what comes).
//!
//! `HARNESS_SEEDS=100000` plays that many seeds, `HARNESS_FROM=7 HARNESS_SEEDS=1` number 7 again.

mod common;

use std::collections::BTreeMap;

use common::{on_two_threads, percentile, secs};
use harness::healing::{self, Class, HEALED};
use harness::network;
use udp_sec::time::Duration;

/// How much longer than the ideal it may take.
const SLOWDOWN_MAX: u64 = 10;
/// On top: a probe timeout that has doubled as far as it may (an eighth of the idle timeout).
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Undisturbed runs of each class whose mean is the ideal.
const UNDISTURBED: u64 = 16;
/// As many classes as there are, each with both directions.
const CLASSES: u64 = 24;

/// The environment variable `name`, a number, or else `otherwise`.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect("a number"))
}

/// From the moment of healing to the last byte and the end of the stream at its reader; `None` where not all arrived.
fn time_after_healing(plan: &network::Plan) -> Option<Duration> {
    let report = network::run(plan);
    if report.ended.len() != 2 || report.ended.iter().any(|end| !end.done) {
        return None;
    }
    let done = report.ended.iter().filter_map(|end| end.done_at).max()?;
    Some(done.saturating_sub(HEALED))
}

/// The mean time of undisturbed runs, by class and direction.
fn ideals() -> BTreeMap<u64, Duration> {
    let runs: Vec<_> = (0..CLASSES * UNDISTURBED).collect();
    let times = on_two_threads(&runs, |seed| time_after_healing(&healing::undisturbed(*seed)));
    let mut sums = BTreeMap::new();
    for (seed, time) in runs.iter().zip(times) {
        let sum: &mut Duration = sums.entry(seed % CLASSES).or_default();
        *sum = *sum + time.expect("undisturbed") / UNDISTURBED;
    }
    sums
}

#[test]
fn what_is_left_arrives_soon_after_a_network_has_healed() {
    let ideals = ideals();
    let from = number("HARNESS_FROM", 0);
    let seeds: Vec<u64> = (from..from + number("HARNESS_SEEDS", 120)).collect();
    let runs = on_two_threads(&seeds, |seed| (*seed, time_after_healing(&healing::plan(*seed))));
    let (mut worst, mut late) = ((0, 0), Vec::new());
    for (seed, time) in &runs {
        let (class, ideal) = (Class::of(*seed), ideals[&(seed % CLASSES)]);
        let Some(time) = time else {
            late.push(format!("seed {seed}, {class:?}: not all arrived"));
            continue;
        };
        worst = worst.max((time.as_micros() * 100 / ideal.as_micros(), *seed));
        if *time > ideal * SLOWDOWN_MAX + BACKOFF_MAX {
            late.push(format!("seed {seed}, {class:?}: {time:?}, ideal {ideal:?}"));
        }
    }
    for (class, ideal) in &ideals {
        let mut times: Vec<_> =
            runs.iter().filter(|(seed, _)| seed % CLASSES == *class).filter_map(|(_, time)| *time).collect();
        times.sort_unstable();
        println!(
            "{:?}, {}: ideal {:.2} s, median {:.2} s, 99.9 % {:.2} s, longest {:.2} s",
            Class::of(*class),
            if class / 12 == 0 { "up" } else { "down" },
            secs(*ideal),
            secs(percentile(&times, 500)),
            secs(percentile(&times, 999)),
            secs(times[times.len() - 1]),
        );
    }
    println!(
        "{} seeds, the slowest {}.{:02} x ideal, seed {}",
        runs.len(),
        worst.0 / 100,
        worst.0 % 100,
        worst.1
    );
    assert!(late.is_empty(), "late: {late:#?}");
}
