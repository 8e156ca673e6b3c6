//! Repeatable randomness: one generator for each thing that can happen to a packet.
//!
//! Because every kind of impairment draws from a generator of its own, switching one on does not shift
//! the others: a run with duplication loses the same packets as the run without.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use udp_sec::time::Duration;

use crate::config::PPM;

/// xoshiro256++: 64-bit integer operations only, hence the same on every platform. Not for cryptography.
#[derive(Clone, Debug)]
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A generator independent of this one (seeded by one number from it).
    pub(crate) fn derive(&mut self) -> Self {
        Self::new(self.0.next_u64())
    }

    /// A number in `0..bound`, or 0 for an empty range. Always takes exactly one number from the
    /// generator, so that what follows does not depend on `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product (Lemire); its bias, bound / 2^64, is nothing beside what tests measure.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether an event of probability `ppm` parts per million happens.
    pub(crate) fn chance(&mut self, ppm: u32) -> bool {
        self.below(u64::from(PPM)) < u64::from(ppm)
    }

    /// A span in `0..=longest`.
    pub(crate) fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(longest.as_micros().saturating_add(1)))
    }
}

/// The seeds of the links toward the server and toward the client of a path seeded with `seed`.
///
/// [`Path`](crate::Path) and the relay both use these, so that one seed means the same losses in both.
#[must_use]
pub fn direction_seeds(seed: u64) -> [u64; 2] {
    let mut root = Random::new(seed);
    [root.0.next_u64(), root.0.next_u64()]
}

#[cfg(test)]
mod tests;
