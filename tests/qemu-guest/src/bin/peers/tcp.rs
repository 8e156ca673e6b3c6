//! The transfer over smoltcp's TCP, plain or with our records, in the memory that udp-sec has.

use ladder::Role;
use nexus_net_adapter::backend::smoltcp::smoltcp::iface::SocketStorage;
use nexus_net_adapter::backend::smoltcp::{SmoltcpTcp, Sockets, TcpBuffers};
use nexus_net_adapter::net::{NetSocketAddrV4, NetStack as _, StackBytes};
use nexus_net_adapter::stream::{Interest, ReliableStream as _, StreamError};
use nexus_net_adapter::tcp::{ByteStream, ByteStreamError, Readiness, SecureTcpStream};
use smoltcp::socket::tcp::CongestionControl;
use udp_sec::limits::HANDSHAKE_BUDGET;
use udp_sec::time::Instant;

use crate::bulk::{self, Carrier};
use crate::{Failure, Task, udp};
use qemu_guest::devices::{Entropy, NetDevice};
use qemu_guest::endpoint;
use qemu_guest::network::{self, LINGER, Net, RECORD_BYTES, Stack, TcpStream, Ticks};
use qemu_guest::platform::statics::Once;
use qemu_guest::say;

/// What each of the two buffers of a plain connection may have, to be level with udp-sec.
const PLAIN: usize = (udp::RAM_BYTES - size_of::<SocketStorage<'static>>()) / 2;
/// The same beside a session over TCP.
const SECURE: usize = PLAIN - (2 * RECORD_BYTES + size_of::<TcpStream>()) / 2;

type Connection = StackBytes<'static, Stack, Ticks, SmoltcpTcp<'static>>;

static STORAGE: Once<[SocketStorage<'static>; 1]> = Once::new([SocketStorage::EMPTY]);
static SOCKETS: Once<Option<Sockets<'static>>> = Once::new(None);

/// Runs the transfer of `task` through `card`, over TCP alone.
pub fn plain(card: NetDevice, task: &Task<'_>) -> Result<(), Failure> {
    static BUFFERS: Once<TcpBuffers<PLAIN, PLAIN>> = Once::new(TcpBuffers::new());
    say!("FIGURE ram_bytes {}", 2 * PLAIN + size_of::<SocketStorage<'static>>());
    let (net, mut connection) = connect(card, task, BUFFERS.take())?;
    bulk::run(&mut connection, net, &task.settings)?;
    network::linger(net, None, net.now() + LINGER);
    Ok(())
}

/// The same over TCP with our handshake and records.
pub fn secure(card: NetDevice, task: &Task<'_>) -> Result<(), Failure> {
    static BUFFERS: Once<TcpBuffers<SECURE, SECURE>> = Once::new(TcpBuffers::new());
    let session = 2 * RECORD_BYTES + size_of::<TcpStream>();
    say!("FIGURE ram_bytes {}", 2 * SECURE + session + size_of::<SocketStorage<'static>>());
    let (net, connection) = connect(card, task, BUFFERS.take())?;
    let settings = &task.settings;
    let config = network::tcp_config(settings, HANDSHAKE_BUDGET);
    let memory = network::tcp_memory().ok_or(Failure::Lost("the memory"))?;
    let peer = *settings.peer_keypair().public();
    let until = net.now() + settings.limit;
    let mut stream = if settings.role == Role::Listener {
        let mut stream = SecureTcpStream::accept(connection, memory, &config);
        stream.answer(&config, &endpoint::only(&peer), &mut Entropy, until).map_err(failure)?;
        stream
    } else {
        SecureTcpStream::connect(connection, memory, &config, &peer, &mut Entropy)
            .map_err(|_| Failure::Lost("the session"))?
    };
    stream.established(until).map_err(failure)?;
    bulk::run(&mut stream, net, settings)?;
    // Records may still be on their way out.
    _ = stream.wait(Interest::Delivered, net.now() + LINGER);
    network::linger(net, None, net.now() + LINGER);
    Ok(())
}

/// A network with one TCP socket in `buffers`, and its connection.
fn connect<const BYTES: usize>(
    card: NetDevice,
    task: &Task<'_>,
    buffers: &'static mut TcpBuffers<BYTES, BYTES>,
) -> Result<(&'static Net, Connection), Failure> {
    let Task { control, settings, .. } = task;
    let sockets = SOCKETS.take().insert(Sockets::new(STORAGE.take()));
    sockets.set_congestion_control(congestion_control(control)?);
    sockets.add_tcp(buffers).map_err(|_| Failure::Lost("the socket"))?;
    let net = network::run(card, settings, sockets);
    let until = net.now() + settings.limit;
    let connection = if settings.role == Role::Listener {
        let local = NetSocketAddrV4::new([0; 4], settings.port);
        let listener = net.open(|stack| stack.tcp_listen(local, 1)).map_err(|_| Failure::Lost("the port"));
        say!("peers: listening");
        net.accept(&mut listener?, until)
    } else {
        net.connect(NetSocketAddrV4::new(settings.peer.octets(), settings.port), until)
    };
    Ok((net, connection.map_err(|_| Failure::Lost("the connection"))?))
}

/// smoltcp's algorithm of this name. As smoltcp comes, there is none.
fn congestion_control(name: &str) -> Result<CongestionControl, Failure> {
    match name {
        "none" => Ok(CongestionControl::None),
        "reno" => Ok(CongestionControl::Reno),
        #[cfg(feature = "peer-cubic")]
        "cubic" => Ok(CongestionControl::Cubic),
        _ => Err(Failure::Unknown("congestion control")),
    }
}

fn failure(why: StreamError) -> Failure {
    match why {
        StreamError::TimedOut | StreamError::WouldBlock => Failure::TooLate,
        _ => Failure::Lost("the session"),
    }
}

impl Carrier for Connection {
    fn send(&mut self, bytes: &[u8], until: Instant) -> Result<usize, Failure> {
        attempt(self, Readiness::Send, until, |connection| ByteStream::send(connection, bytes))
    }

    fn receive(&mut self, room: &mut [u8], until: Instant) -> Result<usize, Failure> {
        attempt(self, Readiness::Receive, until, |connection| ByteStream::receive(connection, room))
    }

    fn finish(&mut self) {
        ByteStream::finish(self);
    }
}

/// Repeats `call` as the connection becomes ready.
fn attempt(
    connection: &mut Connection,
    readiness: Readiness,
    until: Instant,
    mut call: impl FnMut(&mut Connection) -> Result<usize, ByteStreamError>,
) -> Result<usize, Failure> {
    loop {
        match call(connection) {
            Ok(count) => return Ok(count),
            Err(ByteStreamError::Lost) => return Err(Failure::Lost("the connection")),
            Err(ByteStreamError::WouldBlock) if connection.now() >= until => return Err(Failure::TooLate),
            Err(ByteStreamError::WouldBlock) => connection.wait(readiness, until),
        }
    }
}

impl Carrier for TcpStream {
    fn send(&mut self, bytes: &[u8], until: Instant) -> Result<usize, Failure> {
        self.write(bytes, until).map_err(failure)
    }

    fn receive(&mut self, room: &mut [u8], until: Instant) -> Result<usize, Failure> {
        self.read(room, until).map_err(failure)
    }

    fn finish(&mut self) {
        // Whether it ended before, the next call tells.
        _ = nexus_net_adapter::stream::ReliableStream::finish(self);
    }
}
