//! Ranges of stream offsets, and sets of them in lent memory: what arrived out of order, what is lost, what is
//! acknowledged.
//!
//! A set is a `VecView<Span>` that only the functions here change. It is kept sorted, and its spans are disjoint,
//! not empty, and do not touch: adjacent ones are merged. A change costs a binary search and at most one move of
//! the spans above it.

use core::ops::Range;

use heapless::vec::VecView;

use crate::limits::Full;

/// The stream offsets `start..end`; empty unless `start < end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// The first offset in it.
    pub start: u64,
    /// The first offset after it.
    pub end: u64,
}

impl Span {
    /// The offsets `start..end`.
    #[must_use]
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// The number of bytes in it.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The bytes that are in both; empty if there are none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

/// Adds `span` to `set` and returns how many of its bytes were not in there before.
///
/// # Errors
/// [`Full`] when it takes an entry of its own and none is left; `set` is as it was.
pub fn insert(set: &mut VecView<Span>, span: Span) -> Result<u64, Full> {
    if span.is_empty() {
        return Ok(0);
    }
    let first = set.partition_point(|known| known.end < span.start);
    let merged = touching(set, first, span);
    let Some(low) = set.get(first).copied().filter(|_| !merged.is_empty()) else {
        return set.insert(first, span).map(|()| span.len()).map_err(|_| Full);
    };

    let mut end = span.end;
    let mut known_before = 0_u64;
    for known in set.iter().skip(first).take(merged.len()) {
        known_before = known_before.saturating_add(known.intersection(span).len());
        end = end.max(known.end);
    }
    if let Some(entry) = set.get_mut(first) {
        *entry = Span { start: low.start.min(span.start), end };
    }
    drop(set.drain(merged.start.saturating_add(1)..merged.end));
    Ok(span.len().saturating_sub(known_before))
}

/// Takes `span` out of `set` and returns how many of its bytes were in there.
///
/// # Errors
/// [`Full`] when it leaves a hole inside one span, and no entry is left for the second half; `set` is as it was.
pub fn remove(set: &mut VecView<Span>, span: Span) -> Result<u64, Full> {
    if span.is_empty() {
        return Ok(0);
    }
    let first = set.partition_point(|known| known.end <= span.start);
    let Some(low) = set.get(first).copied().filter(|known| known.start < span.end) else { return Ok(0) };
    if low.start < span.start && span.end < low.end {
        return split(set, first, span);
    }

    let mut removed = 0_u64;
    let mut emptied = first..first;
    for (index, known) in
        set.iter_mut().enumerate().skip(first).take_while(|(_, known)| known.start < span.end)
    {
        removed = removed.saturating_add(known.intersection(span).len());
        if known.start < span.start {
            known.end = span.start;
            emptied = index.saturating_add(1)..index.saturating_add(1);
        } else if known.end > span.end {
            known.start = span.end;
        } else {
            emptied.end = index.saturating_add(1);
        }
    }
    drop(set.drain(emptied));
    Ok(removed)
}

/// Takes everything below `offset` out of `set` and returns how many bytes that was. Needs no entry.
pub fn remove_below(set: &mut VecView<Span>, offset: u64) -> u64 {
    remove(set, Span { start: 0, end: offset }).unwrap_or(0)
}

/// Whether the byte at `offset` is in `set`.
#[must_use]
pub fn contains(set: &[Span], offset: u64) -> bool {
    let first = set.partition_point(|known| known.end <= offset);
    set.get(first).is_some_and(|known| known.start <= offset)
}

/// The number of bytes in `set`.
#[must_use]
pub fn total_len(set: &[Span]) -> u64 {
    set.iter().fold(0, |sum, known| sum.saturating_add(known.len()))
}

/// Whether `set` is sorted, disjoint and merged as it must be; for debug builds and tests.
#[must_use]
pub fn is_consistent(set: &[Span]) -> bool {
    let merged = set.iter().zip(set.iter().skip(1)).all(|(low, high)| low.end < high.start);
    merged && set.iter().all(|known| !known.is_empty())
}

/// The positions, from `first` on, of the spans that overlap or touch `span`.
fn touching(set: &[Span], first: usize, span: Span) -> Range<usize> {
    let count = set.iter().skip(first).take_while(|known| known.start <= span.end).count();
    first..first.saturating_add(count)
}

/// Cuts `hole`, which lies strictly inside the span at `index`, out of it.
fn split(set: &mut VecView<Span>, index: usize, hole: Span) -> Result<u64, Full> {
    let Some(low) = set.get(index).copied() else { return Ok(0) };
    let upper = Span { start: hole.end, end: low.end };
    set.insert(index.saturating_add(1), upper).map_err(|_| Full)?;
    if let Some(entry) = set.get_mut(index) {
        entry.end = hole.start;
    }
    Ok(hole.len())
}

#[cfg(test)]
mod tests;
