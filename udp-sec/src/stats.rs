//! Counters of what was dropped, one for each [`Reject`].

use core::fmt;

use crate::error::Reject;

/// How often each [`Reject`] happened.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectCounts([u64; Reject::ALL.len()]);

impl RejectCounts {
    /// All zero.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; Reject::ALL.len()])
    }

    /// Counts one `reject`.
    pub fn count(&mut self, reject: Reject) {
        if let Some(counter) = self.0.get_mut(reject as usize) {
            *counter = counter.saturating_add(1);
        }
    }

    /// How often `reject` happened.
    #[must_use]
    pub fn get(&self, reject: Reject) -> u64 {
        self.0.get(reject as usize).copied().unwrap_or(0)
    }

    /// All rejects together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Each reject that happened, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Reject, u64)> + '_ {
        Reject::ALL.iter().copied().zip(self.0.iter().copied()).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Debug for RejectCounts {
    /// Only what happened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(reject, count)| (reject.label(), count))).finish()
    }
}

impl Default for RejectCounts {
    fn default() -> Self {
        Self::new()
    }
}
