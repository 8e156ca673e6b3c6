//! tokio's traits over an [`AsyncIo`].

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::Result;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::task::coop;

use super::AsyncIo;
use crate::stream::{Interest, PollReady, StreamError};

impl<S: PollReady + Unpin> AsyncRead for AsyncIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        // A stream that is always ready must not keep the other tasks of its thread from running.
        let turn = ready!(coop::poll_proceed(context));
        let count = ready!(self.poll_read_into(context, buf.initialize_unfilled()))?;
        buf.advance(count);
        turn.made_progress();
        Poll::Ready(Ok(()))
    }
}

impl<S: PollReady + Unpin> AsyncWrite for AsyncIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        let turn = ready!(coop::poll_proceed(context));
        let count = ready!(self.poll_write_from(context, data))?;
        turn.made_progress();
        Poll::Ready(Ok(count))
    }

    /// Does nothing, as at a TCP stream: bytes leave without being asked to.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Finishes our direction, and waits until the end and all before it is delivered: after this the stream can be
    /// dropped, as a TCP stream can. Reading goes on. An error means that something did not arrive; a peer that has
    /// everything may have ended the session.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        match ready!(self.poll_call(Interest::LowWater, context, S::finish)) {
            Ok(()) | Err(StreamError::Closed(_)) => {}
            Err(why) => return Poll::Ready(Err(why.into())),
        }
        ready!(self.poll_delivered(context))?;
        Poll::Ready(Ok(()))
    }
}
