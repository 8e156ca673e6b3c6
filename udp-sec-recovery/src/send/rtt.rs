//! Round-trip time: smoothed, varying, smallest, latest (RFC 9002 section 5), and the spans derived from them.
//!
//! The two averages are kept multiplied by the inverse of their weights, 8 and 4, so that integer division neither
//! loses the low bits of a sample nor keeps the average from reaching a steady round-trip time.

use udp_sec::time::{Duration, Instant};

use crate::limits::{
    GRANULARITY, INITIAL_RTT, RTT_GROWTH_MAX, TIME_THRESHOLD_DENOMINATOR, TIME_THRESHOLD_NUMERATOR,
};

const SMOOTHED_SCALE: u64 = 8;
const VARIATION_SCALE: u64 = 4;

// `loss_delay` multiplies by 1 + 1/8 without an intermediate that could saturate.
const _: () = assert!(TIME_THRESHOLD_NUMERATOR == TIME_THRESHOLD_DENOMINATOR + 1);

/// What is known about the round-trip time of a path.
#[derive(Clone, Copy, Debug)]
pub struct RttEstimator {
    smoothed_by_8: Duration,
    variation_by_4: Duration,
    min: Duration,
    latest: Duration,
    first_sample_at: Option<Instant>,
    cut: Option<Cut>,
}

/// A sample was longer than it can count for.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// When: samples of packets sent before that are cut alike.
    at: Instant,
    longest: Duration,
}

impl RttEstimator {
    /// No sample yet: 333 ms, give or take half (RFC 9002 section 6.2.2).
    #[must_use]
    pub fn new() -> Self {
        Self {
            smoothed_by_8: INITIAL_RTT * SMOOTHED_SCALE,
            variation_by_4: (INITIAL_RTT / 2) * VARIATION_SCALE,
            min: Duration::ZERO,
            latest: Duration::ZERO,
            first_sample_at: None,
            cut: None,
        }
    }

    /// Starts from the round-trip time of the handshake, which is known where its message was sent only once
    /// (`docs/protocol.md` section 5). It counts as a sample that precedes every packet.
    #[must_use]
    pub fn with_handshake_sample(rtt: Duration) -> Self {
        let mut estimator = Self::new();
        estimator.on_sample(rtt, Duration::ZERO, Instant::ZERO);
        estimator
    }

    /// Takes the sample `latest` that an acknowledgement gave at `now`, in which the peer says it waited
    /// `ack_delay`. The caller sees to it that the largest number acknowledged is newly acknowledged and
    /// something ack-eliciting is (RFC 9002 section 5.1), and caps `ack_delay` by the peer's parameter.
    pub fn on_sample(&mut self, latest: Duration, ack_delay: Duration, now: Instant) {
        let latest = self.cut_to_size(latest, now);
        self.latest = latest;
        if self.first_sample_at.is_none() {
            self.first_sample_at = Some(now);
            self.min = latest;
            self.smoothed_by_8 = latest * SMOOTHED_SCALE;
            self.variation_by_4 = (latest / 2) * VARIATION_SCALE;
            return;
        }
        // RFC 9002 section 5.2: the minimum ignores the delay that the peer reports.
        self.min = self.min.min(latest);
        // RFC 9002 section 5.3: a reported delay never takes a sample below the minimum, so a peer that lies
        // cannot make the path look faster than it has ever been.
        let adjusted = if latest >= self.min + ack_delay { latest - ack_delay } else { latest };
        // RFC 9002 appendix A.7: the variation is measured against the average before this sample.
        let deviation = self.smoothed().abs_diff(adjusted);
        self.variation_by_4 = self.variation_by_4 - self.variation() + deviation;
        self.smoothed_by_8 = self.smoothed_by_8 - self.smoothed() + adjusted;
    }

    /// What a sample counts for. When an end has stood still for seconds, all that was under way comes at once, and each
    /// acknowledgement says that the round trip takes seconds: RFC 9002's averages would believe it, for dozens of round
    /// trips to come in which every loss at the end of a flight costs as long. So one such burst counts for no more than
    /// a few probe timeouts, however many samples it brings; a path that is so long from now on shows in the next.
    fn cut_to_size(&mut self, latest: Duration, now: Instant) -> Duration {
        if self.first_sample_at.is_none() {
            return latest;
        }
        let sent = now.checked_sub(latest).unwrap_or(Instant::ZERO);
        let longest = match self.cut {
            Some(cut) if sent < cut.at => cut.longest,
            _ => self.pto_base(Duration::ZERO) * RTT_GROWTH_MAX,
        };
        if latest <= longest {
            return latest;
        }
        if self.cut.is_none_or(|cut| sent >= cut.at) {
            self.cut = Some(Cut { at: now, longest });
        }
        longest
    }

    /// After persistent congestion the path may be another: the newest sample becomes the minimum (RFC 9002
    /// section 5.2).
    pub fn reset_min(&mut self) {
        self.min = self.latest;
    }

    /// The smoothed round-trip time.
    #[must_use]
    pub fn smoothed(&self) -> Duration {
        self.smoothed_by_8 / SMOOTHED_SCALE
    }

    /// The mean deviation of the samples.
    #[must_use]
    pub fn variation(&self) -> Duration {
        self.variation_by_4 / VARIATION_SCALE
    }

    /// The smallest sample; zero before the first.
    #[must_use]
    pub const fn min(&self) -> Duration {
        self.min
    }

    /// The newest sample; zero before the first.
    #[must_use]
    pub const fn latest(&self) -> Duration {
        self.latest
    }

    /// When the first sample was taken; `None` before it.
    #[must_use]
    pub const fn first_sample_at(&self) -> Option<Instant> {
        self.first_sample_at
    }

    /// Whether there has been a sample.
    #[must_use]
    pub const fn has_sample(&self) -> bool {
        self.first_sample_at.is_some()
    }

    /// The probe timeout before any doubling: smoothed + max(4 × variation, 1 ms) + `max_ack_delay`, the longest
    /// time the peer may hold an acknowledgement back (RFC 9002 section 6.2.1).
    #[must_use]
    pub fn pto_base(&self, max_ack_delay: Duration) -> Duration {
        self.smoothed() + self.variation_by_4.max(GRANULARITY) + max_ack_delay
    }

    /// How long after it left a packet is lost, once a later one has been acknowledged: 9/8 of the latest or the
    /// smoothed round-trip time, whichever is longer, and at least 1 ms (RFC 9002 section 6.1.2).
    #[must_use]
    pub fn loss_delay(&self) -> Duration {
        let rtt = self.latest.max(self.smoothed());
        (rtt + rtt / TIME_THRESHOLD_DENOMINATOR).max(GRANULARITY)
    }
}

impl Default for RttEstimator {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
