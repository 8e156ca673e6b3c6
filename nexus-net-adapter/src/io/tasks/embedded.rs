//! `embedded_io_async` over an [`AsyncIo`].

use core::future::poll_fn;

use embedded_io_async::{ErrorType, Read, Write};

use super::AsyncIo;
use crate::stream::{PollReady, StreamError};

impl<S: PollReady> ErrorType for AsyncIo<S> {
    type Error = StreamError;
}

impl<S: PollReady> Read for AsyncIo<S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, StreamError> {
        poll_fn(|context| self.poll_read_into(context, buf)).await
    }
}

impl<S: PollReady> Write for AsyncIo<S> {
    async fn write(&mut self, data: &[u8]) -> Result<usize, StreamError> {
        poll_fn(|context| self.poll_write_from(context, data)).await
    }

    /// Waits until all that was written is delivered.
    async fn flush(&mut self) -> Result<(), StreamError> {
        poll_fn(|context| self.poll_delivered(context)).await
    }
}
