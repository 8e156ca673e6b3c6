//! TCP of the system below [`SecureTcpStream`]: for hosts on whose path datagrams do not get through.

mod listener;

use core::fmt;
use core::net::SocketAddr;
use std::boxed::Box;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration as SystemDuration;
use std::vec;

use getrandom::SysRng;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use udp_sec::error::Reject;
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};

use super::clock::HostClock;
use crate::stream::StreamError;
use crate::tcp::{ByteStream, ByteStreamError, Config, Memory, Readiness, SecureTcpStream};

pub use listener::HostTcpListener;

/// Bytes of each of a session's two buffers: four records of full size.
const BUFFER: usize = 1 << 16;
/// Bytes that wait in the system before it takes more. What is queued there, no priority can overtake.
const SYSTEM_UNSENT: u32 = 1 << 14;
/// No wait is longer, so that no deadline, however far, exceeds what the system can express.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// A session over a TCP connection of the system.
pub type HostTcpStream = SecureTcpStream<HostTcp, Box<[u8]>>;

/// A TCP connection of the system, with the clock that it waits by.
#[derive(Debug)]
pub struct HostTcp {
    socket: TcpStream,
    clock: HostClock,
}

impl HostTcp {
    /// Takes over a connection.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(socket: TcpStream, clock: HostClock) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // Records are already as large as they can be; to wait for more would only delay them.
        socket.set_nodelay(true)?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket2::SockRef::from(&socket).set_tcp_notsent_lowat(SYSTEM_UNSENT)?;
        Ok(Self { socket, clock })
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Those of the system.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }
}

impl AsFd for HostTcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl ByteStream for HostTcp {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<usize, ByteStreamError> {
        again(|| self.socket.read(room))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, ByteStreamError> {
        again(|| self.socket.write(bytes))
    }

    fn finish(&mut self) {
        // Nothing is lost if the connection is already gone.
        _ = self.socket.shutdown(Shutdown::Write);
    }

    fn wait(&mut self, readiness: Readiness, until: Instant) {
        wait([(&self.socket, flags(readiness))], self.clock.now(), until);
    }
}

/// Repeats a call that a signal has interrupted, and tells the three outcomes apart that matter.
fn again(mut call: impl FnMut() -> io::Result<usize>) -> Result<usize, ByteStreamError> {
    loop {
        return match call() {
            Ok(count) => Ok(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ByteStreamError::WouldBlock),
            Err(_) => Err(ByteStreamError::Lost),
        };
    }
}

const fn flags(readiness: Readiness) -> PollFlags {
    match readiness {
        Readiness::Receive => PollFlags::IN,
        Readiness::Send => PollFlags::OUT,
        Readiness::Either => PollFlags::IN.union(PollFlags::OUT),
        Readiness::Neither => PollFlags::empty(),
    }
}

/// Waits for one of `sources`, or until `until`.
fn wait<'s, S: AsFd + 's>(
    sources: impl IntoIterator<Item = (&'s S, PollFlags)>,
    now: Instant,
    until: Instant,
) {
    let mut sources: vec::Vec<_> = sources
        .into_iter()
        // Not even asked about, a lost connection would still end every wait.
        .filter(|(_, flags)| !flags.is_empty())
        .map(|(source, flags)| PollFd::new(source, flags))
        .collect();
    let span = system_duration(until.saturating_since(now));
    // Should the system refuse, or a signal arrive, this is only a wait that was too short.
    _ = poll(&mut sources, Timespec::try_from(span).ok().as_ref());
}

/// At most an hour, and rounded up to a millisecond, so that the end of a wait is not missed by a little.
fn system_duration(span: Duration) -> SystemDuration {
    let micros = span.min(WAIT_MAX).as_micros();
    SystemDuration::from_millis(micros.div_ceil(1000))
}

/// The memory of one session.
fn memory() -> Result<Memory<Box<[u8]>>, TcpError> {
    let buffer = || vec![0; BUFFER].into_boxed_slice();
    Memory::new(buffer(), buffer()).map_err(|_| TcpError::NotBegun(Reject::OversizeDatagram))
}

/// Opens a session with the holder of `peer` at `remote`, by `clock`.
///
/// # Errors
/// [`TcpError`]; a peer that does not know us ends the connection without a word.
pub fn connect_tcp(
    remote: SocketAddr,
    config: &Config,
    peer: &PublicKey,
    clock: HostClock,
    deadline: Instant,
) -> Result<HostTcpStream, TcpError> {
    let budget = deadline.saturating_since(clock.now()).min(config.handshake_budget);
    let budget = system_duration(budget).max(SystemDuration::from_millis(1));
    let socket = TcpStream::connect_timeout(&remote, budget)?;
    let transport = HostTcp::new(socket, clock)?;
    let mut stream = SecureTcpStream::connect(transport, memory()?, config, peer, &mut SysRng)
        .map_err(TcpError::NotBegun)?;
    stream.established(deadline)?;
    Ok(stream)
}

/// Why no session was opened over TCP.
#[derive(Debug)]
pub enum TcpError {
    /// There is no connection.
    Connection(io::Error),
    /// The handshake could not begin.
    NotBegun(Reject),
    /// The handshake did not succeed.
    Failed(StreamError),
}

impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(why) => why.fmt(f),
            Self::NotBegun(why) => why.fmt(f),
            Self::Failed(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for TcpError {}

impl From<io::Error> for TcpError {
    fn from(why: io::Error) -> Self {
        Self::Connection(why)
    }
}

impl From<StreamError> for TcpError {
    fn from(why: StreamError) -> Self {
        Self::Failed(why)
    }
}

#[cfg(test)]
mod tests;
