//! Writing frames into the room that a packet has for them.

use udp_sec::error::CloseCode;
use udp_sec::packet_number;
use udp_sec::time::Duration;

use super::ack::{Run, runs};
use super::kind;
use crate::limits::{ACK_DELAY_UNIT, ACK_RANGES_MAX, CLOSE_REASON_MAX, Full, STREAM_OFFSET_MAX};
use crate::recv::ranges::ReceivedNumbers;

/// Bytes of a STREAM frame besides its data: type, offset, length.
pub const STREAM_OVERHEAD: usize = 1 + 8 + 2;
/// Bytes of an ACK frame with one range; each further one takes four.
pub const ACK_OVERHEAD: usize = 1 + 4 + 2 + 1 + 2;
/// Bytes of a CLOSE frame besides its reason.
pub const CLOSE_OVERHEAD: usize = 1 + 2 + 1;

/// Writes frames one after the other, each whole or not at all.
#[derive(Debug)]
pub struct FrameWriter<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl<'a> FrameWriter<'a> {
    /// Writes into `room`, the part of a packet that frames may take.
    #[must_use]
    pub const fn new(room: &'a mut [u8]) -> Self {
        Self { room, len: 0 }
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that can still be written.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.room.len().saturating_sub(self.len)
    }

    /// PING.
    ///
    /// # Errors
    /// [`Full`]: it does not fit.
    pub fn ping(&mut self) -> Result<(), Full> {
        self.put(&[&[kind::PING]])
    }

    /// MAX_DATA: the peer may send up to offset `credit`.
    ///
    /// # Errors
    /// [`Full`]: it does not fit.
    pub fn max_data(&mut self, credit: u64) -> Result<(), Full> {
        self.put(&[&[kind::MAX_DATA], &credit.min(STREAM_OFFSET_MAX).to_le_bytes()])
    }

    /// DATA_BLOCKED: bytes from `offset` on wait for credit.
    ///
    /// # Errors
    /// [`Full`]: it does not fit.
    pub fn data_blocked(&mut self, offset: u64) -> Result<(), Full> {
        self.put(&[&[kind::DATA_BLOCKED], &offset.min(STREAM_OFFSET_MAX).to_le_bytes()])
    }

    /// PATH_CHALLENGE.
    ///
    /// # Errors
    /// [`Full`]: it does not fit.
    pub fn path_challenge(&mut self, challenge: [u8; 8]) -> Result<(), Full> {
        self.put(&[&[kind::PATH_CHALLENGE], &challenge])
    }

    /// PATH_RESPONSE.
    ///
    /// # Errors
    /// [`Full`]: it does not fit.
    pub fn path_response(&mut self, challenge: [u8; 8]) -> Result<(), Full> {
        self.put(&[&[kind::PATH_RESPONSE], &challenge])
    }

    /// CLOSE; of `reason`, as many whole characters as fit.
    ///
    /// # Errors
    /// [`Full`]: it does not fit, not even without a reason.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Full> {
        let room = self.remaining().checked_sub(CLOSE_OVERHEAD).ok_or(Full)?;
        let longest = reason.len().min(room).min(CLOSE_REASON_MAX);
        let reason = (0..=longest).rev().find_map(|len| reason.get(..len)).unwrap_or_default();
        // No more than CLOSE_REASON_MAX.
        let len = u8::try_from(reason.len()).map_err(|_| Full)?;
        self.put(&[&[kind::CLOSE], &code.to_wire().to_le_bytes(), &[len], reason.as_bytes()])
    }

    /// ACK of as many of the newest ranges of `received` as fit, held back for `delay`. Returns the largest number
    /// acknowledged: what may be forgotten once the peer has acknowledged this packet.
    ///
    /// # Errors
    /// [`Full`]: not even one range fits, or there is none.
    pub fn ack(&mut self, received: &ReceivedNumbers, delay: Duration) -> Result<u64, Full> {
        let room = self.remaining().checked_sub(ACK_OVERHEAD).ok_or(Full)?;
        let fitting = (room / Run::SIZE).saturating_add(1).min(ACK_RANGES_MAX);
        let mut runs = runs(received).take(fitting);
        // No more than ACK_RANGES_MAX.
        let count = u8::try_from(runs.clone().count()).map_err(|_| Full)?;
        let (Some(newest), Some(first)) = (received.iter().next(), runs.next()) else { return Err(Full) };

        let largest = *newest.end();
        let units = delay.as_micros() / ACK_DELAY_UNIT.as_micros();
        self.put(&[
            &[kind::ACK],
            &packet_number::truncate(largest).to_le_bytes(),
            &u16::try_from(units).unwrap_or(u16::MAX).to_le_bytes(),
            &[count],
            &first.length.to_le_bytes(),
        ])?;
        for run in runs {
            self.put(&[&run.gap.to_le_bytes(), &run.length.to_le_bytes()])?;
        }
        Ok(largest)
    }

    /// STREAM with as many of `wanted` bytes from `offset` on as fit, and gives out the room for exactly those, to be
    /// filled by the caller. With `fin` the stream ends after the `wanted` bytes: the frame says so only if it has
    /// all of them, that is if the room returned is `wanted` long.
    ///
    /// # Errors
    /// [`Full`]: not one byte fits (or not even an empty frame with FIN), or neither byte nor FIN is wanted.
    pub fn stream(&mut self, offset: u64, fin: bool, wanted: usize) -> Result<&mut [u8], Full> {
        let room = self.remaining().checked_sub(STREAM_OVERHEAD).ok_or(Full)?;
        let offsets_left = STREAM_OFFSET_MAX.checked_sub(offset).ok_or(Full)?;
        let len = wanted.min(room).min(usize::try_from(offsets_left).unwrap_or(usize::MAX));
        let len = u16::try_from(len).unwrap_or(u16::MAX);
        let fin = fin && usize::from(len) == wanted;
        if len == 0 && !fin {
            return Err(Full);
        }
        let kind = if fin { kind::STREAM_FIN } else { kind::STREAM };
        self.put(&[&[kind], &offset.to_le_bytes(), &len.to_le_bytes()])?;
        let start = self.len;
        self.len = start.saturating_add(usize::from(len));
        self.room.get_mut(start..self.len).ok_or(Full)
    }

    /// PADDING until `len` bytes are written in all, or all the room is used.
    pub fn pad_to(&mut self, len: usize) {
        let end = len.min(self.room.len());
        if let Some(padding) = self.room.get_mut(self.len..end) {
            padding.fill(kind::PADDING);
            self.len = end;
        }
    }

    /// Writes all `parts`, or nothing.
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), Full> {
        let len = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let end = self.len.saturating_add(len);
        let mut room = self.room.get_mut(self.len..end).ok_or(Full)?;
        for part in parts {
            let (head, tail) = room.split_at_mut_checked(part.len()).ok_or(Full)?;
            head.copy_from_slice(part);
            room = tail;
        }
        self.len = end;
        Ok(())
    }
}
