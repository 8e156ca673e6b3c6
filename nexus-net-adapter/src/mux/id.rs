//! What names and measures a stream: types that can only hold what the contract allows.

use core::fmt;
use core::num::NonZeroU32;

use super::limits::{CLASSES, NAME_MAX};
use super::reject::MuxReject;

/// Which side of the session one is: it decides which ids one takes for one's own streams, so that two sides that open
/// streams at the same time never take the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Side {
    /// Opened the session. It takes odd ids.
    Initiator,
    /// Accepted the session. It takes even ids.
    Responder,
}

impl Side {
    /// The side that takes such ids as `stream`; a peer of another make need not be it.
    #[must_use]
    pub const fn of(stream: StreamId) -> Self {
        if stream.get() % 2 == 1 { Self::Initiator } else { Self::Responder }
    }

    /// Its first stream id.
    #[must_use]
    pub const fn first(self) -> StreamId {
        match self {
            Self::Initiator => StreamId(NonZeroU32::MIN),
            Self::Responder => StreamId(NonZeroU32::MIN.saturating_add(1)),
        }
    }
}

/// The id of a stream; never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct StreamId(NonZeroU32);

impl StreamId {
    /// The id `raw`, unless it is 0.
    #[must_use]
    pub const fn new(raw: u32) -> Option<Self> {
        match NonZeroU32::new(raw) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The next id of the same side, while there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(2).map(Self)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The priority class of a stream: 0, the highest, to 7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct PriorityClass(u8);

impl PriorityClass {
    /// Goes first.
    pub const HIGHEST: Self = Self(0);
    /// Goes last.
    pub const LOWEST: Self = Self(7);

    /// The class `raw`, if there is one.
    #[must_use]
    pub const fn new(raw: u8) -> Option<Self> {
        if (raw as usize) < CLASSES { Some(Self(raw)) } else { None }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Every class, the highest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (Self::HIGHEST.0..=Self::LOWEST.0).map(Self)
    }
}

/// The name that a stream is opened by: 1 to 64 bytes of UTF-8.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct StreamName(heapless::String<NAME_MAX, u8>);

impl StreamName {
    /// The name `name`.
    ///
    /// # Errors
    /// [`MuxReject::InvalidStreamName`] if it is empty or longer than 64 bytes.
    pub fn new(name: &str) -> Result<Self, MuxReject> {
        let name = heapless::String::try_from(name).map_err(|_| MuxReject::InvalidStreamName)?;
        if name.is_empty() { Err(MuxReject::InvalidStreamName) } else { Ok(Self(name)) }
    }

    /// The name in `bytes`, as they stand in a frame.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if they are not UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MuxReject> {
        Self::new(core::str::from_utf8(bytes).map_err(|_| MuxReject::InvalidStreamName)?)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many bytes one side may send on a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub struct WindowCredit(u32);

impl WindowCredit {
    /// Nothing may be sent.
    pub const NONE: Self = Self(0);

    /// `bytes` may be sent.
    #[must_use]
    pub const fn new(bytes: u32) -> Self {
        Self(bytes)
    }

    /// In bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The credit after `delta` more, or less where it is negative.
    ///
    /// # Errors
    /// [`MuxReject::WindowCreditOverflowOrUnderflow`] below 0 and above 2^32 - 1.
    pub fn changed_by(self, delta: i64) -> Result<Self, MuxReject> {
        let changed = i64::from(self.0).checked_add(delta);
        changed
            .and_then(|bytes| u32::try_from(bytes).ok())
            .map(Self)
            .ok_or(MuxReject::WindowCreditOverflowOrUnderflow)
    }

    /// The credit after `len` bytes are sent.
    ///
    /// # Errors
    /// [`MuxReject::WindowCreditOverflowOrUnderflow`] if it does not allow as many.
    pub fn spent(self, len: usize) -> Result<Self, MuxReject> {
        let left = u32::try_from(len).ok().and_then(|len| self.0.checked_sub(len));
        left.map(Self).ok_or(MuxReject::WindowCreditOverflowOrUnderflow)
    }
}

/// Why a stream was reset, as its user or this layer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ResetCode(pub u32);

impl ResetCode {
    /// Given up, without a reason.
    pub const CANCELLED: Self = Self(0);
    /// The other side has no room for another stream: [`MuxReject::StreamLimitExceeded`] over there.
    pub const NO_ROOM: Self = Self(1);
    /// The session ended before the stream did. Never on the wire.
    pub const SESSION_ENDED: Self = Self(2);
}

#[cfg(test)]
mod tests;
