//! What a [`MemoryStack`](super::MemoryStack) opens.

use super::MemoryNet;
use crate::net::{
    NetError, NetInstant, NetSocketAddrV4, TcpListener, TcpStream, UdpSocket, not_now,
    validate_tcp_write_len, validate_udp_payload_len,
};

/// One socket of the network.
#[derive(Debug)]
struct Handle<'n, const SOCKETS: usize, const QUEUE: usize> {
    net: &'n MemoryNet<SOCKETS, QUEUE>,
    index: usize,
}

impl<const SOCKETS: usize, const QUEUE: usize> Drop for Handle<'_, SOCKETS, QUEUE> {
    fn drop(&mut self) {
        self.net.core.borrow_mut().release(self.index);
    }
}

impl<const SOCKETS: usize, const QUEUE: usize> Handle<'_, SOCKETS, QUEUE> {
    fn late<T>(&self, outcome: Result<T, NetError>, deadline: Option<NetInstant>) -> Result<T, NetError> {
        match outcome {
            Err(NetError::WouldBlock) => Err(not_now(deadline, self.net.core.borrow().now)),
            outcome => outcome,
        }
    }
}

/// A datagram socket.
#[derive(Debug)]
pub struct MemoryUdp<'n, const SOCKETS: usize, const QUEUE: usize> {
    handle: Handle<'n, SOCKETS, QUEUE>,
    local: NetSocketAddrV4,
}

impl<'n, const SOCKETS: usize, const QUEUE: usize> MemoryUdp<'n, SOCKETS, QUEUE> {
    pub(super) const fn new(
        net: &'n MemoryNet<SOCKETS, QUEUE>,
        index: usize,
        local: NetSocketAddrV4,
    ) -> Self {
        Self { handle: Handle { net, index }, local }
    }
}

impl<const SOCKETS: usize, const QUEUE: usize> UdpSocket for MemoryUdp<'_, SOCKETS, QUEUE> {
    fn local_addr(&self) -> NetSocketAddrV4 {
        self.local
    }

    fn send_to(&mut self, buf: &[u8], remote: NetSocketAddrV4) -> Result<usize, NetError> {
        validate_udp_payload_len(buf.len())?;
        if remote.port == 0 || remote.ip.0 == [0; 4] {
            return Err(NetError::InvalidInput("nobody has that address"));
        }
        self.handle.net.core.borrow_mut().send_to(self.handle.index, buf, remote);
        Ok(buf.len())
    }

    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, NetSocketAddrV4), NetError> {
        self.handle.net.core.borrow_mut().recv_from(self.handle.index, buf)
    }
}

/// A port that peers can connect to.
#[derive(Debug)]
pub struct MemoryListener<'n, const SOCKETS: usize, const QUEUE: usize> {
    handle: Handle<'n, SOCKETS, QUEUE>,
    local: NetSocketAddrV4,
    /// With the address of the stack, where `local` has none.
    bound: NetSocketAddrV4,
}

impl<'n, const SOCKETS: usize, const QUEUE: usize> MemoryListener<'n, SOCKETS, QUEUE> {
    pub(super) const fn new(
        net: &'n MemoryNet<SOCKETS, QUEUE>,
        index: usize,
        local: NetSocketAddrV4,
        bound: NetSocketAddrV4,
    ) -> Self {
        Self { handle: Handle { net, index }, local, bound }
    }
}

impl<'n, const SOCKETS: usize, const QUEUE: usize> TcpListener for MemoryListener<'n, SOCKETS, QUEUE> {
    type Stream = MemoryTcp<'n, SOCKETS, QUEUE>;

    fn local_addr(&self) -> NetSocketAddrV4 {
        self.local
    }

    fn accept(&mut self, deadline: Option<NetInstant>) -> Result<Self::Stream, NetError> {
        let accepted = self.handle.net.core.borrow_mut().accept(self.bound);
        let outcome = accepted.map(|index| MemoryTcp::new(self.handle.net, index));
        self.handle.late(outcome.ok_or(NetError::WouldBlock), deadline)
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct MemoryTcp<'n, const SOCKETS: usize, const QUEUE: usize> {
    handle: Handle<'n, SOCKETS, QUEUE>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Closed,
}

impl<'n, const SOCKETS: usize, const QUEUE: usize> MemoryTcp<'n, SOCKETS, QUEUE> {
    pub(super) const fn new(net: &'n MemoryNet<SOCKETS, QUEUE>, index: usize) -> Self {
        Self { handle: Handle { net, index }, state: State::Open }
    }
}

impl<const SOCKETS: usize, const QUEUE: usize> TcpStream for MemoryTcp<'_, SOCKETS, QUEUE> {
    fn read(&mut self, deadline: Option<NetInstant>, buf: &mut [u8]) -> Result<usize, NetError> {
        if self.state == State::Closed {
            return Err(NetError::Disconnected);
        }
        let outcome = self.handle.net.core.borrow_mut().read(self.handle.index, buf);
        self.handle.late(outcome, deadline)
    }

    fn write(&mut self, deadline: Option<NetInstant>, buf: &[u8]) -> Result<usize, NetError> {
        validate_tcp_write_len(buf.len())?;
        if self.state == State::Closed {
            return Err(NetError::Disconnected);
        }
        let outcome = self.handle.net.core.borrow_mut().write(self.handle.index, buf);
        self.handle.late(outcome, deadline)
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.handle.net.core.borrow_mut().close(self.handle.index);
    }
}
