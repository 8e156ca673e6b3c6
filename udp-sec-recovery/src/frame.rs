//! Frames: what the inside of an authenticated packet says. `docs/protocol.md` section 4.
//!
//! [`Frames`] takes a payload apart, [`FrameWriter`] puts one together in place; neither allocates. What is decoded
//! can only be legal, and has exactly one encoding, so writing it again gives the same bytes. All integers are
//! little-endian.

mod ack;
mod writer;

pub use ack::{AckFrame, AckRanges};
pub use writer::{ACK_OVERHEAD, CLOSE_OVERHEAD, FrameWriter, STREAM_OVERHEAD};

use udp_sec::error::{CloseCode, Reject};

use crate::limits::STREAM_OFFSET_MAX;
use crate::span::Span;

/// One frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame<'a> {
    /// One or more bytes of padding.
    Padding,
    /// Nothing but a wish to be acknowledged.
    Ping,
    /// Packets received.
    Ack(AckFrame<'a>),
    /// Bytes of the stream.
    Stream(StreamFrame<'a>),
    /// The receiver's credit: the first offset that must not be sent, at most 2^62.
    MaxData(u64),
    /// The sender has bytes from this offset on that its credit does not allow to leave; at most 2^62.
    DataBlocked(u64),
    /// Eight bytes that prove a path when they come back.
    PathChallenge([u8; 8]),
    /// The bytes of a PATH_CHALLENGE.
    PathResponse([u8; 8]),
    /// The session is over.
    Close(CloseFrame<'a>),
}

/// Bytes of the stream, none only with `fin`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamFrame<'a> {
    /// The stream offset of the first byte.
    pub offset: u64,
    /// The stream ends after these bytes.
    pub fin: bool,
    /// The bytes; offset and length together are at most 2^62.
    pub data: &'a [u8],
}

/// The end of the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloseFrame<'a> {
    /// Why.
    pub code: CloseCode,
    /// More about it for people, at most 255 bytes; written by the peer, so not to be trusted.
    pub reason: &'a str,
}

impl Frame<'_> {
    /// Whether a packet with this frame has to be acknowledged (RFC 9002 section 2).
    #[must_use]
    pub const fn is_ack_eliciting(&self) -> bool {
        !matches!(self, Self::Padding | Self::Ack(_) | Self::Close(_))
    }
}

impl StreamFrame<'_> {
    /// The stream offsets it covers.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span { start: self.offset, end: self.offset.saturating_add(self.data.len() as u64) }
    }
}

/// Frame types as they stand on the wire.
mod kind {
    pub(super) const PADDING: u8 = 0x00;
    pub(super) const PING: u8 = 0x01;
    pub(super) const ACK: u8 = 0x02;
    pub(super) const STREAM: u8 = 0x04;
    pub(super) const STREAM_FIN: u8 = 0x05;
    pub(super) const MAX_DATA: u8 = 0x06;
    pub(super) const DATA_BLOCKED: u8 = 0x07;
    pub(super) const PATH_CHALLENGE: u8 = 0x08;
    pub(super) const PATH_RESPONSE: u8 = 0x09;
    pub(super) const CLOSE: u8 = 0x0c;
}

/// The frames of one packet, in order.
///
/// At the first malformed one (an unknown type, a field cut short, an illegal value) it yields
/// [`Reject::MalformedFrame`] and ends. A packet without a frame is malformed, too.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    /// Bytes of which a frame must still come; `None` at the end.
    rest: Option<&'a [u8]>,
}

impl<'a> Frames<'a> {
    /// The frames of `payload`.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self { rest: Some(payload) }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Bytes(self.rest.take()?);
        let frame = bytes.frame();
        if frame.is_some() && !bytes.0.is_empty() {
            self.rest = Some(bytes.0);
        }
        Some(frame.ok_or(Reject::MalformedFrame))
    }
}

impl core::iter::FusedIterator for Frames<'_> {}

/// A cursor over received bytes; every method takes what it returns off the front, or gives `None`.
#[derive(Clone, Debug)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn frame(&mut self) -> Option<Frame<'a>> {
        let [kind] = self.array()?;
        match kind {
            kind::PADDING => Some(self.padding()),
            kind::PING => Some(Frame::Ping),
            kind::ACK => self.ack().map(Frame::Ack),
            kind::STREAM => self.stream(false).map(Frame::Stream),
            kind::STREAM_FIN => self.stream(true).map(Frame::Stream),
            kind::MAX_DATA => self.stream_offset().map(Frame::MaxData),
            kind::DATA_BLOCKED => self.stream_offset().map(Frame::DataBlocked),
            kind::PATH_CHALLENGE => self.array().map(Frame::PathChallenge),
            kind::PATH_RESPONSE => self.array().map(Frame::PathResponse),
            kind::CLOSE => self.close().map(Frame::Close),
            _ => None,
        }
    }

    /// The rest of a run of padding, whose first byte is taken: all of it is one frame.
    fn padding(&mut self) -> Frame<'a> {
        let len = self.0.iter().take_while(|byte| **byte == kind::PADDING).count();
        self.slice(len);
        Frame::Padding
    }

    fn stream(&mut self, fin: bool) -> Option<StreamFrame<'a>> {
        let offset = self.u64()?;
        let len = self.u16()?;
        let data = self.slice(usize::from(len))?;
        let end = offset.checked_add(u64::from(len))?;
        let is_legal = end <= STREAM_OFFSET_MAX && (fin || len > 0);
        is_legal.then_some(StreamFrame { offset, fin, data })
    }

    fn close(&mut self) -> Option<CloseFrame<'a>> {
        let code = CloseCode::from_wire(self.u16()?);
        let [len] = self.array()?;
        let reason = core::str::from_utf8(self.slice(usize::from(len))?).ok()?;
        Some(CloseFrame { code, reason })
    }

    fn stream_offset(&mut self) -> Option<u64> {
        self.u64().filter(|offset| *offset <= STREAM_OFFSET_MAX)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (slice, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(slice)
    }
}

#[cfg(test)]
mod tests;
