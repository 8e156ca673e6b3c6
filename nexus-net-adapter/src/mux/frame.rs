//! The wire form of mux v2: eight kinds of frames. Independent of the engine, for engines of other makes as well.
//!
//! ```text
//!  0     1      2      3     4         8       12
//! ┌─────┬──────┬──────┬─────┬─────────┬───────┬──────────────┐
//! │ 2   │ kind │ prio │ 0   │ stream  │ len   │ len bytes    │   integers little-endian
//! └─────┴──────┴──────┴─────┴─────────┴───────┴──────────────┘
//! └─────────────── head, except in DATA ─────────────────────┘
//! ```
//! A [`Frame`] is one event of a stream. It holds no payload: the head of a DATA frame is its first twelve bytes,
//! and the payload is handed beside it, from wherever it lies to wherever it goes. What decodes is legal in itself;
//! whether it is legal now is the engine's to say. `docs/mux.md` has the table.

use super::id::{PriorityClass, ResetCode, StreamId, StreamName, WindowCredit};
use super::limits::{FRAME_PAYLOAD_MAX, NAME_MAX};
use super::reject::MuxReject;

/// The version in the first byte of every frame.
pub const VERSION: u8 = 2;

/// Bytes of a header.
pub const HEADER_LEN: usize = 12;

/// Longest head: OPEN with the longest name.
pub const HEAD_MAX: usize = HEADER_LEN + CREDIT_LEN + NAME_MAX;

/// Bytes of a credit, a delta or a code.
const CREDIT_LEN: usize = 4;

/// What a frame is about: which stream, and in which class it travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct About {
    /// The stream. In PING and PONG any id, whether it is a stream's or not.
    pub stream: StreamId,
    /// The class. In PING and PONG any.
    pub priority: PriorityClass,
}

/// One frame, without the payload of DATA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// Opens a stream.
    Open {
        /// Which.
        about: About,
        /// What the opener can take at once.
        credit: WindowCredit,
        /// What for.
        name: StreamName,
    },
    /// Answers OPEN.
    OpenAck {
        /// Which stream.
        about: About,
        /// What the side that accepts can take at once.
        credit: WindowCredit,
    },
    /// Carries bytes of the stream.
    Data {
        /// Which stream.
        about: About,
        /// How many bytes follow, at most [`FRAME_PAYLOAD_MAX`].
        len: usize,
    },
    /// Grants more credit.
    WindowUpdate {
        /// Which stream.
        about: About,
        /// So much more.
        delta: WindowCredit,
    },
    /// Gives a stream up, in both directions.
    Rst {
        /// Which stream.
        about: About,
        /// Why.
        code: ResetCode,
    },
    /// Asks for a sign of life.
    Ping(About),
    /// The sign of life, about the same as the PING that asked for it.
    Pong(About),
    /// Ends one direction of a stream.
    Close(About),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    Open = 1,
    OpenAck = 2,
    Data = 3,
    WindowUpdate = 4,
    Rst = 5,
    Ping = 6,
    Pong = 7,
    Close = 8,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Open,
        Self::OpenAck,
        Self::Data,
        Self::WindowUpdate,
        Self::Rst,
        Self::Ping,
        Self::Pong,
        Self::Close,
    ];

    fn from_wire(wire: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == wire)
    }
}

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug)]
struct Header {
    kind: Kind,
    about: About,
    len: usize,
}

impl Header {
    fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, MuxReject> {
        let [version, kind, priority, reserved, s0, s1, s2, s3, l0, l1, l2, l3] = *bytes;
        // No frame of ours. There is no label of its own for it: nothing is known about its stream, either.
        let unknown = MuxReject::UnknownStreamFrame;
        if version != VERSION || reserved != 0 {
            return Err(unknown);
        }
        let kind = Kind::from_wire(kind).ok_or(unknown)?;
        let priority = PriorityClass::new(priority).ok_or(unknown)?;
        let stream = StreamId::new(u32::from_le_bytes([s0, s1, s2, s3])).ok_or(unknown)?;
        let len = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if len > FRAME_PAYLOAD_MAX {
            return Err(MuxReject::FrameOversize);
        }
        let legal = match kind {
            Kind::Open if len <= CREDIT_LEN || len > CREDIT_LEN + NAME_MAX => {
                return Err(MuxReject::InvalidStreamName);
            }
            Kind::Open | Kind::Data => true,
            Kind::OpenAck | Kind::WindowUpdate | Kind::Rst => len == CREDIT_LEN,
            Kind::Ping | Kind::Pong | Kind::Close => len == 0,
        };
        if legal { Ok(Self { kind, about: About { stream, priority }, len }) } else { Err(unknown) }
    }

    /// Length of the head.
    const fn head(&self) -> usize {
        match self.kind {
            Kind::Data => HEADER_LEN,
            _ => HEADER_LEN.saturating_add(self.len),
        }
    }
}

/// How long a head is of which `input` is the beginning: so many bytes are needed before [`decode`] gives a frame.
/// Until the header is there, the length of the header.
///
/// # Errors
/// [`MuxReject`] as soon as the header shows that this can be no frame.
pub fn head_len(input: &[u8]) -> Result<usize, MuxReject> {
    match input.first_chunk() {
        Some(header) => Ok(Header::decode(header)?.head()),
        None => Ok(HEADER_LEN),
    }
}

/// The frame whose head `input` begins with, and the length of that head; `None` while it is not all there. The
/// payload of a DATA frame follows the head.
///
/// # Errors
/// [`MuxReject::FrameOversize`], [`MuxReject::InvalidStreamName`], or [`MuxReject::UnknownStreamFrame`] for
/// whatever else is no frame of this version. The stream of bytes cannot be understood from there on.
pub fn decode(input: &[u8]) -> Result<Option<(Frame, usize)>, MuxReject> {
    let Some((header, rest)) = input.split_first_chunk() else { return Ok(None) };
    let header = Header::decode(header)?;
    let Header { kind, about, len } = header;
    let frame = match kind {
        Kind::Data => Frame::Data { about, len },
        Kind::Ping => Frame::Ping(about),
        Kind::Pong => Frame::Pong(about),
        Kind::Close => Frame::Close(about),
        Kind::Open | Kind::OpenAck | Kind::WindowUpdate | Kind::Rst => {
            let Some(body) = rest.get(..len) else { return Ok(None) };
            let Some((number, name)) = body.split_first_chunk() else { return Ok(None) };
            let number = u32::from_le_bytes(*number);
            let credit = WindowCredit::new(number);
            match kind {
                Kind::Open => Frame::Open { about, credit, name: StreamName::from_bytes(name)? },
                Kind::OpenAck => Frame::OpenAck { about, credit },
                Kind::WindowUpdate => Frame::WindowUpdate { about, delta: credit },
                _ => Frame::Rst { about, code: ResetCode(number) },
            }
        }
    };
    Ok(Some((frame, header.head())))
}

impl Frame {
    /// Writes the head to the beginning of `out`, and returns its length; `None` if there is no room for it. The
    /// payload of a DATA frame is to follow.
    ///
    /// # Errors
    /// [`MuxReject::FrameOversize`] for DATA longer than [`FRAME_PAYLOAD_MAX`].
    pub fn encode(&self, out: &mut [u8]) -> Result<Option<usize>, MuxReject> {
        let (kind, about, number, name) = match self {
            Self::Open { about, credit, name } => (Kind::Open, about, Some(credit.get()), name.as_str()),
            Self::OpenAck { about, credit } => (Kind::OpenAck, about, Some(credit.get()), ""),
            Self::WindowUpdate { about, delta } => (Kind::WindowUpdate, about, Some(delta.get()), ""),
            Self::Rst { about, code } => (Kind::Rst, about, Some(code.0), ""),
            Self::Data { about, .. } => (Kind::Data, about, None, ""),
            Self::Ping(about) => (Kind::Ping, about, None, ""),
            Self::Pong(about) => (Kind::Pong, about, None, ""),
            Self::Close(about) => (Kind::Close, about, None, ""),
        };
        let number = number.map(u32::to_le_bytes);
        let body = [number.as_ref().map_or(&[][..], |bytes| bytes), name.as_bytes()];
        let len = match self {
            Self::Data { len, .. } => *len,
            _ => body.iter().map(|part| part.len()).sum(),
        };
        let wire_len = u32::try_from(len).ok().filter(|_| len <= FRAME_PAYLOAD_MAX);
        let [l0, l1, l2, l3] = wire_len.ok_or(MuxReject::FrameOversize)?.to_le_bytes();
        let [s0, s1, s2, s3] = about.stream.get().to_le_bytes();
        let header = [VERSION, kind as u8, about.priority.get(), 0, s0, s1, s2, s3, l0, l1, l2, l3];
        let head = Header { kind, about: *about, len }.head();
        let Some(out) = out.get_mut(..head) else { return Ok(None) };
        let bytes = header.iter().chain(body.into_iter().flatten());
        out.iter_mut().zip(bytes).for_each(|(room, byte)| *room = *byte);
        Ok(Some(head))
    }

    /// What it is about.
    #[must_use]
    pub const fn about(&self) -> About {
        match self {
            Self::Open { about, .. }
            | Self::OpenAck { about, .. }
            | Self::Data { about, .. }
            | Self::WindowUpdate { about, .. }
            | Self::Rst { about, .. }
            | Self::Ping(about)
            | Self::Pong(about)
            | Self::Close(about) => *about,
        }
    }
}

#[cfg(test)]
mod tests;
