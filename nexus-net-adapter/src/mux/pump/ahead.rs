//! How far ahead of the link the stream below may be filled.
//!
//! What waits there is overtaken by nothing, so it should be little; but a fast link that finds little waiting runs
//! dry before the pump is back. Both are matters of time, not of bytes: what waits is to be no more than the link takes
//! away in [`AHEAD`], as measured over the last [`WINDOW`], and [`LOW_WATER`](super::LOW_WATER) in any case.

use udp_sec::time::{Duration, Instant};

/// Time that what waits in the stream below may take to leave.
const AHEAD: Duration = Duration::from_millis(2);

/// Time over which the link is measured.
const WINDOW: Duration = Duration::from_millis(10);

/// The measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// Bytes that were handed over, in all.
    handed: u64,
    /// When the window began, and how many bytes had left by then.
    since: Instant,
    left: u64,
    mark: u64,
    floor: u64,
    ceiling: u64,
}

impl Ahead {
    /// Nothing is known of the link: `floor` bytes may wait. Never will it be more than `ceiling`.
    pub(super) const fn new(now: Instant, floor: u64, ceiling: u64) -> Self {
        Self { handed: 0, since: now, left: 0, mark: floor, floor, ceiling }
    }

    /// Bytes that may wait.
    pub(super) const fn mark(&self) -> u64 {
        self.mark
    }

    /// `len` bytes were handed over.
    pub(super) fn on_handed(&mut self, len: usize) {
        self.handed = self.handed.saturating_add(len as u64);
    }

    /// `unsent` bytes wait now. The new mark, when a window has ended.
    pub(super) fn on_unsent(&mut self, now: Instant, unsent: u64) -> Option<u64> {
        let elapsed = now.saturating_since(self.since);
        if elapsed < WINDOW {
            return None;
        }
        let left = self.handed.saturating_sub(unsent);
        let taken = left.saturating_sub(self.left).saturating_mul(AHEAD.as_micros());
        // Not zero: it is a window long at least.
        let worth = taken.checked_div(elapsed.as_micros()).unwrap_or(0);
        self.mark = worth.min(self.ceiling).max(self.floor);
        (self.since, self.left) = (now, left);
        Some(self.mark)
    }
}

#[cfg(test)]
mod tests;
