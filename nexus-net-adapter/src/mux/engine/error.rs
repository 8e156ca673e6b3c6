//! What a call on an engine may answer instead, and how a session ends.

use core::fmt;

use crate::mux::id::{ResetCode, WindowCredit};
use crate::mux::reject::MuxReject;
use crate::stream::CloseReason;

/// Why a call on a stream did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MuxError {
    /// Not now. `credit` is what the sender of these bytes may send before the receiver grants more.
    WouldBlock {
        /// In bytes.
        credit: WindowCredit,
    },
    /// The contract does not allow it.
    Reject(MuxReject),
    /// The stream was given up, by the peer or by us.
    Reset(ResetCode),
    /// The session is over.
    Ended(End),
}

impl From<MuxReject> for MuxError {
    fn from(reject: MuxReject) -> Self {
        Self::Reject(reject)
    }
}

impl fmt::Display for MuxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock { credit } => write!(f, "not now; credit for {} bytes is left", credit.get()),
            Self::Reject(reject) => reject.fmt(f),
            Self::Reset(code) => write!(f, "the stream was reset with code {}", code.0),
            Self::Ended(end) => end.fmt(f),
        }
    }
}

impl core::error::Error for MuxError {}

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The peer finished the stream below, behind a whole frame.
    Finished,
    /// The peer finished the stream below in the middle of a frame.
    Truncated,
    /// Nothing was heard from the peer for nine ticks.
    Silent,
    /// The peer violated the contract.
    Rejected(MuxReject),
    /// The stream below ended.
    Closed(CloseReason),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("the peer finished the session"),
            Self::Truncated => f.write_str("the session ended in the middle of a frame"),
            Self::Silent => f.write_str("nothing was heard from the peer for too many ticks"),
            Self::Rejected(reject) => write!(f, "the peer violated the contract: {reject}"),
            Self::Closed(reason) => reason.fmt(f),
        }
    }
}

impl core::error::Error for End {}
