//! `embedded_io` over a [`BlockingIo`], and what an error of a stream is called there.

use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use udp_sec::time::Instant;

use super::BlockingIo;
use crate::stream::{CloseReason, Interest, ReliableStream, StreamError};

impl Error for StreamError {
    /// The kind that a TCP stream would report. There is none for a call that may not wait; it counts as one that has
    /// waited for too long.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::WouldBlock | Self::TimedOut => ErrorKind::TimedOut,
            Self::Finished => ErrorKind::BrokenPipe,
            Self::Closed(reason) => match reason {
                CloseReason::Complete => ErrorKind::BrokenPipe,
                CloseReason::ByPeer(_) | CloseReason::Superseded => ErrorKind::ConnectionReset,
                CloseReason::ByUs(_) | CloseReason::ConnectionLost => ErrorKind::ConnectionAborted,
                CloseReason::Refused(_) => ErrorKind::ConnectionRefused,
                CloseReason::IdentityProofInvalid => ErrorKind::PermissionDenied,
                CloseReason::IdleTimeout | CloseReason::HandshakeTimeout => ErrorKind::TimedOut,
                CloseReason::NoPath => ErrorKind::NotConnected,
            },
        }
    }
}

impl<S: ReliableStream> ErrorType for BlockingIo<S> {
    type Error = StreamError;
}

impl<S: ReliableStream> Read for BlockingIo<S> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, StreamError> {
        let deadline = self.deadline();
        self.stream.read(buf, deadline)
    }
}

impl<S: ReliableStream> ReadReady for BlockingIo<S> {
    fn read_ready(&mut self) -> Result<bool, StreamError> {
        is_ready(self.stream.wait(Interest::Readable, Instant::ZERO))
    }
}

impl<S: ReliableStream> Write for BlockingIo<S> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, StreamError> {
        let deadline = self.deadline();
        self.stream.write(buf, deadline)
    }

    /// Waits until all that was written is delivered: on a device nothing may happen after the last call.
    fn flush(&mut self) -> Result<(), StreamError> {
        let deadline = self.deadline();
        self.stream.wait(Interest::Delivered, deadline)
    }
}

impl<S: ReliableStream> WriteReady for BlockingIo<S> {
    fn write_ready(&mut self) -> Result<bool, StreamError> {
        is_ready(self.stream.wait(Interest::LowWater, Instant::ZERO))
    }
}

/// Whether a wait that was not allowed to wait was needless.
fn is_ready(waited: Result<(), StreamError>) -> Result<bool, StreamError> {
    match waited {
        Ok(()) => Ok(true),
        Err(StreamError::WouldBlock | StreamError::TimedOut) => Ok(false),
        Err(why) => Err(why),
    }
}
