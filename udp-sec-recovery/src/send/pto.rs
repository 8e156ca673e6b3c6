//! The probe timeout and its back-off (RFC 9002 section 6.2): a pure function.

use udp_sec::time::Duration;

use crate::limits::PTO_IDLE_DIVISOR;

/// How long after the last ack-eliciting packet the peer is probed, when `count` probe timeouts in a row have
/// brought no acknowledgement. `base` is [`RttEstimator::pto_base`](super::rtt::RttEstimator::pto_base).
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
