//! [`TokioTcp`]: a session over TCP that wakes tasks.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::io::{self, Error, ErrorKind};
use std::net;
use std::os::fd::AsFd;
use std::sync::Arc;

use ::tokio::io::Interest as Direction;
use ::tokio::net::TcpStream;
use ::tokio::runtime::Handle;
use ::tokio::time::{self, Sleep};
use udp_sec::time::{Duration, Instant};

use super::tasks::Tasks;
use crate::backend::host::HostTcpStream;
use crate::stream::{Interest, PeerIdentity, PollReady, ReliableStream, StreamError};
use crate::tcp::Readiness;

/// No timer is set for longer, so that no time, however far, exceeds what the runtime can express.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// A [`HostTcpStream`] that wakes tasks. Its session is kept alive by whoever reads, writes or waits, not in between.
///
/// Calls with a deadline still block the thread; tasks pass [`Instant::ZERO`].
#[derive(Debug)]
pub struct TokioTcp {
    stream: HostTcpStream,
    /// The connection once more, for the reactor.
    socket: TcpStream,
    /// Never later than the session's own timer; when it is earlier, the session is looked at in vain.
    timer: Pin<Box<Sleep>>,
    tasks: Arc<Tasks>,
    /// Wakes `tasks`.
    waker: Waker,
}

impl TokioTcp {
    /// `stream`, woken by the runtime that this is called in.
    ///
    /// # Errors
    /// Those of the system, and one of kind [`Other`](io::ErrorKind::Other) outside a runtime.
    ///
    /// # Panics
    /// In a runtime without IO or without time.
    pub fn new(stream: HostTcpStream) -> io::Result<Self> {
        Handle::try_current().map_err(Error::other)?;
        let socket = net::TcpStream::from(stream.transport().as_fd().try_clone_to_owned()?);
        let socket = TcpStream::from_std(socket)?;
        let tasks = Arc::<Tasks>::default();
        let waker = Waker::from(Arc::clone(&tasks));
        Ok(Self { stream, socket, timer: Box::pin(time::sleep(time::Duration::ZERO)), tasks, waker })
    }

    /// The stream, to look at.
    #[must_use]
    pub const fn get_ref(&self) -> &HostTcpStream {
        &self.stream
    }

    /// The stream, for threads again.
    #[must_use]
    pub fn into_inner(self) -> HostTcpStream {
        self.stream
    }
}

impl PollReady for TokioTcp {
    fn poll_ready(&mut self, interest: Interest, context: &mut Context<'_>) -> Poll<()> {
        let Self { stream, socket, timer, tasks, waker } = self;
        if is_ready(stream, interest) {
            return Poll::Ready(());
        }
        // Before the sources are asked: from then on they wake it.
        tasks.keep(interest, context.waker());
        let sources = &mut Context::from_waker(waker);
        loop {
            let readiness = stream.readiness();
            let readable = poll_if(readiness.in_receiving(), || socket.poll_read_ready(sources));
            let writable = poll_if(readiness.in_sending(), || socket.poll_write_ready(sources));
            let due = poll_timer(stream, timer.as_mut(), sources);
            if due.is_pending() && readable.is_pending() && writable.is_pending() {
                return Poll::Pending;
            }
            if matches!(readable, Poll::Ready(Err(_))) || matches!(writable, Poll::Ready(Err(_))) {
                // The runtime is about to end: nobody would be woken any more.
                stream.abort();
                return Poll::Ready(());
            }
            if due.is_ready() && is_ready(stream, interest)
                || readable.is_ready() && is_ready_at(socket, Direction::READABLE, stream, interest)
                || writable.is_ready() && is_ready_at(socket, Direction::WRITABLE, stream, interest)
            {
                return Poll::Ready(());
            }
        }
    }
}

/// Whether `interest` is met now, or never will be.
fn is_ready(stream: &mut HostTcpStream, interest: Interest) -> bool {
    !matches!(stream.wait(interest, Instant::ZERO), Err(StreamError::WouldBlock | StreamError::TimedOut))
}

/// The same, where the reactor has seen something. If that was used up already, it waits for news from here on; news
/// that come while this looks are not lost by that.
fn is_ready_at(
    socket: &TcpStream,
    direction: Direction,
    stream: &mut HostTcpStream,
    interest: Interest,
) -> bool {
    let met = socket.try_io(direction, || {
        let met = is_ready(stream, interest);
        if !met && is_part(direction, stream.readiness()) {
            Err(ErrorKind::WouldBlock.into())
        } else {
            Ok(met)
        }
    });
    met.unwrap_or(false)
}

fn is_part(direction: Direction, readiness: Readiness) -> bool {
    direction.is_readable() && readiness.in_receiving() || direction.is_writable() && readiness.in_sending()
}

/// Asks a source, if anything is expected of it.
fn poll_if<T>(wanted: bool, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    if wanted { poll() } else { Poll::Pending }
}

/// Ready when the session has something to do, or may have.
fn poll_timer(stream: &HostTcpStream, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
    let Some(wake_at) = stream.wake_at() else { return Poll::Pending };
    let span = wake_at.saturating_since(stream.now()).min(SLEEP_MAX);
    if span == Duration::ZERO {
        return Poll::Ready(());
    }
    let at = time::Instant::now() + time::Duration::from_micros(span.as_micros());
    // Every record that arrives puts the session's timer off. The runtime's follows only when it has run out.
    if timer.is_elapsed() || at < timer.deadline() {
        timer.as_mut().reset(at);
    }
    timer.poll(context)
}

impl ReliableStream for TokioTcp {
    fn now(&self) -> Instant {
        self.stream.now()
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.stream.peer()
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        self.stream.read(buf, deadline)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        self.stream.write(data, deadline)
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.stream.finish()
    }

    fn abort(&mut self) {
        self.stream.abort();
        self.tasks.wake();
    }

    fn unsent(&self) -> u64 {
        self.stream.unsent()
    }

    fn set_low_water(&mut self, mark: u64) {
        self.stream.set_low_water(mark);
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        self.stream.wait(interest, deadline)
    }
}
