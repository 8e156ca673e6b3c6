//! [`Secured`]: a session where the facade's users expect a connection.

use udp_sec::time::Instant;

use super::error::NetError;
use super::stack::TcpStream;
use super::ticks::{NetInstant, TickRate};
use super::{not_now, validate_tcp_write_len};
use crate::stream::{Interest, PeerIdentity, ReliableStream, StreamError};

/// Any [`ReliableStream`] as a [`TcpStream`] of the facade.
///
/// It never waits, as no stack does; each call moves the session on as far as it can. Who wants to wait does so at the
/// stream itself, [`stream`](Self::stream).
///
/// A session has no system behind it that would go on once its owner is gone. So, unlike a connection of a stack, this
/// one has to be kept after [`close`](TcpStream::close) until what was written has arrived, which
/// [`settle`](Self::settle) tells; dropped earlier, the session is aborted.
#[derive(Debug)]
pub struct Secured<S> {
    stream: S,
    rate: TickRate,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Closed,
}

impl<S: ReliableStream> Secured<S> {
    /// Over `stream`; deadlines count ticks of `rate` from the epoch of the stream's clock.
    pub const fn new(stream: S, rate: TickRate) -> Self {
        Self { stream, rate, state: State::Open }
    }

    /// Who the peer is; `None` until it has proven it. Until then nothing can be read or written either.
    pub fn peer(&self) -> Option<PeerIdentity> {
        self.stream.peer()
    }

    /// The session.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Gives the session back.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// After [`close`](TcpStream::close): moves the session on, discards what the peer still sends, and tells whether
    /// the peer has closed, too, and has all that was written.
    ///
    /// # Errors
    /// [`NetError::WouldBlock`] or [`NetError::TimedOut`] while that is not so; else the session has ended early.
    pub fn settle(&mut self, deadline: Option<NetInstant>) -> Result<(), NetError> {
        let mut discarded = [0; 256];
        loop {
            match self.stream.read(&mut discarded, Instant::ZERO) {
                Ok(0) => break,
                Ok(_) => {}
                Err(why) => return Err(self.refusal(why, deadline)),
            }
        }
        let delivered = self.stream.wait(Interest::Delivered, Instant::ZERO);
        delivered.map_err(|why| self.refusal(why, deadline))
    }

    fn refusal(&self, why: StreamError, deadline: Option<NetInstant>) -> NetError {
        match why {
            StreamError::WouldBlock | StreamError::TimedOut => {
                not_now(deadline, self.rate.ticks(self.stream.now()))
            }
            why => why.into(),
        }
    }
}

impl<S: ReliableStream> TcpStream for Secured<S> {
    fn read(&mut self, deadline: Option<NetInstant>, buf: &mut [u8]) -> Result<usize, NetError> {
        if self.state == State::Closed {
            return Err(NetError::Disconnected);
        }
        self.stream.read(buf, Instant::ZERO).map_err(|why| self.refusal(why, deadline))
    }

    fn write(&mut self, deadline: Option<NetInstant>, buf: &[u8]) -> Result<usize, NetError> {
        validate_tcp_write_len(buf.len())?;
        if self.state == State::Closed {
            return Err(NetError::Disconnected);
        }
        self.stream.write(buf, Instant::ZERO).map_err(|why| self.refusal(why, deadline))
    }

    fn close(&mut self) {
        if self.state == State::Open {
            self.state = State::Closed;
            // A handshake under way has nothing to finish.
            if self.stream.finish() == Err(StreamError::WouldBlock) {
                self.stream.abort();
            }
        }
    }
}
