//! [`StackBytes`]: a connection of any stack, below a [`SecureTcpStream`](crate::tcp::SecureTcpStream).

use udp_sec::time::Instant;

use super::MAX_TCP_WRITE_BYTES;
use super::address::{NetSocketAddrV4, NetSocketAddrV6};
use super::error::NetError;
use super::polled::{PolledStack, Ticker};
use super::stack::{NetStack, NetStackV6, TcpListener, TcpStream};
use crate::tcp::{ByteStream, ByteStreamError, Readiness};

/// A connection of a [`PolledStack`]. Polls the stack before it receives.
///
/// Dropped, it has still to be polled until its last segment has left: see [`PolledStack::wait`].
#[derive(Debug)]
pub struct StackBytes<'p, N: NetStack, T: Ticker, S: TcpStream> {
    stack: &'p PolledStack<N, T>,
    stream: S,
}

impl<'p, N: NetStack, T: Ticker, S: TcpStream> StackBytes<'p, N, T, S> {
    /// Over `stream`, which is one of `stack`.
    pub const fn new(stack: &'p PolledStack<N, T>, stream: S) -> Self {
        Self { stack, stream }
    }
}

impl<N: NetStack, T: Ticker, S: TcpStream> Drop for StackBytes<'_, N, T, S> {
    fn drop(&mut self) {
        self.stack.touch();
    }
}

impl<N: NetStack, T: Ticker, S: TcpStream> ByteStream for StackBytes<'_, N, T, S> {
    fn now(&self) -> Instant {
        self.stack.now()
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<usize, ByteStreamError> {
        self.stack.poll();
        // A stack that would wait for the deadline does not, for one that is now.
        self.stream.read(Some(self.stack.ticker().now()), room).map_err(fate)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, ByteStreamError> {
        let bytes = bytes.get(..MAX_TCP_WRITE_BYTES).unwrap_or(bytes);
        let taken = self.stream.write(Some(self.stack.ticker().now()), bytes).map_err(fate)?;
        self.stack.touch();
        Ok(taken)
    }

    fn finish(&mut self) {
        self.stream.close();
        self.stack.touch();
    }

    fn wait(&mut self, _readiness: Readiness, until: Instant) {
        self.stack.wait(until);
    }
}

/// Whether it is worth to ask again.
fn fate(why: NetError) -> ByteStreamError {
    match why {
        NetError::WouldBlock | NetError::TimedOut | NetError::NoBufs => ByteStreamError::WouldBlock,
        _ => ByteStreamError::Lost,
    }
}

impl<N: NetStack, T: Ticker> PolledStack<N, T> {
    /// A connection to `remote` for a session. It is made while the session's handshake waits for it, by `deadline`.
    ///
    /// # Errors
    /// See [`NetStack::tcp_connect`].
    pub fn connect(
        &self,
        remote: NetSocketAddrV4,
        deadline: Instant,
    ) -> Result<StackBytes<'_, N, T, N::TcpStream>, NetError> {
        let deadline = Some(self.rate().ticks(deadline));
        self.open(|stack| stack.tcp_connect(remote, deadline)).map(|stream| StackBytes::new(self, stream))
    }

    /// The same over IPv6.
    ///
    /// # Errors
    /// See [`NetStackV6::tcp_connect_v6`].
    pub fn connect_v6(
        &self,
        remote: NetSocketAddrV6,
        deadline: Instant,
    ) -> Result<StackBytes<'_, N, T, N::TcpStreamV6>, NetError>
    where
        N: NetStackV6,
    {
        let deadline = Some(self.rate().ticks(deadline));
        self.open(|stack| stack.tcp_connect_v6(remote, deadline)).map(|stream| StackBytes::new(self, stream))
    }

    /// Takes the next connection that `listener` has, for a session. Waits until `deadline` for it.
    ///
    /// # Errors
    /// See [`TcpListener::accept`](TcpListener::accept).
    pub fn accept<A, L: TcpListener<A>>(
        &self,
        listener: &mut L,
        deadline: Instant,
    ) -> Result<StackBytes<'_, N, T, L::Stream>, NetError> {
        loop {
            self.poll();
            let now = self.ticker().now();
            match listener.accept(Some(now)) {
                Err(NetError::WouldBlock | NetError::TimedOut) if self.rate().instant(now) < deadline => {
                    self.wait(deadline);
                }
                Err(NetError::WouldBlock) => return Err(NetError::TimedOut),
                outcome => return outcome.map(|stream| StackBytes::new(self, stream)),
            }
        }
    }
}
