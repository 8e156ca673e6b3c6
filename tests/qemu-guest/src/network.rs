//! smoltcp on the network card, and what sessions run over it: one UDP socket, two TCP sockets.

use ladder::Settings;
use nexus_net_adapter::backend::smoltcp::smoltcp::iface::{Config, Interface, SocketStorage};
use nexus_net_adapter::backend::smoltcp::smoltcp::wire::{IpCidr, Ipv4Cidr};
use nexus_net_adapter::backend::smoltcp::{SmoltcpStack, SmoltcpTcp, Sockets, TcpBuffers, UdpBuffers};
use nexus_net_adapter::net::{
    NetError, NetInstant, NetSocketAddrV4, PolledStack, StackBytes, TickRate, Ticker,
};
use nexus_net_adapter::select::{NoStream, SelectedStream};
use nexus_net_adapter::stream::StreamError;
use nexus_net_adapter::tcp::{self, INBOUND_MIN, Memory, SecureTcpStream};
use rand_core::TryRng as _;
use smoltcp::time::Instant;
use udp_sec::time::{Duration, Instant as Time};

use crate::devices::{Entropy, NetDevice};
use crate::endpoint::{self, UdpSecDevice, UdpSecStream};
use crate::link::{Link, NetworkSocket};
use crate::platform::lent::{Later, Lease, Place};
use crate::platform::statics::Once;
use crate::platform::{interrupts, time};

/// Datagrams that the socket holds in each direction, and bytes of them.
const DATAGRAMS: usize = 16;
const DATAGRAM_BYTES: usize = 1200 * DATAGRAMS;
/// A TCP socket's buffers, each; with them the window that the peer is given.
const TCP_BYTES: usize = 8 * 1024;
/// What a session over TCP puts together and takes apart records in.
pub const RECORD_BYTES: usize = INBOUND_MIN;
/// Sockets: one for datagrams, and for each of two connections one.
const SOCKETS: usize = 3;

/// How long the end of a session may take, and how long it may be repeated.
pub const PARTING: Duration = Duration::from_secs(5);
pub const LINGER: Duration = Duration::from_secs(1);

/// The stack of this guest, polled by whoever waits.
pub type Net = PolledStack<SmoltcpStack<'static, NetDevice>, Ticks>;
/// smoltcp on this guest's network card.
pub type Stack = SmoltcpStack<'static, NetDevice>;
/// A session over TCP.
pub type TcpStream =
    SecureTcpStream<StackBytes<'static, Stack, Ticks, SmoltcpTcp<'static>>, Lease<[u8; RECORD_BYTES]>>;

/// Memory of the UDP socket. Bytes.
pub const UDP_BYTES: usize = size_of::<UdpBuffers<DATAGRAMS, DATAGRAM_BYTES>>();
/// Memory of the network, whatever runs over it. Bytes.
pub const NETWORK_BYTES: usize = UDP_BYTES
    + size_of::<NetworkSocket>()
    + 2 * size_of::<TcpBuffers<TCP_BYTES, TCP_BYTES>>()
    + size_of::<[SocketStorage<'static>; SOCKETS]>();

static UDP: Once<UdpBuffers<DATAGRAMS, DATAGRAM_BYTES>> = Once::new(UdpBuffers::new());
static TCP: Once<[TcpBuffers<TCP_BYTES, TCP_BYTES>; 2]> = Once::new([const { TcpBuffers::new() }; 2]);
static STORAGE: Once<[SocketStorage<'static>; SOCKETS]> = Once::new([SocketStorage::EMPTY; SOCKETS]);
static SOCKET_SET: Once<Option<Sockets<'static>>> = Once::new(None);
static SOCKET: Later<NetworkSocket> = Later::new();
static NET: Once<Option<Net>> = Once::new(None);
/// For one session over TCP, each direction.
static RECORDS: [Place<[u8; RECORD_BYTES]>; 2] = [const { Place::new([0; RECORD_BYTES]) }; 2];

/// Time in microseconds since power-on; sleeping ends when a frame comes.
#[derive(Clone, Copy, Debug)]
pub struct Ticks;

impl Ticker for Ticks {
    fn now(&self) -> NetInstant {
        time::now().as_micros()
    }

    fn sleep(&self, until: NetInstant) {
        crate::log::flush();
        interrupts::sleep(until.saturating_mul(time::TICKS_PER_MICROSECOND));
    }
}

/// Binds the only UDP socket, for sessions.
#[inline(never)] // It passes through the stack once.
pub fn bind(net: &'static Net, local: NetSocketAddrV4) -> Result<Link, NetError> {
    let socket = SOCKET.try_fill(|| net.datagrams(local))?;
    Ok(Link::Network(socket.leak()))
}

/// Brings the stack up on `card`. Nothing leaves by that.
pub fn start(card: NetDevice, settings: &Settings) -> &'static Net {
    let sockets = SOCKET_SET.take().insert(Sockets::new(STORAGE.take()));
    add_udp(sockets);
    for buffers in TCP.take() {
        sockets.add_tcp(buffers).expect("room for it");
    }
    run(card, settings, sockets)
}

/// Adds the only UDP socket.
pub fn add_udp(sockets: &mut Sockets<'static>) {
    sockets.add_udp(UDP.take()).expect("room for it");
}

/// The same with these sockets.
pub fn run(mut card: NetDevice, settings: &Settings, sockets: &'static Sockets<'static>) -> &'static Net {
    card.set_mtu(settings.mtu);
    let mut config = Config::new(card.address().into());
    // Without entropy there will be no session, and so no connection whose numbers anybody could guess.
    let (seed, port_seed) = (Entropy.try_next_u64().unwrap_or(0), Entropy.try_next_u64().unwrap_or(0));
    config.random_seed = seed;
    let now = Instant::from_micros(i64::try_from(time::now().as_micros()).unwrap_or(0));
    let mut interface = Interface::new(config, &mut card, now);
    interface.update_ip_addrs(|own| {
        own.push(IpCidr::Ipv4(Ipv4Cidr::new(settings.ip, settings.prefix))).expect("room for one address");
    });
    let stack = SmoltcpStack::new(card, interface, sockets, TickRate::MICROS, port_seed);
    NET.take().insert(PolledStack::new(stack, Ticks, TickRate::MICROS))
}

/// The stream of a session in this guest, over whichever transport.
pub type Stream = SelectedStream<UdpSecStream, TcpStream, NoStream>;

/// Waits until both directions of `stream` are complete: both sides have finished, everything arrived, and the peer
/// knows. `device` is where udp-sec runs.
pub fn part(net: &'static Net, device: Option<&'static UdpSecDevice>, stream: &mut Stream, until: Time) {
    match (stream, device) {
        (SelectedStream::UdpSec(stream), Some(device)) => {
            let open = || device.look(|driver| driver.ended(stream.id())) == Err(StreamError::WouldBlock);
            while open() && net.now() < until {
                let wake = device.drive().wake_at.unwrap_or(until);
                net.wait(wake.min(until));
            }
        }
        // Whoever is gone before has said that it was done.
        (SelectedStream::Tcp(stream), _) => _ = stream.close(until),
        _ => {}
    }
}

/// Lets what was said last leave, and repeats of the peer's last words be answered.
pub fn linger(net: &'static Net, device: Option<&'static UdpSecDevice>, until: Time) {
    while net.now() < until && !device.is_some_and(|device| device.look(|driver| driver.is_silent())) {
        let wake = device.and_then(|device| device.drive().wake_at).unwrap_or(until);
        net.wait(wake.min(until));
    }
}

/// What secure TCP is told; the memory of one session over it.
pub fn tcp_config(settings: &Settings, budget: Duration) -> tcp::Config {
    let mut config = tcp::Config::new(settings.keypair(), endpoint::parameters());
    config.handshake_budget = budget;
    config
}

/// The memory of a session over TCP; `None` while another one has it.
pub fn tcp_memory() -> Option<Memory<Lease<[u8; RECORD_BYTES]>>> {
    let [inbound, outbound] = RECORDS.each_ref().map(Place::take);
    Memory::new(inbound?, outbound?).ok()
}
