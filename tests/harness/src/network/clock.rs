//! The clock of one host: it may have begun anywhere, stood still, or leapt.

use udp_sec::time::{Duration, Instant};

/// What one host's clock says, from what the network's says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// How far it is ahead, modulo 2^64.
    ahead: u64,
}

impl Clock {
    /// A clock that says `start` when the network's says zero.
    pub(super) fn starting_at(start: Instant) -> Self {
        Self { ahead: start.as_micros() }
    }

    /// What it says at `now`.
    pub(super) fn read(self, now: Instant) -> Instant {
        Instant::from_micros(now.as_micros().wrapping_add(self.ahead))
    }

    /// When it will say `local`, seen from `now`; at once if it is past that.
    pub(super) fn when(self, now: Instant, local: Instant) -> Instant {
        now + local.saturating_since(self.read(now))
    }

    /// It leaps forward.
    pub(super) fn leap(&mut self, by: Duration) {
        self.ahead = self.ahead.wrapping_add(by.as_micros());
    }

    /// It has stood still for `span`.
    pub(super) fn stood_still(&mut self, span: Duration) {
        self.ahead = self.ahead.wrapping_sub(span.as_micros());
    }
}
