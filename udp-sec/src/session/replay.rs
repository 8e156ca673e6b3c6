//! The replay window: which of the newest packet numbers have been seen.
//!
//! `docs/protocol.md` section 2. One bit for each of the newest `64 * words.len()` numbers, at its number modulo that
//! many: an exact window, in words that the caller lends. Numbers are compared only as distances from the largest one,
//! so nothing overflows near 2^64.

use crate::error::Reject;
use crate::limits::{REPLAY_WORDS_MAX, REPLAY_WORDS_MIN};

/// Bits in a word.
const WORD: u64 = u64::BITS as u64;

/// What is known besides the bitmap.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    largest: Option<u64>,
    /// How many numbers have been marked.
    marked: u64,
}

impl Replay {
    /// The largest number that was marked.
    pub(super) const fn largest(&self) -> Option<u64> {
        self.largest
    }

    /// Whether `number` may still come: it is new, and not older than the window.
    ///
    /// The largest number there is, 2^64 - 1, may not: Noise reserves that nonce. With words that are no power of two,
    /// fewer than 4 or more than 128, none may.
    pub(super) fn check(&self, words: &[u64], number: u64) -> Result<(), Reject> {
        let fresh = match self.largest {
            _ if !is_window(words) || number == u64::MAX => false,
            None => true,
            Some(largest) => match largest.checked_sub(number) {
                None => true,
                Some(age) => age < size(words) && !is_set(words, number),
            },
        };
        if fresh { Ok(()) } else { Err(Reject::ReplayOrStalePacketNumber) }
    }

    /// Notes that `number`, which passed [`check`](Self::check) with the same `words`, belongs to an authentic packet.
    pub(super) fn mark(&mut self, words: &mut [u64], number: u64) {
        let advance = match self.largest {
            None => u64::MAX,
            Some(largest) => number.saturating_sub(largest),
        };
        if advance >= size(words) {
            words.fill(0);
        } else {
            clear_below(words, number, advance);
        }
        self.largest = self.largest.max(Some(number));
        set(words, number);
        self.marked = self.marked.saturating_add(1);
    }

    /// Moves to other `words`, whatever is in them.
    ///
    /// After one marked number nothing is forgotten. After more than one, what the old words said is not known here,
    /// and every number up to the largest counts as seen.
    pub(super) fn move_to(&self, words: &mut [u64]) {
        words.fill(if self.marked > 1 { u64::MAX } else { 0 });
        if let Some(largest) = self.largest {
            set(words, largest);
        }
    }
}

const fn is_window(words: &[u64]) -> bool {
    words.len().is_power_of_two() && words.len() >= REPLAY_WORDS_MIN && words.len() <= REPLAY_WORDS_MAX
}

/// Numbers in the window.
const fn size(words: &[u64]) -> u64 {
    (words.len() as u64).saturating_mul(WORD)
}

const fn bit(number: u64) -> u64 {
    1 << (number % WORD)
}

/// The word of `number`.
const fn index(words: &[u64], number: u64) -> usize {
    // The remainder is below `words.len()`, so the cast keeps its value.
    match (number / WORD).checked_rem(words.len() as u64) {
        Some(index) => index as usize,
        None => 0,
    }
}

fn is_set(words: &[u64], number: u64) -> bool {
    words.get(index(words, number)).is_some_and(|word| word & bit(number) != 0)
}

fn set(words: &mut [u64], number: u64) {
    if let Some(word) = words.get_mut(index(words, number)) {
        *word |= bit(number);
    }
}

/// Clears the bits of the `count` numbers up to and including `last`: they held numbers that are now too old.
fn clear_below(words: &mut [u64], last: u64, count: u64) {
    let mut number = last.saturating_sub(count).saturating_add(1);
    let mut left = count;
    while left != 0 {
        let offset = number % WORD;
        let run = left.min(WORD.saturating_sub(offset));
        let mask = (u64::MAX >> WORD.saturating_sub(run)) << offset;
        if let Some(word) = words.get_mut(index(words, number)) {
            *word &= !mask;
        }
        number = number.saturating_add(run);
        left = left.saturating_sub(run);
    }
}

#[cfg(test)]
mod tests;
