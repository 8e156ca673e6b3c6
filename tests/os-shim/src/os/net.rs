//! The shape of the system's sockets facade: non-blocking calls, a clock in ticks that only `poll` moves.

/// Largest payload of a datagram, in bytes.
pub const MAX_UDP_DATAGRAM_BYTES: usize = 1500;

/// Most bytes of one write on a stream.
pub const MAX_TCP_WRITE_BYTES: usize = 16 * 1024;

/// Time in ticks of the system's choice.
pub type NetInstant = u64;

/// An IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct NetIpAddrV4(pub [u8; 4]);

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct NetSocketAddrV4 {
    /// The address.
    pub ip: NetIpAddrV4,
    /// The port.
    pub port: u16,
}

impl NetSocketAddrV4 {
    /// The port `port` at `ip`.
    #[must_use]
    pub const fn new(ip: [u8; 4], port: u16) -> Self {
        Self { ip: NetIpAddrV4(ip), port }
    }
}

/// What may come of a call instead of a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetError {
    /// There is no such thing here.
    Unsupported,
    /// Not now: poll, and try again.
    WouldBlock,
    /// The deadline has passed.
    TimedOut,
    /// The caller's mistake.
    InvalidInput(&'static str),
    /// The port is taken.
    AddrInUse,
    /// There is no connection.
    NotConnected,
    /// There was one.
    Disconnected,
    /// A bound is reached.
    NoBufs,
    /// Anything else.
    Internal(&'static str),
}

/// All sockets of a system.
pub trait NetStack {
    /// Its datagram sockets.
    type Udp: UdpSocket;
    /// Its listeners.
    type TcpListener: TcpListener;
    /// Its streams.
    type TcpStream: TcpStream;

    /// It is `now`: does what is due.
    fn poll(&mut self, now: NetInstant);

    /// When to poll next at the latest.
    fn next_wake(&self) -> Option<NetInstant>;

    /// Binds a datagram socket.
    ///
    /// # Errors
    /// [`NetError`].
    fn udp_bind(&mut self, local: NetSocketAddrV4) -> Result<Self::Udp, NetError>;

    /// Listens for streams.
    ///
    /// # Errors
    /// [`NetError`].
    fn tcp_listen(&mut self, local: NetSocketAddrV4, backlog: usize) -> Result<Self::TcpListener, NetError>;

    /// Opens a stream.
    ///
    /// # Errors
    /// [`NetError`].
    fn tcp_connect(
        &mut self,
        remote: NetSocketAddrV4,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStream, NetError>;
}

/// A datagram socket.
pub trait UdpSocket {
    /// Where it is bound.
    fn local_addr(&self) -> NetSocketAddrV4;

    /// Sends one datagram.
    ///
    /// # Errors
    /// [`NetError`].
    fn send_to(&mut self, buf: &[u8], remote: NetSocketAddrV4) -> Result<usize, NetError>;

    /// Receives one datagram.
    ///
    /// # Errors
    /// [`NetError`].
    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, NetSocketAddrV4), NetError>;
}

/// Where streams come in.
pub trait TcpListener {
    /// What comes in.
    type Stream: TcpStream;

    /// Where it listens.
    fn local_addr(&self) -> NetSocketAddrV4;

    /// Takes the next stream.
    ///
    /// # Errors
    /// [`NetError`].
    fn accept(&mut self, deadline: Option<NetInstant>) -> Result<Self::Stream, NetError>;
}

/// A stream of bytes.
pub trait TcpStream {
    /// Reads what is there.
    ///
    /// # Errors
    /// [`NetError`].
    fn read(&mut self, deadline: Option<NetInstant>, buf: &mut [u8]) -> Result<usize, NetError>;

    /// Writes what there is room for.
    ///
    /// # Errors
    /// [`NetError`].
    fn write(&mut self, deadline: Option<NetInstant>, buf: &[u8]) -> Result<usize, NetError>;

    /// No more will be written.
    fn close(&mut self);
}
