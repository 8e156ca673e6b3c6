//! Both ends in one guest, joined in memory, in virtual time: everything but the network.

use ladder::{Broken, Connector, Listener, MUX_MEMORY, Session, Settings};
use nexus_net_adapter::backend::memory::{VirtualClock, Wire, WireSocket};
use nexus_net_adapter::mux::Side;
use nexus_net_adapter::select::{SelectedStream, Transport};
use nexus_net_adapter::stream::{ReliableStream as _, StreamError};
use udp_sec::limits::HANDSHAKE_BUDGET;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;

use qemu_guest::endpoint::{self, UdpSecDevice};
use qemu_guest::link::{Link, Time, WIRE_QUEUE};
use qemu_guest::network::Stream;
use qemu_guest::platform::lent::Later;
use qemu_guest::platform::statics::Once;
use qemu_guest::report;

/// One way.
const DELAY: Duration = Duration::from_millis(10);

static WIRE: Once<Wire<WIRE_QUEUE>> = Once::new(Wire::new(DELAY));
static CLOCK: Once<VirtualClock> = Once::new(VirtualClock::new(Instant::ZERO));
static MEMORY: Once<[endpoint::Memory; 2]> = Once::new([const { endpoint::Memory::new() }; 2]);
static SOCKETS: Later<(WireSocket<'static, WIRE_QUEUE>, WireSocket<'static, WIRE_QUEUE>)> = Later::new();
static ENDS: [Later<UdpSecDevice>; 2] = [const { Later::new() }; 2];
static NEAR: Later<Session<'static, Stream>> = Later::new();
static FAR: Later<Session<'static, Stream>> = Later::new();
static MUX: Once<[[u8; MUX_MEMORY]; 2]> = Once::new([[0; MUX_MEMORY]; 2]);

/// What both ends share, and the ends.
#[derive(Clone, Copy)]
struct World {
    clock: &'static VirtualClock,
    wire: &'static Wire<WIRE_QUEUE>,
    near: &'static UdpSecDevice,
    far: &'static UdpSecDevice,
}

/// Climbs.
#[inline(never)]
pub fn run(settings: &Settings) -> Result<(), Broken> {
    let (clock, wire) = (&*CLOCK.take(), &*WIRE.take());
    let (near_socket, far_socket) = SOCKETS.fill(|| wire.ends()).leak();
    let path = Path::to(far_socket.local_addr());
    let (own, peer) = (settings.keypair(), settings.peer_keypair());
    let (own_key, peer_key) = (*own.public(), *peer.public());
    let [near, far] = ENDS.each_ref();
    let [near_memory, far_memory] = MEMORY.take();
    let time = Time::Memory(clock);
    let make = |memory, keypair, peer, socket| {
        endpoint::device(
            memory,
            keypair,
            peer,
            HANDSHAKE_BUDGET,
            settings.key_life,
            Link::Memory(socket),
            time,
        )
    };
    let near = near.fill(|| make(near_memory, own, &peer_key, near_socket)).leak();
    let far = far.fill(|| make(far_memory, peer, &own_key, far_socket)).leak();
    let (near, far) = (&*near, &*far);
    let world = World { clock, wire, near, far };

    let client = near.connect(path, &peer_key).map_err(|_| Broken::NoPeer)?;
    let server = loop {
        match far.accept(Instant::ZERO) {
            Ok(stream) => break stream,
            Err(StreamError::WouldBlock) => world.pass(Instant::MAX),
            Err(_) => return Err(Broken::NoPeer),
        }
    };
    let [near_memory, far_memory] = MUX.take();
    let mut near =
        NEAR.try_fill(|| Session::begin(SelectedStream::UdpSec(client), Side::Initiator, near_memory))?;
    let mut far =
        FAR.try_fill(|| Session::begin(SelectedStream::UdpSec(server), Side::Responder, far_memory))?;
    let (mut connector, mut listener) = (Connector::new(settings.plan), Listener::new());
    let deadline = near.stream().now() + settings.limit;
    while !(connector.is_done() && near.is_done() && far.is_done()) {
        let now = near.stream().now();
        if now > deadline {
            return Err(Broken::TooLate);
        }
        while let Some(rung) = connector.step(now, near.mux()).map_err(Broken::Program)? {
            report::rung(&rung, Transport::UdpSec);
        }
        listener.step(far.mux()).map_err(Broken::Program)?;
        near.turn(Instant::ZERO)?;
        far.turn(Instant::ZERO)?;
        if near.is_idle() && far.is_idle() {
            world.pass(near.next_tick().min(far.next_tick()));
        }
    }
    Ok(())
}

impl World {
    /// Lets the earliest of what the ends wait for happen, if it is before `limit`.
    fn pass(&self, limit: Instant) {
        let due =
            [self.near.drive().wake_at, self.far.drive().wake_at, self.wire.next_arrival(), Some(limit)];
        self.clock.advance_to(due.into_iter().flatten().min().unwrap_or(limit));
        self.near.drive();
        self.far.drive();
    }
}
