//! The transfer over udp-sec.

use ladder::{Role, Settings};
use nexus_net_adapter::backend::smoltcp::Sockets;
use nexus_net_adapter::backend::smoltcp::smoltcp::iface::SocketStorage;
use nexus_net_adapter::net::NetSocketAddrV4;
use nexus_net_adapter::stream::{ReliableStream as _, StreamError};
use udp_sec::limits::{HANDSHAKE_BUDGET, KEY_UPDATE_PACKETS};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;

use crate::Failure;
use crate::bulk::{self, Carrier};
use qemu_guest::devices::NetDevice;
use qemu_guest::endpoint::{self, ENDPOINT_BYTES, UdpSecDevice, UdpSecStream};
use qemu_guest::link::{NetworkSocket, Time};
use qemu_guest::network::{self, LINGER, UDP_BYTES};
use qemu_guest::platform::lent::Later;
use qemu_guest::platform::statics::Once;
use qemu_guest::report;
use qemu_guest::say;
use qemu_guest::sessions::SESSION_BYTES;

/// One session, its endpoint, its socket, and the queues below that.
pub const RAM_BYTES: usize = SESSION_BYTES
    + ENDPOINT_BYTES
    + size_of::<NetworkSocket>()
    + UDP_BYTES
    + size_of::<SocketStorage<'static>>();

static STORAGE: Once<[SocketStorage<'static>; 1]> = Once::new([SocketStorage::EMPTY]);
static SOCKETS: Once<Option<Sockets<'static>>> = Once::new(None);
static MEMORY: Once<endpoint::Memory> = Once::new(endpoint::Memory::new());
static DEVICE: Later<UdpSecDevice> = Later::new();

/// Runs the transfer of `settings` through `card`.
pub fn run(card: NetDevice, settings: &Settings) -> Result<(), Failure> {
    say!("FIGURE ram_bytes {RAM_BYTES}");
    let sockets = SOCKETS.take().insert(Sockets::new(STORAGE.take()));
    network::add_udp(sockets);
    let net = network::run(card, settings, sockets);
    let peer = *settings.peer_keypair().public();
    let port = if settings.role == Role::Listener { settings.port } else { 0 };
    let local = NetSocketAddrV4::new([0; 4], port);
    let link = network::bind(net, local).map_err(|_| Failure::Lost("the port"))?;
    let (keypair, time) = (settings.keypair(), Time::Network(net));
    let device: &UdpSecDevice = DEVICE
        .fill(|| {
            endpoint::device(MEMORY.take(), keypair, &peer, HANDSHAKE_BUDGET, KEY_UPDATE_PACKETS, link, time)
        })
        .leak();
    let mut stream = if settings.role == Role::Listener {
        say!("peers: listening");
        device.accept(net.now() + settings.limit).map_err(failure)?
    } else {
        let remote = NetSocketAddrV4::new(settings.peer.octets(), settings.port);
        device.connect(Path::to(remote.into()), &peer).map_err(|_| Failure::Lost("the session"))?
    };
    let outcome = bulk::run(&mut stream, net, settings);
    report::session(device, stream.id());
    outcome?;
    network::linger(net, Some(device), net.now() + LINGER);
    Ok(())
}

fn failure(why: StreamError) -> Failure {
    match why {
        StreamError::TimedOut | StreamError::WouldBlock => Failure::TooLate,
        _ => Failure::Lost("the session"),
    }
}

impl Carrier for UdpSecStream {
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
