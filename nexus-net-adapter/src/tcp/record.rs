//! Records: their frame on the wire, and what a sealed one says. No cryptography, no state.
//!
//! `docs/tcp.md`.

use udp_sec::error::{CloseCode, Reject};
use udp_sec::limits::{INITIATION_LEN, RECORD_LEN_MAX, RECORD_LEN_MIN, RESPONSE_LEN, TAG_LEN};

/// The length in front of a record. Bytes.
pub(super) const HEADER_LEN: usize = 2;
/// What a record says first. Bytes.
pub(super) const KIND_LEN: usize = 1;
/// Everything of a record but its data. Bytes.
pub(super) const OVERHEAD: usize = HEADER_LEN + KIND_LEN + TAG_LEN;
/// Room kept free for records that are not data, of which three can wait: a sign of life, FIN, CLOSE. Bytes.
pub(super) const CONTROL_RESERVE: usize = 3 * (OVERHEAD + 2);

const ALIVE: u8 = 0;
const PING: u8 = 1;
const DATA: u8 = 2;
const FIN: u8 = 3;
const CLOSE: u8 = 4;

const _: () = assert!(INITIATION_LEN == RESPONSE_LEN);

/// Which records a side is ready for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Expected {
    /// The Initiation or the Response.
    Handshake,
    /// Sealed ones.
    Sealed,
}

/// How long the record is that `bytes` begin with, without its frame; `None` while that is not known.
///
/// # Errors
/// [`Reject::OversizeDatagram`] or [`Reject::MalformedHeader`] for a length that no expected record has. It is
/// refused before any of it is stored.
pub(super) fn len(bytes: &[u8], expected: Expected) -> Result<Option<usize>, Reject> {
    let Some(header) = bytes.first_chunk() else { return Ok(None) };
    let len = usize::from(u16::from_le_bytes(*header));
    let (least, most) = match expected {
        Expected::Handshake => (INITIATION_LEN, INITIATION_LEN),
        Expected::Sealed => (RECORD_LEN_MIN, RECORD_LEN_MAX),
    };
    match len {
        len if len > most => Err(Reject::OversizeDatagram),
        len if len < least => Err(Reject::MalformedHeader),
        len => Ok(Some(len)),
    }
}

/// The frame of a record of `len` bytes. No record is longer than a `u16` can tell.
pub(super) fn header(len: usize) -> [u8; HEADER_LEN] {
    u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes()
}

/// What a sealed record says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Record {
    /// I am here. Asks for nothing.
    Alive,
    /// Are you there?
    Ping,
    /// The next bytes of the stream: the rest of the text, at least one.
    Data,
    /// There is no more data.
    Fin,
    /// The session is over.
    Close(CloseCode),
}

impl Record {
    /// What `text` says. `None` for an unknown kind, and for a known one with too much or too little behind it.
    pub(super) fn decode(text: &[u8]) -> Option<Self> {
        match text.split_first()? {
            (&ALIVE, []) => Some(Self::Alive),
            (&PING, []) => Some(Self::Ping),
            (&DATA, [_, ..]) => Some(Self::Data),
            (&FIN, []) => Some(Self::Fin),
            (&CLOSE, &[low, high]) => {
                Some(Self::Close(CloseCode::from_wire(u16::from_le_bytes([low, high]))))
            }
            _ => None,
        }
    }

    /// The first byte of the text.
    pub(super) const fn kind(self) -> u8 {
        match self {
            Self::Alive => ALIVE,
            Self::Ping => PING,
            Self::Data => DATA,
            Self::Fin => FIN,
            Self::Close(_) => CLOSE,
        }
    }

    /// Whether the peer wants to hear something in return, sooner or later.
    pub(super) const fn is_eliciting(self) -> bool {
        matches!(self, Self::Ping | Self::Data | Self::Fin)
    }
}

#[cfg(test)]
mod tests;
