//! One stream's worth of bytes, and the peer's receipt for them.

use nexus_net_adapter::mux::{MuxError, PriorityClass, StreamId, StreamName, WindowCredit};
use sha2::{Digest, Sha256};

use crate::pattern::Pattern;
use crate::{Failure, Mux, RECEIPT_LEN, receipt};

/// Bytes that are made at once.
pub(crate) const CHUNK: usize = 1024;

/// Sends so many bytes of a pattern, ends the stream, and compares the receipt.
#[derive(Debug)]
pub(crate) struct Transfer {
    what: &'static str,
    stream: StreamId,
    pattern: Pattern,
    hasher: Sha256,
    total: u64,
    /// Bytes that have not been made yet.
    left: u64,
    chunk: [u8; CHUNK],
    /// The part of `chunk` that the multiplexer has not taken.
    waiting: core::ops::Range<usize>,
    closed: bool,
    receipt: [u8; RECEIPT_LEN],
    received: usize,
}

/// How far a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// Under way.
    Busy,
    /// Stopped by a peer that does not read: its credit is used up.
    Stalled,
    /// Arrived; this is its SHA-256.
    Arrived([u8; 32]),
}

impl Transfer {
    /// Opens the stream `name` for `total` bytes of the pattern `seed`.
    pub(crate) fn begin(
        mux: &mut Mux<'_>,
        what: &'static str,
        class: u8,
        total: u64,
        seed: u64,
    ) -> Result<Self, Failure> {
        let class = PriorityClass::new(class).unwrap_or(PriorityClass::LOWEST);
        let stream = mux.open(class, StreamName::new(what).map_err(MuxError::from)?)?;
        Ok(Self {
            what,
            stream,
            pattern: Pattern::new(seed),
            hasher: Sha256::new(),
            total,
            left: total,
            chunk: [0; CHUNK],
            waiting: 0..0,
            closed: false,
            receipt: [0; RECEIPT_LEN],
            received: 0,
        })
    }

    /// Does what can be done now.
    pub(crate) fn step(&mut self, mux: &mut Mux<'_>) -> Result<Status, Failure> {
        while !self.closed {
            if self.waiting.is_empty() && !self.refill() {
                mux.close(self.stream)?;
                self.closed = true;
                break;
            }
            match mux.write(self.stream, self.chunk.get(self.waiting.clone()).unwrap_or_default()) {
                Ok(count) => self.waiting.start = self.waiting.start.saturating_add(count),
                Err(MuxError::WouldBlock { credit: WindowCredit::NONE }) => return Ok(Status::Stalled),
                Err(MuxError::WouldBlock { .. }) => return Ok(Status::Busy),
                Err(error) => return Err(error.into()),
            }
        }
        self.read_receipt(mux)
    }

    /// Makes the next chunk; `false` if there is none.
    fn refill(&mut self) -> bool {
        let len = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let chunk = self.chunk.get_mut(..len).unwrap_or_default();
        self.pattern.fill(chunk);
        self.hasher.update(&*chunk);
        self.left = self.left.saturating_sub(len as u64);
        self.waiting = 0..len;
        len > 0
    }

    fn read_receipt(&mut self, mux: &mut Mux<'_>) -> Result<Status, Failure> {
        loop {
            // One byte more than there should be: the end has to be seen, and nothing before it.
            let mut room = [0; RECEIPT_LEN + 1];
            let Some(count) = crate::unless_blocked(mux.read(self.stream, &mut room))? else {
                return Ok(Status::Busy);
            };
            if count == 0 {
                break;
            }
            let end = self.received.saturating_add(count);
            let place = self.receipt.get_mut(self.received..end).ok_or(Failure::Mismatch(self.what))?;
            place.copy_from_slice(room.get(..count).unwrap_or_default());
            self.received = end;
        }
        let expected = receipt(self.total, self.hasher.clone());
        if self.received == RECEIPT_LEN && self.receipt == expected {
            Ok(Status::Arrived(self.hasher.clone().finalize().into()))
        } else {
            Err(Failure::Mismatch(self.what))
        }
    }
}
