//! The packet numbers received and not yet known to be acknowledged: what an ACK frame says.
//!
//! This list is apart from the replay window: that one must remember every number it may see again, this one only
//! what the peer still has to hear. `docs/protocol.md` sections 2 and 5, RFC 9000 section 13.2.3.

use core::ops::RangeInclusive;

use heapless::Vec;

use crate::limits::ACK_RANGES_MAX;

/// Received packet numbers as ranges, newest first; neighbouring ranges never touch.
#[derive(Clone, Debug, Default)]
pub struct ReceivedNumbers {
    ranges: Vec<Numbers, ACK_RANGES_MAX>,
    /// The largest number ever received, also when its range has been forgotten.
    largest: Option<u64>,
}

/// How a packet number follows those received before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Insertion {
    /// The next one after the largest so far.
    InOrder,
    /// A new largest number, but numbers before it are missing.
    Gap,
    /// Smaller than the largest, and not on the list: late, or forgotten.
    Reordered,
    /// On the list already.
    Duplicate,
}

/// The numbers `first..=last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Numbers {
    first: u64,
    last: u64,
}

impl Numbers {
    /// Whether `number` is the one after the last.
    fn is_followed_by(self, number: u64) -> bool {
        self.last.checked_add(1) == Some(number)
    }

    /// Whether `number` is the one before the first.
    fn is_preceded_by(self, number: u64) -> bool {
        number.checked_add(1) == Some(self.first)
    }
}

impl ReceivedNumbers {
    /// Nothing received.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new(), largest: None }
    }

    /// Adds `number`. When it needs a range of its own and the list is full, the oldest range is forgotten, and if
    /// `number` is older than all of them, `number` itself: the peer will send that packet's content again.
    pub fn insert(&mut self, number: u64) -> Insertion {
        let Some(largest) = self.largest else {
            self.push_newest(number);
            return if number == 0 { Insertion::InOrder } else { Insertion::Gap };
        };
        if number <= largest {
            return self.insert_late(number);
        }
        match self.ranges.first_mut().filter(|newest| newest.is_followed_by(number)) {
            Some(newest) => newest.last = number,
            None => self.push_newest(number),
        }
        self.largest = Some(number);
        if number.saturating_sub(largest) == 1 { Insertion::InOrder } else { Insertion::Gap }
    }

    /// The largest number ever received.
    #[must_use]
    pub const fn largest(&self) -> Option<u64> {
        self.largest
    }

    /// Whether `number` is on the list.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.ranges.iter().any(|range| range.first <= number && number <= range.last)
    }

    /// The ranges, newest first.
    pub fn iter(&self) -> impl Iterator<Item = RangeInclusive<u64>> + Clone + '_ {
        self.ranges.iter().map(|range| range.first..=range.last)
    }

    /// The number of ranges, at most [`ACK_RANGES_MAX`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is nothing to acknowledge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Takes `number` and all below off the list: the peer has acknowledged an ACK whose largest it was.
    pub fn forget_up_to(&mut self, number: u64) {
        while let Some(oldest) = self.ranges.last_mut() {
            if oldest.last > number {
                // Cannot saturate: `number` is below the last of the range.
                oldest.first = oldest.first.max(number.saturating_add(1));
                return;
            }
            self.ranges.pop();
        }
    }

    /// Whether the list is sorted, disjoint and merged as it must be; for debug builds and tests.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let mut pairs = self.ranges.iter().zip(self.ranges.iter().skip(1));
        let apart = pairs.all(|(newer, older)| older.last.saturating_add(1) < newer.first);
        apart
            && self.ranges.iter().all(|range| range.first <= range.last)
            && self.ranges.first().is_none_or(|newest| Some(newest.last) <= self.largest)
    }

    /// `number`, which is above all others, begins a range of its own.
    fn push_newest(&mut self, number: u64) {
        self.largest = Some(number);
        self.insert_range(0, number);
    }

    /// `number` is not above the largest: it may fill or touch a gap, or be known.
    fn insert_late(&mut self, number: u64) -> Insertion {
        // Late packets are usually late by little, so the search from the newest range ends early.
        let position =
            self.ranges.iter().position(|range| range.first <= number).unwrap_or(self.ranges.len());
        let (newer, older) = self.ranges.split_at_mut_checked(position).unwrap_or_default();
        let newer = newer.last_mut().filter(|range| range.is_preceded_by(number));
        match (newer, older.first_mut()) {
            (_, Some(older)) if number <= older.last => return Insertion::Duplicate,
            (Some(newer), Some(older)) if older.is_followed_by(number) => {
                newer.first = older.first;
                self.ranges.remove(position);
            }
            (Some(newer), _) => newer.first = number,
            (None, Some(older)) if older.is_followed_by(number) => older.last = number,
            _ => self.insert_range(position, number),
        }
        Insertion::Reordered
    }

    /// A range of `number` alone at `position`, at the cost of the oldest if the list is full.
    fn insert_range(&mut self, position: usize, number: u64) {
        if self.ranges.is_full() {
            if position >= self.ranges.len() {
                return;
            }
            self.ranges.pop();
        }
        // There is room now, and `position` is within the list.
        _ = self.ranges.insert(position, Numbers { first: number, last: number });
    }
}

#[cfg(test)]
mod tests;
