//! What the scenarios share: the links they speak of, and statistics over their runs.
#![allow(dead_code, reason = "each scenario file uses its part")]

use harness::world::ms;
use harness::{Report, Scenario, run};
use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

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

/// Plays `scenario`, which must succeed.
pub(crate) fn succeed(scenario: &Scenario) -> Report {
    let report = run(scenario);
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
