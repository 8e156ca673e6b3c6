//! The system's sockets behind the facade: for services of the OS that run on a host.
//!
//! The system moves the bytes by itself, so [`NetStack::poll`] only tells what time it is, and nothing is ever due.
//! Ticks are microseconds. [`HostNet`] is also the [`Ticker`] to run a [`PolledStack`](crate::net::PolledStack) by: its
//! sleep ends when one of the sockets can do what it last could not.

mod errors;
mod listener;
mod tcp;
mod udp;
mod watch;

use core::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use socket2::{Domain, Protocol, Socket, Type};
use udp_sec::time::Instant;

use self::errors::failure;
use self::watch::Watch;
use super::clock::HostClock;
use crate::net::{
    NetError, NetInstant, NetSocketAddr, NetSocketAddrV4, NetSocketAddrV6, NetStack, NetStackV6, Ticker,
};

pub use listener::HostNetListener;
pub use tcp::HostNetTcp;
pub use udp::HostNetUdp;

/// The sockets of the system as a [`NetStack`]; its copies are the same one.
#[derive(Clone, Debug)]
pub struct HostNet {
    shared: Arc<Shared>,
}

/// What the sockets share with their stack.
#[derive(Debug)]
struct Shared {
    clock: HostClock,
    /// The time of the last poll.
    now: AtomicU64,
    watch: Watch,
}

impl Shared {
    fn now(&self) -> NetInstant {
        self.now.load(Ordering::Relaxed)
    }
}

impl HostNet {
    /// The system's sockets, by a clock that starts at 0 now.
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { clock: HostClock::start(), now: AtomicU64::new(0), watch: Watch::default() };
        Self { shared: Arc::new(shared) }
    }

    fn listen<A: NetSocketAddr>(&self, local: A, backlog: usize) -> Result<HostNetListener<A>, NetError> {
        if backlog == 0 {
            return Err(NetError::InvalidInput("a backlog of 0"));
        }
        let (socket, address) = stream_socket(local.into())?;
        // A port whose last connections are in TIME-WAIT is free.
        socket.set_reuse_address(true).map_err(failure)?;
        socket.bind(&address.into()).map_err(failure)?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(failure)?;
        HostNetListener::new(&self.shared, socket.into())
    }

    fn connect(&self, remote: SocketAddr, deadline: Option<NetInstant>) -> Result<HostNetTcp, NetError> {
        if remote.port() == 0 || remote.ip().is_unspecified() || remote.ip().is_multicast() {
            return Err(NetError::InvalidInput("nobody has that address"));
        }
        if deadline.is_some_and(|deadline| self.shared.now() > deadline) {
            return Err(NetError::TimedOut);
        }
        let (socket, remote) = stream_socket(remote)?;
        match socket.connect(&remote.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(error) => return Err(failure(error)),
        }
        Ok(HostNetTcp::connecting(&self.shared, socket.into(), deadline))
    }
}

/// A socket for TCP, and the address it is for.
fn stream_socket(address: SocketAddr) -> Result<(Socket, SocketAddr), NetError> {
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(failure)?;
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(failure)?;
    }
    socket.set_nonblocking(true).map_err(failure)?;
    Ok((socket, address))
}

impl Default for HostNet {
    fn default() -> Self {
        Self::new()
    }
}

impl Ticker for HostNet {
    fn now(&self) -> NetInstant {
        self.shared.clock.now().as_micros()
    }

    fn sleep(&self, until: NetInstant) {
        self.shared.watch.wait(self.shared.clock.now(), Instant::from_micros(until));
    }
}

impl NetStack for HostNet {
    type Udp = HostNetUdp;
    type TcpListener = HostNetListener;
    type TcpStream = HostNetTcp;

    fn poll(&mut self, now: NetInstant) {
        self.shared.now.fetch_max(now, Ordering::Relaxed);
    }

    fn next_wake(&self) -> Option<NetInstant> {
        None
    }

    fn udp_bind(&mut self, local: NetSocketAddrV4) -> Result<Self::Udp, NetError> {
        HostNetUdp::bind(&self.shared, local)
    }

    fn tcp_listen(&mut self, local: NetSocketAddrV4, backlog: usize) -> Result<Self::TcpListener, NetError> {
        self.listen(local, backlog)
    }

    fn tcp_connect(
        &mut self,
        remote: NetSocketAddrV4,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStream, NetError> {
        self.connect(remote.into(), deadline)
    }
}

impl NetStackV6 for HostNet {
    type UdpV6 = HostNetUdp<NetSocketAddrV6>;
    type TcpListenerV6 = HostNetListener<NetSocketAddrV6>;
    type TcpStreamV6 = HostNetTcp;

    fn udp_bind_v6(&mut self, local: NetSocketAddrV6) -> Result<Self::UdpV6, NetError> {
        HostNetUdp::bind(&self.shared, local)
    }

    fn tcp_listen_v6(
        &mut self,
        local: NetSocketAddrV6,
        backlog: usize,
    ) -> Result<Self::TcpListenerV6, NetError> {
        self.listen(local, backlog)
    }

    fn tcp_connect_v6(
        &mut self,
        remote: NetSocketAddrV6,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStreamV6, NetError> {
        self.connect(remote.into(), deadline)
    }
}
