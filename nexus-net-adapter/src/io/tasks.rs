//! [`AsyncIo`]: a stream for tasks, which give way instead of waiting.

#[cfg(feature = "embedded-io")]
mod embedded;
#[cfg(feature = "tokio")]
mod host;

use core::task::{Context, Poll, ready};

use udp_sec::time::Instant;

use crate::stream::{Interest, PollReady, StreamError};

/// Calls that a readiness which turns out to be none is worth before others get their turn.
const ATTEMPTS: usize = 2;

/// A stream for tasks. One may read while another writes; of two that do the same, the last is woken.
#[derive(Clone, Debug)]
pub struct AsyncIo<S> {
    stream: S,
}

impl<S: PollReady> AsyncIo<S> {
    /// `stream`, for tasks.
    pub const fn new(stream: S) -> Self {
        Self { stream }
    }

    /// The stream, to look at.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, for what the traits have no words for: the peer, an abort.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream.
    pub fn into_inner(self) -> S {
        self.stream
    }

    fn poll_read_into(
        &mut self,
        context: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        self.poll_call(Interest::Readable, context, |stream| stream.read(buf, Instant::ZERO))
    }

    fn poll_write_from(
        &mut self,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        self.poll_call(Interest::LowWater, context, |stream| stream.write(data, Instant::ZERO))
    }

    /// Until all that was written is delivered.
    fn poll_delivered(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        self.poll_call(Interest::Delivered, context, |stream| stream.wait(Interest::Delivered, Instant::ZERO))
    }

    /// Until `call` does not ask to wait any more.
    fn poll_call<T>(
        &mut self,
        interest: Interest,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut S) -> Result<T, StreamError>,
    ) -> Poll<Result<T, StreamError>> {
        for _ in 0..ATTEMPTS {
            match call(&mut self.stream) {
                Err(StreamError::WouldBlock | StreamError::TimedOut) => {
                    ready!(self.stream.poll_ready(interest, context));
                }
                outcome => return Poll::Ready(outcome),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
