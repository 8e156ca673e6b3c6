//! What an error of a stream is called in `std::io`: as a TCP stream would call it.

use std::io::{Error, ErrorKind};

use crate::stream::{CloseReason, StreamError};

impl From<StreamError> for Error {
    /// The kind that a TCP stream would report. The end of a session is kept as the source of the error
    /// ([`Error::get_ref`]), because there are more ends than kinds.
    fn from(error: StreamError) -> Self {
        match error {
            // These happen all the time, and say all they have to say.
            StreamError::WouldBlock => ErrorKind::WouldBlock.into(),
            StreamError::TimedOut => ErrorKind::TimedOut.into(),
            StreamError::Finished => ErrorKind::BrokenPipe.into(),
            StreamError::Closed(reason) => Self::new(kind(reason), error),
        }
    }
}

const fn kind(reason: CloseReason) -> ErrorKind {
    match reason {
        CloseReason::Complete => ErrorKind::BrokenPipe,
        CloseReason::ByPeer(_) | CloseReason::Superseded => ErrorKind::ConnectionReset,
        CloseReason::ByUs(_) | CloseReason::ConnectionLost => ErrorKind::ConnectionAborted,
        CloseReason::Refused(_) => ErrorKind::ConnectionRefused,
        CloseReason::IdentityProofInvalid => ErrorKind::PermissionDenied,
        CloseReason::IdleTimeout | CloseReason::HandshakeTimeout => ErrorKind::TimedOut,
        CloseReason::NoPath => ErrorKind::HostUnreachable,
    }
}

#[cfg(test)]
mod tests;
