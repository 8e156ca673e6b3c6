//! The probe timeout and its back-off (RFC 9002 section 6.2): a pure function.

use udp_sec::time::Duration;

use crate::limits::PTO_IDLE_DIVISOR;

/// The probe timeout without back-off: `computed`, which is
/// [`RttEstimator::pto_base`](super::rtt::RttEstimator::pto_base), unless a single sample has blown it up.
///
/// A peer that stood still for 13 s acknowledges at last what waited in its socket, and RFC 9002's variation makes
/// hundreds of round trips of that, for a dozen of round trips to come. So the variation counts up to three quarters of
/// the smoothed round-trip time (its share of a first sample is half), or until the timeout is `idle`/8, which is as
/// long as back-off makes it. A round trip that has truly grown shows in the smoothed one.
#[must_use]
pub fn base(computed: Duration, smoothed: Duration, max_ack_delay: Duration, idle: Duration) -> Duration {
    computed.min((smoothed * 4 + max_ack_delay).max(idle / PTO_IDLE_DIVISOR))
}

/// How long after the last ack-eliciting packet the peer is probed, when `count` probe timeouts in a row have
/// brought no acknowledgement. `base` is the timeout without back-off.
///
/// It doubles each time (RFC 9002 section 6.2.1) up to `idle`/8, where `idle` is the idle timeout, so that an
/// outage shorter than that ends the session only if several probes in a row were lost; but it always doubles
/// once, however long the path (`docs/protocol.md` section 5).
#[must_use]
pub fn timeout(base: Duration, count: u32, idle: Duration) -> Duration {
    let longest = (base * 2).max(idle / PTO_IDLE_DIVISOR);
    let factor = 1u64.checked_shl(count).unwrap_or(u64::MAX);
    (base * factor).min(longest)
}

#[cfg(test)]
mod tests;
