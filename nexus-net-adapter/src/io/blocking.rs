//! [`BlockingIo`]: a stream that waits, for at most as long as it is told to.

#[cfg(feature = "embedded-io")]
mod embedded;
#[cfg(feature = "std")]
mod host;

use udp_sec::time::{Duration, Instant};

use crate::stream::ReliableStream;

/// A stream whose calls wait for at most a timeout of its own: forever at first.
///
/// Clones of a stream that can be cloned are the same stream, so that one thread can read while another writes.
#[derive(Clone, Debug)]
pub struct BlockingIo<S> {
    stream: S,
    timeout: Option<Duration>,
}

impl<S: ReliableStream> BlockingIo<S> {
    /// `stream`, to be waited for without a limit.
    pub const fn new(stream: S) -> Self {
        Self { stream, timeout: None }
    }

    /// From now on each call waits for at most `timeout`: not at all if it is zero, and without a limit for `None`.
    pub const fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// The stream, to look at.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, for what the traits have no words for: half-closing, the peer, an abort.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// When a call that begins now has to end.
    fn deadline(&self) -> Instant {
        match self.timeout {
            None => Instant::MAX,
            Some(Duration::ZERO) => Instant::ZERO,
            Some(timeout) => self.stream.now() + timeout,
        }
    }
}
