//! What arrives: records, opened one by one where they lie, and read from there.
//!
//! ```text
//! memory  | read | text to read | tag | records, the last one maybe cut | room |
//!         0    text           text_end  next                           end
//! ```
//! The next record is opened once the text before it has been read. Bytes are moved at most once for each record, and
//! only when it would not fit behind those before it.

use udp_sec::error::Reject;
use udp_sec::session::record::RecordSession;

use super::memory::{Buffer, INBOUND_MIN};
use super::record::{self, Expected, HEADER_LEN, KIND_LEN, Record};

/// A queue of bytes from the wire.
#[derive(Debug)]
pub(super) struct Inbox<B> {
    memory: B,
    text: usize,
    text_end: usize,
    next: usize,
    end: usize,
}

/// A record that opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opened {
    /// It says this.
    Record(Record),
    /// The peer sealed what no peer should say.
    Malformed,
}

impl Opened {
    /// Whether the peer wants to hear something in return.
    pub(super) const fn is_eliciting(self) -> bool {
        matches!(self, Self::Record(record) if record.is_eliciting())
    }
}

impl<B: Buffer> Inbox<B> {
    pub(super) const fn new(memory: B) -> Self {
        Self { memory, text: 0, text_end: 0, next: 0, end: 0 }
    }

    /// Whether there is text to read.
    pub(super) const fn has_text(&self) -> bool {
        self.text < self.text_end
    }

    /// Where the next bytes from the wire go; empty while text has to be read first.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if !self.has_text() {
            let held = self.end.saturating_sub(self.next);
            let behind = self.memory.as_ref().len().saturating_sub(self.next);
            // Of a record whose length is not known, or has yet to be refused, the longest is assumed.
            if held == 0 || behind < INBOUND_MIN && self.cut_record() > behind {
                self.memory.as_mut().copy_within(self.next..self.end, 0);
                (self.text, self.text_end, self.next, self.end) = (0, 0, 0, held);
            }
        }
        self.memory.as_mut().get_mut(self.end..).unwrap_or_default()
    }

    /// Bytes of the next record, its frame included.
    fn cut_record(&self) -> usize {
        let held = self.memory.as_ref().get(self.next..self.end).unwrap_or_default();
        let len = record::len(held, Expected::Sealed).ok().flatten();
        len.map_or(INBOUND_MIN, |len| len.saturating_add(HEADER_LEN))
    }

    /// `count` bytes have been put into the [`room`](Self::room).
    pub(super) fn received(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.memory.as_ref().len());
    }

    /// Moves text into `buf`, and returns how much.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> usize {
        let text = self.memory.as_ref().get(self.text..self.text_end).unwrap_or_default();
        let count = text.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), text.get(..count)) {
            to.copy_from_slice(from);
        }
        self.text = self.text.saturating_add(count);
        count
    }

    /// Drops everything.
    pub(super) const fn clear(&mut self) {
        (self.text, self.text_end, self.next, self.end) = (0, 0, 0, 0);
    }

    /// Takes the next record as it lies, if it is there as a whole.
    pub(super) fn take(&mut self, expected: Expected) -> Result<Option<&mut [u8]>, Reject> {
        let held = self.memory.as_mut().get_mut(self.next..self.end).unwrap_or_default();
        let Some(len) = record::len(held, expected)? else { return Ok(None) };
        let Some(record) = held.get_mut(HEADER_LEN..).and_then(|rest| rest.get_mut(..len)) else {
            return Ok(None);
        };
        self.next = self.next.saturating_add(HEADER_LEN).saturating_add(len);
        Ok(Some(record))
    }

    /// Opens the next record, if it is there as a whole. Data becomes the text to read.
    pub(super) fn open(&mut self, session: &mut RecordSession) -> Result<Option<Opened>, Reject> {
        let text = self.next.saturating_add(HEADER_LEN).saturating_add(KIND_LEN);
        let Some(record) = self.take(Expected::Sealed)? else { return Ok(None) };
        let opened = session.open(record)?;
        let said = Record::decode(opened.text());
        if said == Some(Record::Data) {
            let len = opened.text().len().saturating_sub(KIND_LEN);
            (self.text, self.text_end) = (text, text.saturating_add(len));
        }
        Ok(Some(said.map_or(Opened::Malformed, Opened::Record)))
    }
}

#[cfg(test)]
mod tests;
