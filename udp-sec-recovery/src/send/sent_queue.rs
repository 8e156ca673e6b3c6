//! The packets that may still be acknowledged, oldest first, in a lent deque.
//!
//! Only ack-eliciting packets are kept: a packet of nothing but an ACK is neither acknowledged for its own sake nor
//! counted in flight (RFC 9002 section 2). A packet declared lost stays for a while, so that a late
//! acknowledgement can tell that the loss was spurious.

use core::ops::RangeInclusive;

use heapless::deque::DequeView;
use udp_sec::time::Instant;

use crate::span::Span;

/// What has become of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Neither acknowledged nor lost.
    InFlight,
    /// Acknowledged; leaves the queue as soon as it is the oldest.
    Acked,
    /// Declared lost, and remembered in case the declaration was wrong.
    Lost,
}

/// Control frames that a packet carried, apart from what has a field of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Carried(u8);

impl Carried {
    /// Nothing that would have to be sent again.
    pub const NOTHING: Self = Self(0);
    /// A FIN, with or without stream bytes.
    pub const FIN: Self = Self(1);
    /// MAX_DATA with the credit in [`SentPacket::credit`].
    pub const MAX_DATA: Self = Self(2);
    /// DATA_BLOCKED.
    pub const DATA_BLOCKED: Self = Self(4);

    /// Whether `self` has all of `other`.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One ack-eliciting packet.
#[derive(Clone, Copy, Debug)]
pub struct SentPacket {
    /// Its packet number.
    pub number: u64,
    /// When it left.
    pub sent_at: Instant,
    /// First stream byte in it; meaningless where `stream_len` is 0.
    pub stream_start: u64,
    /// The credit a MAX_DATA in it granted; meaningless without one.
    pub credit: u64,
    /// One more than the largest number its ACK frame acknowledged; 0 without an ACK frame.
    pub acked_below: u64,
    /// Stream bytes in it.
    pub stream_len: u16,
    /// Size of the datagram in bytes.
    pub size: u16,
    /// Control frames in it.
    pub carried: Carried,
    /// What has become of it.
    pub fate: Fate,
}

impl SentPacket {
    /// The stream bytes in it.
    #[must_use]
    pub const fn stream(&self) -> Span {
        Span { start: self.stream_start, end: self.stream_start.saturating_add(self.stream_len as u64) }
    }
}

/// Position of the first packet whose number is at least `number`; the queue's length if there is none.
#[must_use]
pub fn position(queue: &DequeView<SentPacket>, number: u64) -> usize {
    let (older, newer) = queue.as_slices();
    match older.last() {
        Some(last) if last.number >= number => older.partition_point(|packet| packet.number < number),
        _ => older.len() + newer.partition_point(|packet| packet.number < number),
    }
}

/// The positions that hold the packets numbered in `numbers` (some numbers may have no packet here).
#[must_use]
pub fn positions(queue: &DequeView<SentPacket>, numbers: &RangeInclusive<u64>) -> core::ops::Range<usize> {
    let start = position(queue, *numbers.start());
    let end = numbers.end().checked_add(1).map_or(queue.storage_len(), |after| position(queue, after));
    start..end.max(start)
}

#[cfg(test)]
mod tests;
