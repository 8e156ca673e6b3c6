//! A TCP port at which sessions are opened: strangers may connect, and hold nobody up.

use core::net::SocketAddr;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::vec::Vec;

use getrandom::SysRng;
use rustix::event::PollFlags;
use udp_sec::error::Reject;
use udp_sec::stats::RejectCounts;
use udp_sec::time::Instant;

use super::{HostTcp, HostTcpStream, memory, wait};
use crate::backend::host::{HANDSHAKES_MAX, HostClock, Peers};
use crate::stream::StreamError;
use crate::tcp::{Config, SecureTcpStream};

/// An identity at a TCP port.
#[derive(Debug)]
pub struct HostTcpListener {
    socket: TcpListener,
    config: Config,
    peers: Peers,
    clock: HostClock,
    /// Connections whose callers have not proven themselves yet, the oldest first.
    handshakes: Vec<HostTcpStream>,
    rejects: RejectCounts,
}

impl HostTcpListener {
    /// Listens at `address` (port 0: any) and lets `peers` open sessions.
    ///
    /// # Errors
    /// Those of the system, among them [`ErrorKind::AddrInUse`].
    pub fn bind(address: SocketAddr, config: Config, peers: Peers, clock: HostClock) -> io::Result<Self> {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, config, peers, clock, handshakes: Vec::new(), rejects: RejectCounts::new() })
    }

    /// The address it listens at.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The clock that deadlines are measured by.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// What callers were turned away for.
    #[must_use]
    pub const fn rejects(&self) -> &RejectCounts {
        &self.rejects
    }

    /// Takes the next session that a peer opens. Handshakes make progress while this is called, and only then.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while there is none.
    pub fn accept(&mut self, deadline: Instant) -> Result<HostTcpStream, StreamError> {
        let mut late = StreamError::WouldBlock;
        loop {
            self.take_connections();
            if let Some(stream) = self.established() {
                return Ok(stream);
            }
            let now = self.clock.now();
            if now >= deadline {
                return Err(late);
            }
            late = StreamError::TimedOut;
            let wake_at = self.handshakes.iter().filter_map(HostTcpStream::wake_at).min();
            self.wait(now, wake_at.map_or(deadline, |at| at.min(deadline)));
        }
    }

    /// All connections that have been made. Where there are too many, the one that has taken longest gives way: an
    /// honest handshake takes two round trips.
    fn take_connections(&mut self) {
        loop {
            let socket = match self.socket.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // None left; or one that was gone before it was taken, or too many files open: later, then.
                Err(_) => return,
            };
            if self.handshakes.len() >= HANDSHAKES_MAX {
                self.handshakes.remove(0);
                self.rejects.count(Reject::HalfOpenLimit);
            }
            let Ok(transport) = HostTcp::new(socket, self.clock) else { continue };
            let Ok(memory) = memory() else { continue };
            self.handshakes.push(SecureTcpStream::accept(transport, memory, &self.config));
        }
    }

    /// Moves every handshake on, and takes out the first that is done. Those that failed are closed.
    fn established(&mut self) -> Option<HostTcpStream> {
        let mut at = 0;
        while let Some(stream) = self.handshakes.get_mut(at) {
            let answered = stream.answer(&self.config, &self.peers, &mut SysRng, Instant::ZERO);
            match answered.and_then(|()| stream.established(Instant::ZERO)) {
                Ok(_) => return Some(self.handshakes.remove(at)),
                Err(StreamError::WouldBlock | StreamError::TimedOut) => at = at.saturating_add(1),
                Err(_) => {
                    if let Some(reject) = self.handshakes.remove(at).reject() {
                        self.rejects.count(reject);
                    }
                }
            }
        }
        None
    }

    fn wait(&self, now: Instant, until: Instant) {
        let callers = self.handshakes.iter().map(|stream| stream.transport().as_fd());
        let sources: Vec<BorrowedFd<'_>> = core::iter::once(self.socket.as_fd()).chain(callers).collect();
        wait(sources.iter().map(|source| (source, PollFlags::IN)), now, until);
    }
}
