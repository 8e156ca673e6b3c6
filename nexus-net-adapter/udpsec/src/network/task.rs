//! [`TaskStream`]: a session for tasks, which wait without holding up the thread.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nexus_net_adapter::backend::host::{Attendant, HostStream};
use nexus_net_adapter::backend::tokio::TokioTcp;
use nexus_net_adapter::select::SelectedStream;
use nexus_net_adapter::stream::{Interest, PollReady, ReliableStream, StreamError};
use tokio::time::sleep;
use udp_sec::time::Instant;

use super::Session;

/// Between two looks at a session that nothing else looks at.
const ATTEND_INTERVAL: Duration = Duration::from_secs(1);

/// The stream of a session, by whichever transport, under tokio.
pub(crate) type TokioSelected = SelectedStream<HostStream, TokioTcp>;

/// A session under tokio.
pub(crate) struct TaskSession {
    pub(crate) stream: TokioSelected,
    attendant: Option<Arc<Attendant>>,
}

impl Session {
    /// Hands the session over to the tasks of this thread.
    pub(crate) fn into_tasks(self) -> io::Result<TaskSession> {
        let Self { stream, mut attendant } = self;
        let stream = match stream {
            SelectedStream::UdpSec(stream) => {
                if attendant.is_none() {
                    attendant = Some(Arc::new(stream.endpoint().attend_in_background()?));
                }
                SelectedStream::UdpSec(stream)
            }
            SelectedStream::Tcp(stream) => SelectedStream::Tcp(TokioTcp::new(stream)?),
            SelectedStream::Quic(stream) => match stream {},
        };
        Ok(TaskSession { stream, attendant })
    }
}

impl TaskSession {
    /// Finishes our direction and waits until both are complete.
    pub(crate) async fn close(&mut self) -> Result<(), StreamError> {
        match &mut self.stream {
            SelectedStream::UdpSec(stream) => stream.closed().await,
            SelectedStream::Tcp(stream) => {
                stream.finish()?;
                poll_fn(|context| stream.poll_ready(Interest::Delivered, context)).await;
                Ok(())
            }
            SelectedStream::Quic(stream) => match *stream {},
        }
    }

    /// Drops the stream, and gives it the time to tell the peer.
    pub(crate) fn end(self) {
        let Self { stream, attendant } = self;
        if let SelectedStream::UdpSec(stream) = stream {
            Session { stream: SelectedStream::UdpSec(stream), attendant }.end();
        }
    }
}

/// Reads and writes of two halves of one task.
pub(crate) struct TaskStream<'s, S>(RefCell<&'s mut S>);

impl<'s, S: PollReady> TaskStream<'s, S> {
    pub(crate) const fn new(stream: &'s mut S) -> Self {
        Self(RefCell::new(stream))
    }

    /// Reads at least one byte, or the end.
    pub(crate) async fn read(&self, buf: &mut [u8]) -> Result<usize, StreamError> {
        poll_fn(|context| self.poll(context, Interest::Readable, |stream| stream.read(buf, Instant::ZERO)))
            .await
    }

    /// Writes all of `data`.
    pub(crate) async fn write_all(&self, mut data: &[u8]) -> Result<(), StreamError> {
        while !data.is_empty() {
            let count = poll_fn(|context| {
                self.poll(context, Interest::LowWater, |stream| stream.write(data, Instant::ZERO))
            })
            .await?;
            data = data.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends our direction.
    pub(crate) fn finish(&self) -> Result<(), StreamError> {
        self.0.borrow_mut().finish()
    }

    /// Keeps the session alive while neither direction moves: a program may take its time to read or to write.
    pub(crate) async fn attend(&self) -> Infallible {
        loop {
            sleep(ATTEND_INTERVAL).await;
            // Whatever is found, the next read or write says.
            _ = self.0.borrow_mut().wait(Interest::Readable, Instant::ZERO);
        }
    }

    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        interest: Interest,
        mut attempt: impl FnMut(&mut S) -> Result<T, StreamError>,
    ) -> Poll<Result<T, StreamError>> {
        let mut stream = self.0.borrow_mut();
        loop {
            match attempt(&mut stream) {
                Err(StreamError::WouldBlock | StreamError::TimedOut) => {
                    ready!(stream.poll_ready(interest, context));
                }
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}
