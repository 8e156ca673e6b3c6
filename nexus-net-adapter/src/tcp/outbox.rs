//! What leaves: sealed records, and behind them at most one that is still being filled.
//!
//! ```text
//! memory  | free | sealed records, maybe cut | header, kind, data … | free |
//!         0    start                      sealed                   end
//! ```
//! A record is sealed when it is full, when another kind follows, or when everything that was offered to the wire has
//! left. So it leaves at once on a free path, and grows while TCP is the limit.

use udp_sec::limits::{RECORD_TEXT_MAX, TAG_LEN};
use udp_sec::session::SealError;
use udp_sec::session::record::RecordSession;

use super::memory::Buffer;
use super::record::{self, CONTROL_RESERVE, HEADER_LEN, KIND_LEN, OVERHEAD, Record};

/// A queue of bytes for the wire.
#[derive(Debug)]
pub(super) struct Outbox<B> {
    memory: B,
    start: usize,
    sealed: usize,
    end: usize,
    /// The end of what was offered to the wire.
    offered: usize,
}

impl<B: Buffer> Outbox<B> {
    pub(super) const fn new(memory: B) -> Self {
        Self { memory, start: 0, sealed: 0, end: 0, offered: 0 }
    }

    /// Bytes that have not left, frames and tags included.
    pub(super) const fn unsent(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.unsent() == 0
    }

    /// Whether a quarter of the memory is free.
    pub(super) fn is_roomy(&self) -> bool {
        self.room() >= self.memory.as_ref().len() / 4
    }

    /// Bytes free for data and what surrounds it. Nothing is moved for the sake of less than what it frees, so that
    /// the cost of moving stays below that of one more copy.
    fn room(&self) -> usize {
        let behind = self.memory.as_ref().len().saturating_sub(self.end);
        let moved = if self.start >= self.unsent() { self.start } else { 0 };
        behind.saturating_add(moved).saturating_sub(CONTROL_RESERVE)
    }

    /// Adds a handshake message, which needs no seal.
    pub(super) fn put_message(&mut self, message: &[u8]) -> Option<()> {
        self.put(&record::header(message.len()))?;
        self.put(message)?;
        self.sealed = self.end;
        Some(())
    }

    /// Adds the front of `data`, and returns how much.
    pub(super) fn put_data(&mut self, session: &mut RecordSession, data: &[u8]) -> Result<usize, SealError> {
        let mut taken = 0_usize;
        while let Some(rest) = data.get(taken..).filter(|rest| !rest.is_empty()) {
            let overhead = if self.open_text() == 0 { OVERHEAD } else { TAG_LEN };
            let room = self.room().saturating_sub(overhead);
            let text = self.open_text().max(KIND_LEN);
            let count = rest.len().min(room).min(RECORD_TEXT_MAX.saturating_sub(text));
            if count == 0 {
                break;
            }
            self.open(Record::Data).ok_or(SealError::Size)?;
            self.put(rest.get(..count).unwrap_or_default()).ok_or(SealError::Size)?;
            taken = taken.saturating_add(count);
            if self.open_text() >= RECORD_TEXT_MAX {
                self.seal(session)?;
            }
        }
        Ok(taken)
    }

    /// Adds a record of its own, for which room is always kept.
    pub(super) fn put_record(
        &mut self,
        session: &mut RecordSession,
        record: Record,
    ) -> Result<(), SealError> {
        self.seal(session)?;
        self.open(record).ok_or(SealError::Size)?;
        if let Record::Close(code) = record {
            self.put(&code.to_wire().to_le_bytes()).ok_or(SealError::Size)?;
        }
        self.seal(session)
    }

    /// Drops the data that is not sealed yet; what is sealed has its number and must leave.
    pub(super) const fn drop_unsealed(&mut self) {
        self.end = self.sealed;
    }

    /// Drops everything: nothing can leave any more.
    pub(super) const fn clear(&mut self) {
        (self.start, self.sealed, self.end, self.offered) = (0, 0, 0, 0);
    }

    /// Seals the open record if the wire has taken all that it was offered, and offers what is sealed.
    pub(super) fn ready(&mut self, session: &mut RecordSession) -> Result<(), SealError> {
        if self.start >= self.offered {
            self.seal(session)?;
        }
        self.offered = self.sealed;
        Ok(())
    }

    /// What is to leave now.
    pub(super) fn transmit(&self) -> &[u8] {
        self.memory.as_ref().get(self.start..self.sealed).unwrap_or_default()
    }

    /// The first `count` bytes have left.
    pub(super) fn sent(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.sealed);
        if self.start == self.end {
            self.clear();
        }
    }

    /// Bytes of text in the open record; 0 if there is none.
    const fn open_text(&self) -> usize {
        self.end.saturating_sub(self.sealed).saturating_sub(HEADER_LEN)
    }

    /// Opens a record unless one is open.
    fn open(&mut self, record: Record) -> Option<()> {
        if self.end > self.sealed {
            return Some(());
        }
        self.put(&[0; HEADER_LEN])?;
        self.put(&[record.kind()])
    }

    /// Seals the open record, if there is one.
    fn seal(&mut self, session: &mut RecordSession) -> Result<(), SealError> {
        if self.end == self.sealed {
            return Ok(());
        }
        self.put(&[0; TAG_LEN]).ok_or(SealError::Size)?;
        let whole = self.memory.as_mut().get_mut(self.sealed..self.end).ok_or(SealError::Size)?;
        let (header, record) = whole.split_first_chunk_mut().ok_or(SealError::Size)?;
        *header = record::header(record.len());
        session.seal(record)?;
        self.sealed = self.end;
        Ok(())
    }

    /// Adds `bytes`; `None` if they do not fit.
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let capacity = self.memory.as_ref().len();
        if bytes.len() > capacity.saturating_sub(self.end) {
            self.memory.as_mut().copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.sealed = self.sealed.saturating_sub(self.start);
            self.offered = self.offered.saturating_sub(self.start);
            self.start = 0;
        }
        let end = self.end.checked_add(bytes.len())?;
        self.memory.as_mut().get_mut(self.end..end)?.copy_from_slice(bytes);
        self.end = end;
        Some(())
    }
}

#[cfg(test)]
mod tests;
