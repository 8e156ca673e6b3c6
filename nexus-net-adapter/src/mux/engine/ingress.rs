//! Bytes in.
//!
//! 1. [`Engine::receive_with`] takes whatever has come: half a frame, or ten.
//! 2. `next_head` completes a head, if need be over several calls, and decodes it.
//! 3. `apply` judges the frame by the state of its stream and changes that.
//! 4. `next_payload` hands the bytes of a DATA frame to the application where they lie, or queues them.

use super::{Engine, grant};
use crate::mux::engine::error::End;
use crate::mux::frame::{self, About, Frame};
use crate::mux::id::{StreamId, StreamName, WindowCredit};
use crate::mux::reject::MuxReject;
use crate::mux::slot::{Note, Opening, Stream};

/// A DATA frame whose head has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload {
    stream: StreamId,
    len: usize,
    /// Of `len`, still to come.
    missing: usize,
}

impl<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32> Engine<M, STREAMS, BYTES, CREDIT>
where
    M: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Takes bytes that came from the peer, in order, cut anywhere.
    ///
    /// # Errors
    /// [`End`] if the session is over, be it by these bytes: [`End::Rejected`].
    pub fn receive(&mut self, input: &[u8]) -> Result<(), End> {
        self.receive_with(input, |_, _| 0)
    }

    /// As [`receive`](Self::receive), but offers the payload of each DATA frame that lies whole in `input` to
    /// `take`, in place, where nothing older waits on that stream. `take` returns how many bytes it took; the rest
    /// waits to be read.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_with(
        &mut self,
        mut input: &[u8],
        mut take: impl FnMut(StreamId, &[u8]) -> usize,
    ) -> Result<(), End> {
        if let Some(end) = self.end {
            return Err(end);
        }
        if !input.is_empty() {
            self.keepalive.on_heard();
        }
        while !input.is_empty() {
            let rest = match self.payload {
                Some(payload) => self.next_payload(payload, input, &mut take),
                None => self.next_head(input),
            };
            input = rest.map_err(|reject| self.end(End::Rejected(reject)))?;
        }
        Ok(())
    }

    /// The peer has finished the stream below: the session is over.
    pub fn end_of_input(&mut self) -> End {
        let whole = self.head.is_empty() && self.payload.is_none();
        self.end(if whole { End::Finished } else { End::Truncated })
    }

    /// Takes a head, or a part of one, from the front of `input`.
    fn next_head<'i>(&mut self, input: &'i [u8]) -> Result<&'i [u8], MuxReject> {
        if self.head.is_empty() {
            if let Some((frame, len)) = frame::decode(input)? {
                self.apply(frame)?;
                return Ok(input.get(len..).unwrap_or_default());
            }
        }
        let missing = frame::head_len(&self.head)?.saturating_sub(self.head.len());
        let (part, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        // Longer than the longest head it cannot be.
        self.head.extend_from_slice(part).map_err(|_| MuxReject::FrameOversize)?;
        if let Some((frame, _)) = frame::decode(&self.head)? {
            self.head.clear();
            self.apply(frame)?;
        }
        Ok(rest)
    }

    fn apply(&mut self, frame: Frame) -> Result<(), MuxReject> {
        let about = frame.about();
        let unknown = match frame {
            // An answer that nothing was asked for.
            Frame::OpenAck { .. } => MuxReject::InvalidStreamStateTransition,
            _ => MuxReject::UnknownStreamFrame,
        };
        match frame {
            // Who asks more often than we answer gets one answer.
            Frame::Ping(about) => {
                self.pong = Some(about);
                return Ok(());
            }
            Frame::Pong(_) => return Ok(()),
            Frame::Open { credit, name, .. } => return self.on_open(about, credit, name),
            Frame::Data { len, .. } if len > 0 => {
                self.payload = Some(Payload { stream: about.stream, len, missing: len });
            }
            _ => {}
        }
        let Some(place) = self.table.find(about.stream) else {
            // It has been over for so long that its state is forgotten, or it was refused.
            return if self.used.cover(about.stream) { Ok(()) } else { Err(unknown) };
        };
        let stream = self.table.get_mut(place).filter(|stream| stream.opening != Opening::OpenDue);
        let stream = stream.ok_or(unknown)?;
        match frame {
            Frame::OpenAck { credit, .. } => stream.on_open_ack(credit)?,
            Frame::Data { len, .. } => stream.on_data(len)?,
            Frame::WindowUpdate { delta, .. } => stream.on_window_update(delta)?,
            Frame::Rst { code, .. } => stream.on_rst(code),
            Frame::Close(_) => stream.on_close()?,
            Frame::Open { .. } | Frame::Ping(_) | Frame::Pong(_) => {}
        }
        self.refresh(place);
        Ok(())
    }

    fn on_open(&mut self, about: About, credit: WindowCredit, name: StreamName) -> Result<(), MuxReject> {
        if self.table.find(about.stream).is_some() {
            return Err(MuxReject::InvalidStreamStateTransition);
        }
        // Two sides may well choose the same name at the same time: what has not been answered, the peer did not know.
        let known = |stream: &Stream| stream.state.is_alive() && !stream.is_unanswered();
        if self.table.iter().any(|(_, other)| known(other) && other.name == name) {
            return Err(MuxReject::DuplicateStreamName);
        }
        self.used.add(about.stream);
        if !self.table.has_room() {
            // Both sides share the places, so the peer cannot know that there is none. But it can know that it
            // has opened more than anybody may.
            return self.refused.push_back(about).map_err(|_| MuxReject::StreamLimitExceeded);
        }
        let place = self.insert(about, name, Opening::AckDue, credit)?;
        if let Some(stream) = self.table.get_mut(place) {
            stream.notes.add(Note::Opened);
        }
        self.refresh(place);
        Ok(())
    }

    /// Takes payload from the front of `input`.
    fn next_payload<'i>(
        &mut self,
        payload: Payload,
        input: &'i [u8],
        take: &mut impl FnMut(StreamId, &[u8]) -> usize,
    ) -> Result<&'i [u8], MuxReject> {
        let Payload { stream, len, missing } = payload;
        let (part, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        let missing = missing.saturating_sub(part.len());
        self.payload = Some(Payload { stream, len, missing }).filter(|_| missing > 0);
        let Some(place) = self.table.find(stream) else { return Ok(rest) };
        let Some((stream, inbound, _)) = self.parts(place) else { return Ok(rest) };
        if !stream.state.may_receive() {
            // We have reset it: this is what had been under way.
            return Ok(rest);
        }
        stream.receive_credit.on_received(part.len())?;
        let in_place = part.len() == len && stream.inbound.is_empty();
        let taken = if in_place { take(stream.id, part).min(part.len()) } else { 0 };
        let queued = part.get(taken..).unwrap_or_default();
        // The credit is the room: what was granted fits.
        if stream.inbound.push(inbound, queued) < queued.len() {
            return Err(MuxReject::WindowCreditOverflowOrUnderflow);
        }
        if !queued.is_empty() {
            stream.notes.add(Note::Readable);
        }
        if taken > 0 {
            grant(stream);
        }
        self.refresh(place);
        Ok(rest)
    }
}
