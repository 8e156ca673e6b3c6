//! The traits of the facade, as the OS's services know them.
//!
//! A socket of either version of IP is the same trait with another address. The address defaults to IPv4, so that
//! `UdpSocket` and `TcpListener` by themselves are the traits of the facade's first version.

use super::address::{NetSocketAddrV4, NetSocketAddrV6};
use super::error::NetError;
use super::ticks::NetInstant;

/// A network stack that is polled.
pub trait NetStack {
    /// Its datagram sockets.
    type Udp: UdpSocket;
    /// Its listening ports.
    type TcpListener: TcpListener;
    /// The connections that it makes.
    type TcpStream: TcpStream;

    /// Does what is due at `now`, which must not go back: frames in, frames out, timers. May be called at any time,
    /// and does a bounded amount of work.
    fn poll(&mut self, now: NetInstant);

    /// When the next [`poll`](Self::poll) is due even if nothing arrives; `None`: not before something does.
    fn next_wake(&self) -> Option<NetInstant>;

    /// Opens a datagram socket at `local`: all zeros is any address of ours, port 0 any free port.
    ///
    /// # Errors
    /// [`NetError::AddrInUse`]; [`NetError::InvalidInput`] for an address that is not ours; [`NetError::NoBufs`].
    fn udp_bind(&mut self, local: NetSocketAddrV4) -> Result<Self::Udp, NetError>;

    /// Lets peers connect to `local`. Connections that nobody has accepted yet number at most `backlog`, or the
    /// stack's own bound if that is less; peers beyond it are refused, or have to ask again.
    ///
    /// # Errors
    /// As [`udp_bind`](Self::udp_bind); [`NetError::InvalidInput`] for a backlog of 0.
    fn tcp_listen(&mut self, local: NetSocketAddrV4, backlog: usize) -> Result<Self::TcpListener, NetError>;

    /// Begins to connect to `remote`. The stream comes at once: until it is connected, reading and writing say
    /// [`NetError::WouldBlock`]; once that has failed, or has not succeeded by `deadline`,
    /// [`NetError::NotConnected`].
    ///
    /// # Errors
    /// [`NetError::InvalidInput`] for an address that nobody can have; [`NetError::NotConnected`] where it is known
    /// at once that there is no way; [`NetError::NoBufs`]; [`NetError::TimedOut`] if the deadline has passed.
    fn tcp_connect(
        &mut self,
        remote: NetSocketAddrV4,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStream, NetError>;
}

/// A stack that knows IPv6, too: the same three calls.
pub trait NetStackV6: NetStack {
    /// Its datagram sockets.
    type UdpV6: UdpSocket<NetSocketAddrV6>;
    /// Its listening ports.
    type TcpListenerV6: TcpListener<NetSocketAddrV6>;
    /// The connections that it makes.
    type TcpStreamV6: TcpStream;

    /// As [`NetStack::udp_bind`].
    ///
    /// # Errors
    /// As there.
    fn udp_bind_v6(&mut self, local: NetSocketAddrV6) -> Result<Self::UdpV6, NetError>;

    /// As [`NetStack::tcp_listen`].
    ///
    /// # Errors
    /// As there.
    fn tcp_listen_v6(
        &mut self,
        local: NetSocketAddrV6,
        backlog: usize,
    ) -> Result<Self::TcpListenerV6, NetError>;

    /// As [`NetStack::tcp_connect`].
    ///
    /// # Errors
    /// As there.
    fn tcp_connect_v6(
        &mut self,
        remote: NetSocketAddrV6,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStreamV6, NetError>;
}

/// A datagram socket. Dropping it gives its port back.
pub trait UdpSocket<A = NetSocketAddrV4> {
    /// Where it is bound; the port is the one it really has.
    fn local_addr(&self) -> A;

    /// Sends `buf` to `remote`, and returns its length. That it leaves is no promise that it arrives.
    ///
    /// # Errors
    /// [`NetError::InvalidInput`] above [`MAX_UDP_DATAGRAM_BYTES`](super::MAX_UDP_DATAGRAM_BYTES), for more than the
    /// link carries in one packet, or for an address that nobody can have; [`NetError::WouldBlock`] or
    /// [`NetError::NoBufs`] while there is no room.
    fn send_to(&mut self, buf: &[u8], remote: A) -> Result<usize, NetError>;

    /// Takes one datagram into `buf`, and returns its length and its sender.
    ///
    /// # Errors
    /// [`NetError::WouldBlock`] while there is none; [`NetError::NoBufs`] for one longer than `buf`, which is gone.
    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, A), NetError>;
}

/// A port that peers can connect to. Dropping it gives the port back; streams already accepted live on.
pub trait TcpListener<A = NetSocketAddrV4> {
    /// What is accepted.
    type Stream: TcpStream;

    /// Where it listens; the port is the one it really has.
    fn local_addr(&self) -> A;

    /// Takes the connection that has waited longest.
    ///
    /// # Errors
    /// [`NetError::WouldBlock`] or [`NetError::TimedOut`] while there is none.
    fn accept(&mut self, deadline: Option<NetInstant>) -> Result<Self::Stream, NetError>;
}

/// A connection: bytes in order, both ways. Dropping it without [`close`](Self::close) aborts it.
pub trait TcpStream {
    /// Takes at least one byte into `buf`, and returns how many. 0 is the end: the peer has closed, and everything it
    /// sent has been read (or `buf` is empty).
    ///
    /// # Errors
    /// [`NetError::WouldBlock`] or [`NetError::TimedOut`] while nothing is there; [`NetError::NotConnected`] if no
    /// connection came about; [`NetError::Disconnected`] once it is lost, and after [`close`](Self::close).
    fn read(&mut self, deadline: Option<NetInstant>, buf: &mut [u8]) -> Result<usize, NetError>;

    /// Hands over at least one byte of `buf`, and returns how many (0 only for empty `buf`).
    ///
    /// # Errors
    /// [`NetError::InvalidInput`] above [`MAX_TCP_WRITE_BYTES`](super::MAX_TCP_WRITE_BYTES), else as
    /// [`read`](Self::read).
    fn write(&mut self, deadline: Option<NetInstant>, buf: &[u8]) -> Result<usize, NetError>;

    /// Ends the connection: what was written still goes out, then the peer reads the end. May be repeated.
    fn close(&mut self);
}
