//! Reassembly: bytes that arrive in any order, in pieces, twice, become readable in order and once.
//!
//! ```text
//!      read_offset      contiguous_end            spans            read_offset + ring
//!  ─────────┼────────────────┼──────────┬──────┬──────────┬────┬────────┼──
//!   read    │ readable       │ missing  │ here │ missing  │here│ room   │
//! ```
//! The bytes lie in a lent ring, the spans above the first gap in a lent range set. The set has a bound, and data at
//! the next expected offset never needs an entry of it: however full it is, a transfer goes on. `docs/protocol.md`
//! sections 4 and 5.

use heapless::vec::VecView;
use udp_sec::error::Reject;

use crate::frame::StreamFrame;
use crate::ring;
use crate::span::{self, Span};

/// What has been received and read of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reassembly {
    /// Everything below was read.
    read_offset: u64,
    /// Everything below was received.
    contiguous_end: u64,
    final_size: Option<u64>,
}

/// What a frame brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Inserted {
    /// Bytes that had not been received before.
    pub fresh: u64,
    /// Bytes that became readable: those of this frame, and those that waited for it.
    pub readable: u64,
}

impl Reassembly {
    /// Nothing received.
    #[must_use]
    pub const fn new() -> Self {
        Self { read_offset: 0, contiguous_end: 0, final_size: None }
    }

    /// Takes in a frame. Bytes known already are harmless; where two copies of a byte differ, either is kept, but a
    /// byte that can be read does not change any more. `credit` is the offset granted to the peer.
    ///
    /// # Errors
    /// All leave the state as it was. The first two end the session:
    /// - [`Reject::FlowControlViolation`]: the frame ends above `credit`, or above what the ring can hold.
    /// - [`Reject::FinalSizeChanged`]: a second final size, or bytes above the final size.
    /// - [`Reject::ReassemblyOverflow`]: the frame leaves a gap before it and `spans` is full. The packet must not
    ///   be acknowledged, so that these bytes come again.
    pub fn insert(
        &mut self,
        bytes: &mut [u8],
        spans: &mut VecView<Span>,
        frame: &StreamFrame<'_>,
        credit: u64,
    ) -> Result<Inserted, Reject> {
        let span = frame.span();
        let room_end = self.read_offset.saturating_add(bytes.len() as u64);
        if span.end > credit.min(room_end) {
            return Err(Reject::FlowControlViolation);
        }
        self.check_final_size(spans, span, frame.fin)?;

        let inserted = if span.start <= self.contiguous_end {
            self.extend(bytes, spans, frame)
        } else {
            let fresh = span::insert(spans, span).map_err(|_| Reject::ReassemblyOverflow)?;
            ring::copy_in(bytes, span.start, frame.data);
            Inserted { fresh, readable: 0 }
        };
        if frame.fin {
            self.final_size = Some(span.end);
        }
        Ok(inserted)
    }

    /// Reads into `out`, and returns how many bytes: 0 when none are readable.
    pub fn read(&mut self, bytes: &[u8], out: &mut [u8]) -> usize {
        let len = out.len().min(self.readable());
        let count = out.get_mut(..len).map_or(0, |out| ring::copy_out(bytes, self.read_offset, out));
        self.consume(count)
    }

    /// The readable bytes where they lie, in at most two pieces; for readers that need no copy.
    #[must_use]
    pub fn readable_slices<'b>(&self, bytes: &'b [u8]) -> (&'b [u8], &'b [u8]) {
        ring::slices(bytes, self.read_offset, self.readable())
    }

    /// Frees the first `count` readable bytes, or all if there are fewer, and returns how many.
    pub fn consume(&mut self, count: usize) -> usize {
        let count = count.min(self.readable());
        self.read_offset = self.read_offset.saturating_add(count as u64);
        count
    }

    /// The number of bytes that can be read now.
    #[must_use]
    pub fn readable(&self) -> usize {
        // No more than the ring holds, which `usize` counted.
        usize::try_from(self.contiguous_end.saturating_sub(self.read_offset)).unwrap_or(usize::MAX)
    }

    /// The offset of the next byte to be read.
    #[must_use]
    pub const fn read_offset(&self) -> u64 {
        self.read_offset
    }

    /// The offset of the first byte that is missing.
    #[must_use]
    pub const fn contiguous_end(&self) -> u64 {
        self.contiguous_end
    }

    /// The size of the stream, once the peer's FIN has told it.
    #[must_use]
    pub const fn final_size(&self) -> Option<u64> {
        self.final_size
    }

    /// Whether the whole stream has been received.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.final_size == Some(self.contiguous_end)
    }

    /// Whether the whole stream has been read.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.final_size == Some(self.read_offset)
    }

    /// Whether the offsets and `spans` agree, with a ring of `capacity` bytes; for debug builds and tests.
    #[must_use]
    pub fn is_consistent(&self, spans: &[Span], capacity: usize) -> bool {
        let received_end = self.received_end(spans);
        span::is_consistent(spans)
            && self.read_offset <= self.contiguous_end
            && received_end.saturating_sub(self.read_offset) <= capacity as u64
            && spans.first().is_none_or(|first| first.start > self.contiguous_end)
            && self.final_size.is_none_or(|size| received_end <= size)
    }

    /// Takes in a frame that leaves no gap before it: the usual case, in which `spans` is empty and stays so.
    fn extend(&mut self, bytes: &mut [u8], spans: &mut VecView<Span>, frame: &StreamFrame<'_>) -> Inserted {
        let before = self.contiguous_end;
        let known = usize::try_from(before.saturating_sub(frame.offset)).unwrap_or(usize::MAX);
        let Some(fresh) = frame.data.get(known..).filter(|fresh| !fresh.is_empty()) else {
            return Inserted::default();
        };
        ring::copy_in(bytes, before, fresh);
        let mut end = before.saturating_add(fresh.len() as u64);
        let mut waiting = 0;
        if let Some(last) = spans.iter().take_while(|waiting| waiting.start <= end).last().copied() {
            end = end.max(last.end);
            waiting = span::remove_below(spans, end);
        }
        self.contiguous_end = end;
        let readable = end.saturating_sub(before);
        Inserted { fresh: readable.saturating_sub(waiting), readable }
    }

    /// RFC 9000 section 4.5: the final size, once known, is final.
    fn check_final_size(&self, spans: &[Span], span: Span, fin: bool) -> Result<(), Reject> {
        let consistent = match self.final_size {
            Some(size) if fin => span.end == size,
            Some(size) => span.end <= size,
            None if fin => span.end >= self.received_end(spans),
            None => true,
        };
        if consistent { Ok(()) } else { Err(Reject::FinalSizeChanged) }
    }

    /// One past the highest offset received.
    fn received_end(&self, spans: &[Span]) -> u64 {
        spans.last().map_or(self.contiguous_end, |last| last.end)
    }
}

#[cfg(test)]
mod tests;
