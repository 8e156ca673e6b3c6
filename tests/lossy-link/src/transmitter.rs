//! The sending end of a link: a drop-tail queue in front of a wire of fixed rate.
//!
//! Arithmetic is exact at any rate: the fraction of a microsecond that a packet leaves over is carried to
//! the next one, so a busy link sends exactly its rate however long it runs.

use alloc::collections::VecDeque;
use core::num::NonZeroU64;

use udp_sec::time::{Duration, Instant};

const MICROS_PER_SECOND: u64 = 1_000_000;

/// A moment within a microsecond: `micros` and `fraction` / rate of one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    micros: Instant,
    fraction: u64,
}

impl Moment {
    /// The first whole microsecond that is not before this moment.
    fn ceil(self) -> Instant {
        self.micros + Duration::from_micros(u64::from(self.fraction > 0))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Transmitter {
    /// Bits per second; `None` for a link without a limit.
    rate: Option<NonZeroU64>,
    /// Packets that may wait.
    capacity: usize,
    /// When the last packet accepted is off the link's hands.
    free_at: Moment,
    /// When each waiting packet begins to be serialised, earliest first.
    waiting: VecDeque<Instant>,
}

impl Transmitter {
    pub(crate) fn new(rate: Option<NonZeroU64>, capacity: usize) -> Self {
        Self { rate, capacity, free_at: Moment::default(), waiting: VecDeque::new() }
    }

    /// Goes on with another rate and another queue; what has been accepted leaves when it would have.
    pub(crate) fn reconfigure(&mut self, rate: Option<NonZeroU64>, capacity: usize) {
        if rate != self.rate {
            // A fraction counts in units of the rate.
            self.free_at = Moment { micros: self.free_at.ceil(), fraction: 0 };
        }
        self.rate = rate;
        self.capacity = capacity;
    }

    /// Takes a packet of `bytes` bytes on the wire at `now`. Returns when its last bit is sent, or `None`
    /// where the queue is full.
    pub(crate) fn admit(&mut self, now: Instant, bytes: u64) -> Option<Instant> {
        let Some(rate) = self.rate else { return Some(now) };
        while self.waiting.front().is_some_and(|&start| start <= now) {
            self.waiting.pop_front();
        }
        let start = self.free_at.max(Moment { micros: now, fraction: 0 });
        let must_wait = start.ceil() > now;
        if must_wait && self.waiting.len() >= self.capacity {
            return None;
        }
        if must_wait {
            self.waiting.push_back(start.ceil());
        }
        // u128: bytes * 8 * 10^6 fits a u64 for any datagram, the sum with a fraction of a huge rate may not.
        let work = u128::from(bytes) * 8 * u128::from(MICROS_PER_SECOND) + u128::from(start.fraction);
        let rate = u128::from(rate.get());
        let micros = u64::try_from(work / rate).unwrap_or(u64::MAX);
        self.free_at =
            Moment { micros: start.micros + Duration::from_micros(micros), fraction: (work % rate) as u64 };
        Some(self.free_at.ceil())
    }
}

#[cfg(test)]
mod tests;
