//! Whether one unacknowledged packet is lost (RFC 9002 section 6.1): a pure decision.

use udp_sec::time::{Duration, Instant};

use crate::limits::PACKET_THRESHOLD;

/// What is to be done about an unacknowledged packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is lost.
    Lost,
    /// It is late, and will be lost at this instant, which is after the present one.
    NotYet {
        /// When the time threshold runs out.
        at: Instant,
    },
    /// Nothing sent later has been acknowledged: only the probe timeout can tell (RFC 9002 section 6.2).
    Keep,
}

/// Judges a packet that left at `sent_at` and is not acknowledged at `now`.
///
/// `sent_later` counts the packets sent after it, up to and including the largest acknowledged one; numbers that
/// were skipped on purpose are no packets and must not be counted. 0 where the packet itself is above the largest
/// acknowledged. `loss_delay` is [`RttEstimator::loss_delay`](super::rtt::RttEstimator::loss_delay).
#[must_use]
pub fn judge(sent_at: Instant, sent_later: u64, loss_delay: Duration, now: Instant) -> Verdict {
    // RFC 9002 section 6.1: only a packet sent before an acknowledged one can be declared lost.
    if sent_later == 0 {
        return Verdict::Keep;
    }
    // RFC 9002 section 6.1.1: the packet threshold.
    if sent_later >= PACKET_THRESHOLD {
        return Verdict::Lost;
    }
    // RFC 9002 section 6.1.2: the time threshold. Adding to `sent_at` instead of subtracting from `now` is right
    // for a clock that has just started, and makes `at` always later than `now`: a timer set for it cannot spin.
    let at = sent_at + loss_delay;
    if now >= at { Verdict::Lost } else { Verdict::NotYet { at } }
}

#[cfg(test)]
mod tests;
