//! Pacing (RFC 9002 section 7.7): a token bucket that spreads a window over a round-trip time.
//!
//! The rate is 5/4 of the window per smoothed round-trip time: a little faster than the window needs, so that the
//! window and not the pacer limits a steady sender. It is the same in slow start, where the window still grows by
//! about 1.9 per round trip (the rate follows the window as it grows), and leaves in smaller bursts than a factor
//! of 2 would give. Packets of nothing but an ACK are not paced, nor are probes.
//!
//! Bytes accrue with their fraction carried over, so no rate is too small to make progress and no polling pattern
//! makes the pacer drift.

use udp_sec::time::{Duration, Instant};

use crate::limits::{DATAGRAM_MAX, PACING_DENOMINATOR, PACING_NUMERATOR};

/// A burst of at least this is always allowed, in bytes: the initial window (RFC 9002 section 7.7).
const BURST_MIN: u64 = 10 * DATAGRAM_MAX;
/// And never more than this, in bytes: about as much as one system call hands to the network.
const BURST_MAX: u64 = 64 * DATAGRAM_MAX;
/// Between those, a burst is what accrues in this time.
const BURST_SPAN: Duration = Duration::from_millis(1);
/// Who must wait, waits for the part of a burst that accrues in this share of its time, not for one datagram, so
/// that fast paths get batches. The other half of the bucket keeps the rate up when the timer fires late.
const QUANTUM_DIVISOR: u64 = 2;

/// Whether data may leave now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// This many bytes may leave at once: at least one datagram of full size.
    Ready(u64),
    /// Nothing before this instant, which is after the present one.
    Wait(Instant),
}

/// The token bucket. It starts full.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    /// Bytes that may leave.
    tokens: u64,
    /// The fraction of a byte that accrued, in units of 1/[`Rate::micros`].
    fraction: u64,
    phase: Phase,
}

/// What the bucket is doing, and up to when its tokens are counted. Without this, a small packet would wait for a
/// batch that it does not need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing was asked of it so far.
    New,
    /// Datagrams leave as long as there are tokens for one.
    Spending(Instant),
    /// It ran empty, and fills up to a batch.
    Refilling(Instant),
}

impl Pacer {
    /// A full bucket.
    #[must_use]
    pub const fn new() -> Self {
        Self { tokens: BURST_MIN, fraction: 0, phase: Phase::New }
    }

    /// Asks how much may leave at `now`, with a congestion window of `window` bytes and this smoothed round-trip
    /// time.
    pub fn poll(&mut self, now: Instant, window: u64, smoothed_rtt: Duration) -> Pace {
        let rate = Rate::new(window, smoothed_rtt);
        let (burst, quantum) = rate.burst_and_quantum();
        let (counted_at, needed) = match self.phase {
            Phase::New => (now, DATAGRAM_MAX),
            Phase::Spending(at) => (at, DATAGRAM_MAX),
            Phase::Refilling(at) => (at, quantum),
        };
        self.accrue(now.saturating_since(counted_at), rate, burst);
        let counted_at = counted_at.max(now);
        if self.tokens >= needed {
            self.phase = Phase::Spending(counted_at);
            return Pace::Ready(self.tokens);
        }
        self.phase = Phase::Refilling(counted_at);
        Pace::Wait(now + rate.time_for(quantum.saturating_sub(self.tokens), self.fraction))
    }

    /// `bytes` left: after [`Pace::Ready`], or without asking in a probe.
    pub fn on_sent(&mut self, bytes: u64) {
        self.tokens = self.tokens.saturating_sub(bytes);
    }

    fn accrue(&mut self, elapsed: Duration, rate: Rate, burst: u64) {
        // A fraction of the last rate is less than a byte at this one too, whatever the rates.
        let carried = self.fraction.min(rate.micros.saturating_sub(1));
        // Where this saturates, it is far more than the bucket holds.
        let accrued = elapsed.as_micros().saturating_mul(rate.bytes).saturating_add(carried);
        let whole = accrued.checked_div(rate.micros).unwrap_or(u64::MAX);
        self.fraction = accrued.checked_rem(rate.micros).unwrap_or(0);
        self.tokens = self.tokens.saturating_add(whole);
        if self.tokens >= burst {
            self.tokens = burst;
            self.fraction = 0;
        }
    }
}

impl Default for Pacer {
    fn default() -> Self {
        Self::new()
    }
}

/// `bytes` per `micros`, neither of them 0.
#[derive(Clone, Copy)]
struct Rate {
    bytes: u64,
    micros: u64,
}

impl Rate {
    fn new(window: u64, smoothed_rtt: Duration) -> Self {
        Self {
            bytes: window.saturating_mul(PACING_NUMERATOR).max(1),
            micros: smoothed_rtt.as_micros().saturating_mul(PACING_DENOMINATOR).max(1),
        }
    }

    /// The size of the bucket, and how much of it must have accrued before data leaves.
    fn burst_and_quantum(self) -> (u64, u64) {
        let natural = self.bytes.saturating_mul(BURST_SPAN.as_micros()) / self.micros;
        let quantum = (natural / QUANTUM_DIVISOR).clamp(DATAGRAM_MAX, BURST_MAX / QUANTUM_DIVISOR);
        (natural.clamp(BURST_MIN, BURST_MAX), quantum)
    }

    /// The time until `bytes` have accrued, rounded up so that they have when it is over; at least 1 µs.
    fn time_for(self, bytes: u64, fraction: u64) -> Duration {
        let missing = bytes.saturating_mul(self.micros).saturating_sub(fraction);
        Duration::from_micros(missing.div_ceil(self.bytes).max(1))
    }
}

#[cfg(test)]
mod tests;
