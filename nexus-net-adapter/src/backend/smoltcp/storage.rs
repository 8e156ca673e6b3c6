//! The memory of a stack, lent by its user: arrays on a device, whatever outlives the stack on a host.

use core::cell::RefCell;

use smoltcp::iface::{SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::{tcp, udp};
use udp_sec::time::Instant;

use super::table::{Slot, Table, Use};
use crate::net::NetError;

/// The largest window of TCP, in bytes (RFC 7323 section 2.3).
const WINDOW_MAX: usize = 1 << 30;

/// The queues of one UDP socket: each direction holds up to `DATAGRAMS`, of `BYTES` in all. Two datagrams of 1500
/// bytes is the least that works; a session's first flight is ten of 1200.
#[derive(Debug)]
pub struct UdpBuffers<const DATAGRAMS: usize, const BYTES: usize> {
    received: ([udp::PacketMetadata; DATAGRAMS], [u8; BYTES]),
    sending: ([udp::PacketMetadata; DATAGRAMS], [u8; BYTES]),
}

impl<const DATAGRAMS: usize, const BYTES: usize> UdpBuffers<DATAGRAMS, BYTES> {
    /// Empty queues.
    #[must_use]
    pub const fn new() -> Self {
        let empty = ([udp::PacketMetadata::EMPTY; DATAGRAMS], [0; BYTES]);
        Self { received: empty, sending: ([udp::PacketMetadata::EMPTY; DATAGRAMS], [0; BYTES]) }
    }
}

impl<const DATAGRAMS: usize, const BYTES: usize> Default for UdpBuffers<DATAGRAMS, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

/// The buffers of one TCP socket, in bytes: what has arrived (the window that the peer is given), and what is to
/// leave or to be acknowledged.
#[derive(Debug)]
pub struct TcpBuffers<const RECEIVED: usize, const SENDING: usize> {
    received: [u8; RECEIVED],
    sending: [u8; SENDING],
}

impl<const RECEIVED: usize, const SENDING: usize> TcpBuffers<RECEIVED, SENDING> {
    /// Empty buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self { received: [0; RECEIVED], sending: [0; SENDING] }
    }
}

impl<const RECEIVED: usize, const SENDING: usize> Default for TcpBuffers<RECEIVED, SENDING> {
    fn default() -> Self {
        Self::new()
    }
}

/// The sockets of one stack, in memory that was lent for as long as they exist.
#[derive(Debug)]
pub struct Sockets<'s> {
    /// Borrowed for the length of one call of ours, during which nothing of the caller's runs but its device.
    pub(super) table: RefCell<Table<'s>>,
    room: usize,
    congestion_control: tcp::CongestionControl,
}

impl<'s> Sockets<'s> {
    /// No sockets yet, and room for as many as `storage` has, up to [`SOCKETS_MAX`](super::SOCKETS_MAX).
    #[must_use]
    pub fn new(storage: &'s mut [SocketStorage<'s>]) -> Self {
        let room = storage.len();
        let table = RefCell::new(Table::new(SocketSet::new(storage)));
        Self { table, room, congestion_control: tcp::CongestionControl::Reno }
    }

    /// How TCP sockets added from now on find their rate; NewReno unless set. Without control, a sender that meets loss
    /// goes on as before and harms others: for closed links only.
    pub const fn set_congestion_control(&mut self, algorithm: tcp::CongestionControl) {
        self.congestion_control = algorithm;
    }

    /// A UDP socket in `buffers`.
    ///
    /// # Errors
    /// [`NetError::NoBufs`] if there is no room.
    pub fn add_udp<const DATAGRAMS: usize, const BYTES: usize>(
        &mut self,
        buffers: &'s mut UdpBuffers<DATAGRAMS, BYTES>,
    ) -> Result<(), NetError> {
        let UdpBuffers { received, sending } = buffers;
        let received = udp::PacketBuffer::new(&mut received.0[..], &mut received.1[..]);
        let sending = udp::PacketBuffer::new(&mut sending.0[..], &mut sending.1[..]);
        self.add(Use::FreeUdp, |set| set.add(udp::Socket::new(received, sending)))
    }

    /// A TCP socket in `buffers`: for one connection at a time, or one place in a backlog.
    ///
    /// # Errors
    /// [`NetError::NoBufs`] if there is no room; [`NetError::InvalidInput`] for more than a window can be.
    pub fn add_tcp<const RECEIVED: usize, const SENDING: usize>(
        &mut self,
        buffers: &'s mut TcpBuffers<RECEIVED, SENDING>,
    ) -> Result<(), NetError> {
        if RECEIVED > WINDOW_MAX {
            return Err(NetError::InvalidInput("a window of more than 1 GiB"));
        }
        let TcpBuffers { received, sending } = buffers;
        let mut socket = tcp::Socket::new(
            tcp::SocketBuffer::new(&mut received[..]),
            tcp::SocketBuffer::new(&mut sending[..]),
        );
        socket.set_congestion_control(self.congestion_control);
        // Records are already as large as they can be; to wait for more would only delay them.
        socket.set_nagle_enabled(false);
        self.add(Use::FreeTcp, |set| set.add(socket))
    }

    fn add(
        &mut self,
        usage: Use,
        put: impl FnOnce(&mut SocketSet<'s>) -> SocketHandle,
    ) -> Result<(), NetError> {
        let table = self.table.get_mut();
        if table.slots.len() >= self.room || table.slots.is_full() {
            return Err(NetError::NoBufs);
        }
        let handle = put(&mut table.set);
        table.slots.push(Slot { handle, usage, since: Instant::ZERO }).map_err(|_| NetError::NoBufs)
    }
}
