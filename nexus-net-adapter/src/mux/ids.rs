//! Which ids have been used: one number for the odd ones and one for the even ones, whatever they were used for.
//!
//! Sides that count as [`Side`] says never collide, and then the account is exact. A peer of another make may take any
//! free id, in any order; then an id below the highest counts as used, be it or not.

use super::id::{Side, StreamId};

/// The highest ids so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct UsedIds {
    odd: Option<StreamId>,
    even: Option<StreamId>,
}

impl UsedIds {
    /// The id that `side` takes for its next stream: above all that were used. None is left at the end of the numbers.
    pub(super) fn next(self, side: Side) -> Option<StreamId> {
        self.highest(side).map_or(Some(side.first()), StreamId::next)
    }

    /// `id` is used, by either side.
    pub(super) fn add(&mut self, id: StreamId) {
        let highest = match Side::of(id) {
            Side::Initiator => &mut self.odd,
            Side::Responder => &mut self.even,
        };
        *highest = (*highest).max(Some(id));
    }

    /// Whether `id` may have been used.
    pub(super) fn cover(self, id: StreamId) -> bool {
        self.highest(Side::of(id)).is_some_and(|highest| id <= highest)
    }

    const fn highest(self, side: Side) -> Option<StreamId> {
        match side {
            Side::Initiator => self.odd,
            Side::Responder => self.even,
        }
    }
}

#[cfg(test)]
mod tests;
