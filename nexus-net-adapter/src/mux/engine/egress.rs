//! Bytes out.
//!
//! 1. [`Engine::transmit`] fills the caller's buffer with whole frames.
//! 2. `session_frames`: PING, PONG, and RST for streams there was no room for.
//! 3. `control_frames`: OPEN, OPEN_ACK, WINDOW_UPDATE and RST, first come first served; they are small, at most a few a
//!    stream, and others wait for them.
//! 4. `data_frames`: DATA, and CLOSE behind the last of it, by turns of the scheduler.

use super::Engine;
use crate::mux::frame::{Frame, HEADER_LEN};
use crate::mux::id::{ResetCode, WindowCredit};
use crate::mux::limits::FRAME_PAYLOAD_MAX;
use crate::mux::slot::{Closing, Note, Stream, Writer};

/// A buffer that frames are written to, as long as they fit.
#[derive(Debug)]
struct Batch<'b> {
    room: &'b mut [u8],
    used: usize,
    data: DataFrames,
}

/// Whether a batch has a DATA frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DataFrames {
    None,
    Some,
}

/// The next frame does not fit.
#[derive(Debug)]
struct Full;

impl Batch<'_> {
    fn push(&mut self, frame: &Frame) -> Result<(), Full> {
        let free = self.room.get_mut(self.used..).unwrap_or_default();
        let len = frame.encode(free).ok().flatten().ok_or(Full)?;
        self.used = self.used.saturating_add(len);
        Ok(())
    }

    /// Room for payload, behind a header.
    const fn payload_room(&self) -> usize {
        self.room.len().saturating_sub(self.used).saturating_sub(HEADER_LEN)
    }

    /// Moves at most `frame_max` bytes that `stream` has waiting in `outbound` here. A frame is not made smaller to
    /// fill the rest of a batch, so that a turn is worth the same to every stream; only the first is, lest nothing
    /// leave at all.
    fn push_data(&mut self, stream: &mut Stream, outbound: &[u8], frame_max: usize) -> Result<(), Full> {
        let wanted = stream.sendable().min(frame_max).min(FRAME_PAYLOAD_MAX);
        let len = match self.data {
            DataFrames::None => wanted.min(self.payload_room()),
            DataFrames::Some => wanted,
        };
        if len == 0 || len > self.payload_room() {
            return Err(Full);
        }
        self.push(&Frame::Data { about: stream.about(), len })?;
        let end = self.used.saturating_add(len);
        let copied =
            self.room.get_mut(self.used..end).map_or(0, |room| stream.outbound.copy_to(outbound, room));
        stream.outbound.drop_front(outbound, copied);
        // No more than the credit was wanted.
        stream.send_credit = stream.send_credit.spent(copied).unwrap_or_default();
        self.used = end;
        self.data = DataFrames::Some;
        Ok(())
    }
}

impl<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32> Engine<M, STREAMS, BYTES, CREDIT>
where
    M: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Writes frames that are to be sent, whole ones, to `out`, and returns their length: 0 when there is nothing to
    /// send, or nothing that fits. `out` should have room for a head at least ([`HEAD_MAX`](crate::mux::frame::HEAD_MAX)).
    /// DATA frames have at most `frame_max` bytes of payload; what waits below cannot be overtaken, so smaller
    /// frames make for quicker turns.
    pub fn transmit(&mut self, out: &mut [u8], frame_max: usize) -> usize {
        if self.end.is_some() {
            return 0;
        }
        let mut batch = Batch { room: out, used: 0, data: DataFrames::None };
        let (Ok(()) | Err(Full)) = self
            .session_frames(&mut batch)
            .and_then(|()| self.control_frames(&mut batch))
            .and_then(|()| self.data_frames(&mut batch, frame_max.max(1)));
        batch.used
    }

    /// Whether there is something to send.
    #[must_use]
    pub fn has_output(&self) -> bool {
        let session = self.ping.is_some() || self.pong.is_some() || !self.refused.is_empty();
        self.end.is_none() && (session || !self.control.is_empty() || !self.scheduler.is_empty())
    }

    fn session_frames(&mut self, batch: &mut Batch<'_>) -> Result<(), Full> {
        if let Some(about) = self.ping {
            batch.push(&Frame::Ping(about))?;
            self.ping = None;
        }
        if let Some(about) = self.pong {
            batch.push(&Frame::Pong(about))?;
            self.pong = None;
        }
        while let Some(about) = self.refused.front().copied() {
            batch.push(&Frame::Rst { about, code: ResetCode::NO_ROOM })?;
            _ = self.refused.pop_front();
        }
        Ok(())
    }

    fn control_frames(&mut self, batch: &mut Batch<'_>) -> Result<(), Full> {
        while let Some(place) = self.control.front().copied() {
            let stream = self.table.get_mut(place);
            let next = stream.and_then(|stream| Some((stream.control(WindowCredit::new(CREDIT))?, stream)));
            let Some((frame, stream)) = next else {
                _ = self.control.pop_front();
                continue;
            };
            batch.push(&frame)?;
            stream.on_control_sent(&frame);
            // Leaves the queue with its last frame.
            self.refresh(place);
        }
        Ok(())
    }

    fn data_frames(&mut self, batch: &mut Batch<'_>, frame_max: usize) -> Result<(), Full> {
        while let Some(turn) = self.scheduler.next() {
            let Some((stream, _, outbound)) = self.parts(turn.stream) else { return Ok(()) };
            take_turn(batch, stream, outbound, frame_max)?;
            self.scheduler.taken(turn);
            self.refresh(turn.stream);
        }
        Ok(())
    }
}

/// One DATA frame of `stream`, or CLOSE.
fn take_turn(
    batch: &mut Batch<'_>,
    stream: &mut Stream,
    outbound: &[u8],
    frame_max: usize,
) -> Result<(), Full> {
    if stream.sendable() == 0 {
        return if stream.close_is_next() { push_close(batch, stream) } else { Ok(()) };
    }
    batch.push_data(stream, outbound, frame_max)?;
    let free = outbound.len().saturating_sub(stream.outbound.len());
    if stream.writer == Writer::Blocked && free >= outbound.len() / ROOM_DIVISOR {
        stream.writer = Writer::Free;
        stream.notes.add(Note::Writable);
    }
    if stream.close_is_next() {
        // Behind the last byte it takes no turn of its own; where it does not fit, it has to.
        let (Ok(()) | Err(Full)) = push_close(batch, stream);
    }
    Ok(())
}

fn push_close(batch: &mut Batch<'_>, stream: &mut Stream) -> Result<(), Full> {
    batch.push(&Frame::Close(stream.about()))?;
    stream.closing = Closing::Sent;
    Ok(())
}

/// A writer that was refused is woken when its memory / this is free, not for every frame that leaves.
const ROOM_DIVISOR: usize = 4;
