//! Processor time, which other programs on the machine do not lengthen much.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time that this thread has used.
pub(crate) fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Processor time of `work`, and what it returns.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = used();
    let result = work();
    (used().saturating_sub(before), result)
}

/// The median microseconds of one call, of `rounds` rounds of `calls` calls of `work`.
pub(crate) fn micros_of_one(rounds: u32, calls: u32, mut work: impl FnMut()) -> f64 {
    let mut each: Vec<f64> = (0..rounds)
        .map(|_| of(|| (0..calls).for_each(|_| work())).0.as_secs_f64() * 1e6 / f64::from(calls))
        .collect();
    each.sort_unstable_by(f64::total_cmp);
    each[each.len() / 2]
}
