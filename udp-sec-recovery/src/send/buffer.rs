//! What the application wrote: unsent, in flight, lost or acknowledged, by stream offset.
//!
//! ```text
//!          base              next          written        base + capacity
//!  ─────────┼─────────────────┼───────────────┼─────────────────┼──
//!   freed   │ sent: in flight,│ never sent    │ room to write   │
//!           │ acked or lost   │               │                 │
//! ```
//! Lost and acknowledged ranges between `base` and `next` live in two lent range sets. A full set never blocks
//! progress: it costs at worst that bytes are sent again which need not have been (`docs/protocol.md` section 5).

use heapless::vec::VecView;

use crate::memory::Memory;
use crate::ring;
use crate::span::{self, Span};

/// The send side of the stream; its bytes and range sets are lent at each call.
#[derive(Debug, Default)]
pub struct SendBuffer {
    base: u64,
    next: u64,
    written: u64,
    fin: Fin,
}

/// Where the end of the stream stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Fin {
    /// The application may write more.
    #[default]
    Open,
    /// Finished; the FIN has to be sent, perhaps again.
    Unsent,
    InFlight,
    Acked,
}

/// Bytes to put into one STREAM frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Which bytes; empty only together with `fin`.
    pub span: Span,
    /// Whether the stream ends with it.
    pub fin: bool,
    /// Why these bytes are sent.
    pub kind: ChunkKind,
}

/// Why bytes are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkKind {
    /// For the first time.
    Fresh,
    /// They were declared lost.
    Lost,
    /// They are in flight, and a probe repeats them.
    Probe,
}

impl SendBuffer {
    /// Copies as much of `data` as fits into the ring; the number of bytes taken, 0 when it is full or finished.
    pub fn write(&mut self, ring: &mut [u8], data: &[u8]) -> usize {
        if self.fin != Fin::Open {
            return 0;
        }
        let free = self.free(ring.len());
        let taken = data.len().min(free);
        let Some(data) = data.get(..taken) else { return 0 };
        ring::copy_in(ring, self.written, data);
        self.written = self.written.saturating_add(taken as u64);
        taken
    }

    /// Ends the stream after what has been written.
    pub fn finish(&mut self) {
        if self.fin == Fin::Open {
            self.fin = Fin::Unsent;
        }
    }

    /// Bytes that can be written now, in a ring of `capacity` bytes.
    #[must_use]
    pub fn free(&self, capacity: usize) -> usize {
        let used = usize::try_from(self.written.saturating_sub(self.base)).unwrap_or(usize::MAX);
        capacity.saturating_sub(used)
    }

    /// Bytes written and never sent, or lost and not sent again.
    #[must_use]
    pub fn unsent(&self, lost: &VecView<Span>) -> u64 {
        self.written.saturating_sub(self.next).saturating_add(span::total_len(lost))
    }

    /// Bytes written and not yet acknowledged.
    #[must_use]
    pub fn unacknowledged(&self) -> u64 {
        self.written.saturating_sub(self.base)
    }

    /// Whether the application has finished the stream.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.fin != Fin::Open
    }

    /// Whether every byte and the FIN have been acknowledged.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.fin == Fin::Acked && self.base == self.written
    }

    /// Whether the peer's `credit` is what keeps unsent bytes from leaving; at which offset.
    #[must_use]
    pub fn blocked_at(&self, credit: u64) -> Option<u64> {
        (self.next < self.written && self.next >= credit).then_some(self.next)
    }

    /// The next bytes to send, at most `room`: the lowest lost ones first, then new ones below `credit`.
    #[must_use]
    pub fn next_chunk(&self, lost: &VecView<Span>, room: usize, credit: u64) -> Option<Chunk> {
        let room = room as u64;
        if let Some(first) = lost.first() {
            let span = Span { start: first.start, end: first.end.min(first.start.saturating_add(room)) };
            return (room > 0).then(|| self.chunk(span, ChunkKind::Lost));
        }
        let end = self.written.min(credit).min(self.next.saturating_add(room));
        if self.next < end {
            return Some(self.chunk(Span { start: self.next, end }, ChunkKind::Fresh));
        }
        let only_fin_is_left = self.fin == Fin::Unsent && self.next == self.written;
        only_fin_is_left
            .then(|| self.chunk(Span { start: self.written, end: self.written }, ChunkKind::Fresh))
    }

    /// The part of `sent`, a range in flight, that a probe should repeat, at most `room` bytes.
    #[must_use]
    pub fn probe_chunk(&self, sent: Span, fin: bool, room: usize) -> Option<Chunk> {
        let start = sent.start.max(self.base);
        let end = sent.end.min(start.saturating_add(room as u64));
        let worth_sending = start < end || (fin && self.fin == Fin::InFlight && start == self.written);
        worth_sending.then(|| self.chunk(Span { start, end: end.max(start) }, ChunkKind::Probe))
    }

    fn chunk(&self, span: Span, kind: ChunkKind) -> Chunk {
        Chunk { span, fin: self.is_finished() && span.end == self.written, kind }
    }

    /// `chunk` has left in a packet.
    pub fn on_sent(&mut self, lost: &mut VecView<Span>, chunk: Chunk) {
        match chunk.kind {
            ChunkKind::Fresh => self.next = self.next.max(chunk.span.end),
            // Cutting off the front of the first range can neither split nor overflow the set.
            ChunkKind::Lost => _ = span::remove(lost, chunk.span),
            ChunkKind::Probe => {}
        }
        if chunk.fin && self.fin == Fin::Unsent {
            self.fin = Fin::InFlight;
        }
    }

    /// The peer has `span` (and the FIN). Frees what is now acknowledged without a gap.
    pub fn on_acked(&mut self, acked: &mut VecView<Span>, lost: &mut VecView<Span>, span: Span, fin: bool) {
        if fin {
            self.fin = Fin::Acked;
        }
        let span = Span { start: span.start.max(self.base), end: span.end };
        if span.start >= span.end {
            return;
        }
        // Only a hole in a full set can fail: then those bytes are sent once more than needed.
        _ = span::remove(lost, span);
        if span.start > self.base {
            self.remember_acked(acked, lost, span);
            return;
        }
        self.base = span.end;
        while let Some(first) = acked.first().copied() {
            if first.start > self.base {
                break;
            }
            self.base = self.base.max(first.end);
            acked.remove(0);
        }
        // Widened lost ranges may reach below the new base; cutting off the front cannot fail.
        _ = span::remove(lost, Span { start: 0, end: self.base });
    }

    /// Notes `span` as acknowledged; where no entry is left, the highest range is forgotten and sent again.
    fn remember_acked(&mut self, acked: &mut VecView<Span>, lost: &mut VecView<Span>, span: Span) {
        if span::insert(acked, span).is_ok() {
            return;
        }
        let highest = acked.last().copied().filter(|last| last.start > span.start);
        let forgotten = match highest {
            Some(highest) => {
                acked.pop();
                _ = span::insert(acked, span);
                highest
            }
            None => span,
        };
        mark_lost(lost, forgotten);
    }

    /// The packet with `span` (and the FIN) was lost: what of it is not acknowledged has to be sent again.
    pub fn on_lost(&mut self, acked: &VecView<Span>, lost: &mut VecView<Span>, span: Span, fin: bool) {
        if fin && self.fin == Fin::InFlight {
            self.fin = Fin::Unsent;
        }
        let mut start = span.start.max(self.base);
        let first = acked.partition_point(|known| known.end <= start);
        for known in acked.iter().skip(first).take_while(|known| known.start < span.end) {
            mark_lost(lost, Span { start, end: known.start });
            start = known.end;
        }
        mark_lost(lost, Span { start, end: span.end });
    }

    /// The peer has everything (its CLOSE said so).
    pub fn acknowledge_all(&mut self, memory: &mut Memory<'_>) {
        self.base = self.written;
        self.next = self.written;
        if self.is_finished() {
            self.fin = Fin::Acked;
        }
        memory.acked.clear();
        memory.lost.clear();
    }

    /// Panics where the state contradicts itself; for debug builds and tests.
    pub fn check(&self, memory: &Memory<'_>) {
        debug_assert!(self.base <= self.next && self.next <= self.written);
        debug_assert!(self.written.saturating_sub(self.base) <= memory.send.len() as u64);
        debug_assert!(memory.lost.last().is_none_or(|last| last.end <= self.next));
        debug_assert!(memory.lost.first().is_none_or(|first| first.start >= self.base));
        debug_assert!(memory.acked.first().is_none_or(|first| first.start > self.base));
        debug_assert!(memory.acked.last().is_none_or(|last| last.end <= self.next));
    }
}

/// Adds `span` to the set of lost ranges. A full set takes it by widening its nearest range over the gap: bytes
/// sent again without need do no harm, bytes forgotten would.
fn mark_lost(lost: &mut VecView<Span>, span: Span) {
    if span.start >= span.end || span::insert(lost, span).is_ok() {
        return;
    }
    let after = lost.partition_point(|known| known.start < span.start);
    let gap_below =
        after.checked_sub(1).and_then(|i| lost.get(i)).map(|low| span.start.saturating_sub(low.end));
    let gap_above = lost.get(after).map(|high| high.start.saturating_sub(span.end));
    let widened = match (gap_below, gap_above) {
        (Some(below), Some(above)) if below > above => {
            Span { start: span.start, end: span.end.saturating_add(above) }
        }
        (None, Some(above)) => Span { start: span.start, end: span.end.saturating_add(above) },
        (Some(below), _) => Span { start: span.start.saturating_sub(below), end: span.end },
        (None, None) => span,
    };
    // Touches an existing range by construction, so it merges and needs no new entry.
    _ = span::insert(lost, widened);
}

#[cfg(test)]
mod tests;
