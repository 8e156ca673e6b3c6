//! Wall time and CPU time of this process.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::report::Side;

/// What one process has used since it was started.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_time() }
    }

    /// Wall time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.wall.elapsed()
    }

    /// Stops, with `bytes` of the stream having passed since the start.
    pub(crate) fn stop(self, bytes: u64) -> Side {
        let cpu = cpu_time().saturating_sub(self.cpu);
        Side { bytes, seconds: self.elapsed().as_secs_f64(), cpu_seconds: cpu.as_secs_f64() }
    }
}

/// User and system time of all threads of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
