//! The system's monotonic clock, as microseconds since the clock was made.

use std::time;

use udp_sec::time::Instant;

/// A monotonic clock; its copies agree.
#[derive(Clone, Copy, Debug)]
pub struct HostClock {
    origin: time::Instant,
}

impl HostClock {
    /// A clock that starts at 0 now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "a backend is where the time comes from")]
    pub fn start() -> Self {
        Self { origin: time::Instant::now() }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Instant {
        // 2^64 microseconds are half a million years.
        Instant::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}
