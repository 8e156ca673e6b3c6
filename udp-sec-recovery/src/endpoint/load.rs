//! How many initiations are worth a Diffie-Hellman at the moment (`docs/protocol.md` section 3, "Under load").
//!
//! Two budgets that do not touch each other: one for all initiations whose source nobody has proven, and one for each of
//! a few groups of sources that have shown, by a cookie, that they receive at their address. Whoever floods from
//! addresses of others spends the first; whoever floods from their own, that of their group.

use core::net::{IpAddr, SocketAddr};

use udp_sec::time::{Duration, Instant};

/// Groups that proven sources fall into, by address.
const GROUPS: usize = 32;
/// Initiations that a group is granted per second, and at once.
const PER_GROUP: u16 = 16;
/// In which time a spent budget is full again.
const PERIOD: Duration = Duration::from_secs(1);

/// A budget that fills up with time.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it would be full: each grant moves this a little further into the future.
    full_at: Instant,
}

impl Bucket {
    const FULL: Self = Self { full_at: Instant::ZERO };

    /// Takes one of the `rate` grants of a [`PERIOD`], of which `rate` may be taken at once.
    fn take(&mut self, now: Instant, rate: u16) -> bool {
        let cost = PERIOD / u64::from(rate.max(1));
        let from = self.full_at.max(now);
        let granted = rate > 0 && (from + cost).saturating_since(now) <= PERIOD;
        if granted {
            self.full_at = from + cost;
        }
        granted
    }
}

/// The budgets of one endpoint.
#[derive(Debug)]
pub(super) struct Load {
    /// Grants per second for sources that have proven nothing.
    unproven_rate: u16,
    unproven: Bucket,
    groups: [Bucket; GROUPS],
}

impl Load {
    /// Full budgets.
    pub(super) const fn new(unproven_rate: u16) -> Self {
        Self { unproven_rate, unproven: Bucket::FULL, groups: [Bucket::FULL; GROUPS] }
    }

    /// Whether an initiation from anywhere may cost a Diffie-Hellman now.
    pub(super) fn admits_unproven(&mut self, now: Instant) -> bool {
        self.unproven.take(now, self.unproven_rate)
    }

    /// Whether one from `source`, which is proven, may.
    pub(super) fn admits_proven(&mut self, now: Instant, source: SocketAddr) -> bool {
        self.groups.get_mut(group(source)).is_some_and(|group| group.take(now, PER_GROUP))
    }
}

/// The group of a source: by its address without the port, and for IPv6 by its network.
fn group(source: SocketAddr) -> usize {
    let address = match source.ip() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
    };
    // Multiplicative hashing (Knuth): neighbours fall far apart.
    let mixed = address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    usize::try_from(mixed).unwrap_or(0) % GROUPS
}

#[cfg(test)]
mod tests;
