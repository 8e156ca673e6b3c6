//! Runs that a guest plays, too: what comes of them has to be the same there, to the last bit.

use core::fmt;

use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

use crate::report::Report;
use crate::scenario::{Profile, Scenario};
use crate::world;

/// Bytes sent in each run.
pub const BYTES: u64 = 64 << 10;

/// The run `seed`: [`BYTES`] at 5 to 20 % loss each way, with reordering, jitter, and a rate that fills queues.
/// The profile alternates between those that devices have.
#[must_use]
pub fn scenario(seed: u64) -> Scenario {
    let percent = 5 + u32::try_from(seed % 16).unwrap_or(0);
    let profile = if seed.is_multiple_of(2) { Profile::Small } else { Profile::Medium };
    let link = LinkConfig::default()
        .delay(Duration::from_millis(10 + seed % 31))
        .jitter(Duration::from_millis(2))
        .rate(10_000_000)
        .queue(64)
        .loss(ErrorModel::random(percent * 10_000))
        .reordering(100_000, Duration::from_millis(5));
    Scenario::new(seed, BYTES).profile(profile).link(link)
}

/// What came of the run `seed`, as one line: everything in it is the same wherever it was played.
#[derive(Clone, Debug)]
pub struct Line {
    seed: u64,
    report: Report,
}

impl Line {
    /// Plays the run `seed`.
    ///
    /// # Panics
    /// As [`world::run`], or when not everything was delivered.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let report = world::run(&scenario(seed));
        assert!(report.is_success(), "run {seed}: {:?}", report.outcome);
        Self { seed, report }
    }

    /// Hash over every datagram (bytes, time, direction) and every event.
    #[must_use]
    pub fn trace(&self) -> [u8; 32] {
        self.report.trace
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TRACE {} ", self.seed)?;
        self.report.trace.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
