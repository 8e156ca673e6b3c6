//! What the scenarios share: the links they speak of, and statistics over their runs.
#![allow(dead_code, reason = "each scenario file uses its part")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::world::{World, ms};
use harness::{Report, Scenario, run};
use lossy_link::{End, ErrorModel, LinkConfig};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::memory::Storage;
use udp_sec_recovery::stats::{PathState, Stats};

/// The link most figures are stated for: 10 Mbit/s, RTT 30 ms, a queue of 25 packets.
pub(crate) fn interop_link() -> LinkConfig {
    LinkConfig::default().rate(10_000_000).delay(ms(15)).queue(25)
}

/// Loss of `percent` % in bursts of at most three.
pub(crate) fn bursty(percent: u32) -> ErrorModel {
    ErrorModel::bursts(percent * 10_000, 3)
}

/// Independent loss of `percent` %.
pub(crate) fn random(percent: u32) -> ErrorModel {
    if percent == 0 { ErrorModel::None } else { ErrorModel::random(percent * 10_000) }
}

/// Plays `scenario`, and says which it was where an invariant breaks.
pub(crate) fn play(scenario: &Scenario) -> Report {
    catch_unwind(AssertUnwindSafe(|| run(scenario))).unwrap_or_else(|broken| {
        eprintln!("an invariant broke in {scenario:?}");
        resume_unwind(broken)
    })
}

/// Plays `scenario`, which must succeed.
pub(crate) fn succeed(scenario: &Scenario) -> Report {
    let report = play(scenario);
    assert!(report.is_success(), "{:?} in {scenario:?}", report.outcome);
    report
}

/// The value below which `percent` % (in tenths) of `sorted` lie.
pub(crate) fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    sorted[(sorted.len() * per_mille / 1000).min(sorted.len() - 1)]
}

/// Seconds, for printing.
pub(crate) fn secs(span: Duration) -> f64 {
    span.as_micros() as f64 / 1e6
}

/// Does `work` for every item, on two threads; results in the order of the items.
pub(crate) fn on_two_threads<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return results };
            results.push((index, work(item)));
        }
    };
    let mut results = std::thread::scope(|scope| {
        let other = scope.spawn(worker);
        let mut results = worker();
        results.extend(other.join().unwrap_or_else(|broken| resume_unwind(broken)));
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Whether snapshots are to be rewritten rather than compared: `HARNESS_UPDATE=1`.
pub(crate) fn updating() -> bool {
    std::env::var_os("HARNESS_UPDATE").is_some_and(|value| value == "1")
}

/// Where the snapshot `name` lies.
pub(crate) fn snapshot_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name)
}

/// Compares `text` with the committed snapshot `name`, line by line.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = snapshot_path(name);
    if updating() {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, pair) in expected.lines().zip(text.lines()).enumerate() {
        assert_eq!(pair.0, pair.1, "{name}, line {}: if the change is meant, HARNESS_UPDATE=1", number + 1);
    }
    assert_eq!(expected.lines().count(), text.lines().count(), "{name}: another number of lines");
}

/// The initiator's side of a world.
pub(crate) const CLIENT: usize = 0;
/// The responder's.
pub(crate) const SERVER: usize = 1;

/// Counters of the session at one end.
pub(crate) fn stats<S: Storage + Default>(world: &World<S>, side: usize) -> Stats {
    world.sides[side].state().0
}

/// Congestion control at one end.
pub(crate) fn path<S: Storage + Default>(world: &World<S>, side: usize) -> PathState {
    world.sides[side].state().1
}

/// Datagrams that the end `side` has sent, of any kind.
pub(crate) fn datagrams_sent<S: Storage + Default>(world: &World<S>, side: usize) -> u64 {
    world.path.link_to([End::Server, End::Client][side]).counters().sent
}

/// Plays until `done` holds, and gives the time; `None` if that never happens.
pub(crate) fn play_until<S: Storage + Default>(
    world: &mut World<S>,
    mut done: impl FnMut(&World<S>) -> bool,
) -> Option<Instant> {
    while !done(world) {
        let next = world.next_instant()?;
        world.step(next);
    }
    Some(world.now)
}
