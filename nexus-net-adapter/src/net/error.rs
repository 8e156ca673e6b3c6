//! [`NetError`]: what a stack can answer besides success, and how the ends of a session are told in it.

use core::fmt;

use crate::stream::{CloseReason, StreamError};

/// Why a call on a stack did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetError {
    /// This stack cannot do it, ever.
    Unsupported,
    /// Not now: poll, then ask again.
    WouldBlock,
    /// Not within the deadline.
    TimedOut,
    /// What was asked makes no sense: an address, a length.
    InvalidInput(&'static str),
    /// Somebody else has that port.
    AddrInUse,
    /// There was never a connection, and there will be none: refused, unanswered, or not allowed.
    NotConnected,
    /// The connection is over: closed by this side, or lost.
    Disconnected,
    /// A bound was reached: a queue, or the number of sockets. A datagram longer than the memory it was to be read
    /// into is gone.
    NoBufs,
    /// A defect of the stack.
    Internal(&'static str),
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("not supported by this stack"),
            Self::WouldBlock => f.write_str("not now"),
            Self::TimedOut => f.write_str("the deadline passed"),
            Self::InvalidInput(what) => write!(f, "invalid: {what}"),
            Self::AddrInUse => f.write_str("the port is in use"),
            Self::NotConnected => f.write_str("no connection came about"),
            Self::Disconnected => f.write_str("the connection is over"),
            Self::NoBufs => f.write_str("no room"),
            Self::Internal(what) => write!(f, "a defect of the stack: {what}"),
        }
    }
}

impl core::error::Error for NetError {}

impl From<StreamError> for NetError {
    fn from(why: StreamError) -> Self {
        match why {
            StreamError::WouldBlock => Self::WouldBlock,
            StreamError::TimedOut => Self::TimedOut,
            StreamError::Finished => Self::Disconnected,
            StreamError::Closed(why) => why.into(),
        }
    }
}

impl From<CloseReason> for NetError {
    fn from(why: CloseReason) -> Self {
        match why {
            CloseReason::Refused(_)
            | CloseReason::HandshakeTimeout
            | CloseReason::NoPath
            | CloseReason::IdentityProofInvalid => Self::NotConnected,
            CloseReason::Complete
            | CloseReason::ByPeer(_)
            | CloseReason::ByUs(_)
            | CloseReason::IdleTimeout
            | CloseReason::Superseded
            | CloseReason::ConnectionLost => Self::Disconnected,
        }
    }
}
