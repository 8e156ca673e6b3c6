//! Endpoints of udp-sec on one network, in virtual time: a link toward each of them, which loses, delays and queues.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};

use chacha20::ChaCha20Rng;
use lossy_link::{ErrorModel, Link, LinkConfig};
use nexus_net_adapter::stream::{Interest, ReliableStream};
use nexus_net_adapter::udp::{Clock, Datagrams, Driver, Received, SendError, UdpSecEndpoint, UdpSecStream};
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::limits::DATAGRAM_MAX;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Path, Transmit};
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool};
use udp_sec_recovery::memory::{Inline, Memory, Storage};

/// Endpoints on a network, at most.
const ENDPOINTS: usize = 4;
/// Datagrams of one send.
const SEGMENTS: usize = 8;
/// First port; endpoint `n` has this and `n`.
const PORT: u16 = 1000;

/// The links toward each endpoint, with the sender beside each datagram; and the time. Never freed: streams of a test
/// may live as long as they like.
pub(crate) struct Network {
    now: Cell<Instant>,
    links: RefCell<Vec<Link<usize>>>,
}

impl Network {
    /// A link as `config` toward each of `endpoints` endpoints.
    pub(crate) fn new(config: &LinkConfig, endpoints: usize, seed: u64) -> &'static Self {
        let link =
            |at| Link::new(config.clone(), seed.wrapping_mul(ENDPOINTS as u64).wrapping_add(at as u64));
        let links = (0..endpoints).map(link).collect();
        Box::leak(Box::new(Self { now: Cell::new(Instant::ZERO), links: RefCell::new(links) }))
    }

    /// When the next datagram arrives of those that are still under way.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        let links = self.links.borrow();
        links.iter().filter_map(Link::next_delivery).filter(|at| *at > self.now.get()).min()
    }

    /// A deadline for a short wait.
    pub(crate) fn soon(&self) -> Instant {
        self.now.get() + Duration::from_millis(1)
    }

    /// Lets time pass until `instant`; it never goes back.
    pub(crate) fn advance_to(&self, instant: Instant) {
        self.now.set(self.now.get().max(instant));
    }

    /// Endpoint `at`, which lets all the others in.
    pub(crate) fn endpoint(&'static self, at: usize) -> &'static Device {
        let application = ApplicationProtocol::new(b"dsoftbus-mux/2").expect("short");
        let mut peers = AllowList::new();
        let others = (0..ENDPOINTS).filter(|other| *other != at);
        others.for_each(|other| peers.add(key(other)).expect("room"));
        let config = Config::new(keypair(at), Parameters::new(application, 0));
        let socket = Socket { network: self, at, buffer: [0; SEGMENTS * DATAGRAM_MAX] };
        let rng = ChaCha20Rng::from_seed([at as u8; 32]);
        let driver =
            Driver::new(Endpoint::new(config, Box::default(), InlinePool::new(), peers), socket, rng);
        Box::leak(Box::new(UdpSecEndpoint::new(driver, self)))
    }

    /// A session from endpoint `from` to endpoint `to`, the initiator's end first, both with their peer known.
    pub(crate) fn session(
        &self,
        [from, to]: [usize; 2],
        [near, far]: [&'static Device; 2],
    ) -> (Session, Session) {
        let mut stream = near.connect(path(to), &key(to)).expect("room");
        let mut accepted = None;
        for _ in 0..60_000 {
            accepted = accepted.or_else(|| far.accept(self.soon()).ok());
            let confirmed = stream.wait(Interest::LowWater, self.soon()).is_ok() && stream.peer().is_some();
            if let Some(mut accepted) = accepted.take_if(|_| confirmed) {
                // The responder knows who is there from the first packet under the new keys.
                if accepted.wait(Interest::LowWater, self.soon()).is_ok() && accepted.peer().is_some() {
                    return (stream, accepted);
                }
            }
        }
        panic!("no session from {from} to {to}");
    }
}

impl Clock for &Network {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn idle(&self, until: Instant) {
        self.advance_to(self.next_arrival().map_or(until, |arrival| arrival.min(until)));
    }
}

/// 256 KiB each way, a window of 512 packets, on the heap.
pub(crate) struct OnHeap(Box<Capacities>);

type Capacities = Inline<262_144, 262_144, 512, 64, 128>;

impl Default for OnHeap {
    fn default() -> Self {
        Self(Box::new(Capacities::new()))
    }
}

impl Storage for OnHeap {
    const RECEIVE_CAPACITY: usize = Capacities::RECEIVE_CAPACITY;

    fn memory(&mut self) -> Memory<'_> {
        self.0.memory()
    }
}

type Pool = InlinePool<OnHeap, ENDPOINTS>;
type Allowed = AllowList<ENDPOINTS>;
pub(crate) type Device =
    UdpSecEndpoint<Socket, ChaCha20Rng, Pool, Allowed, &'static Network, ENDPOINTS, ENDPOINTS>;
pub(crate) type Session =
    UdpSecStream<'static, Socket, ChaCha20Rng, Pool, Allowed, &'static Network, ENDPOINTS, ENDPOINTS>;

/// The socket of an endpoint.
pub(crate) struct Socket {
    network: &'static Network,
    at: usize,
    buffer: [u8; SEGMENTS * DATAGRAM_MAX],
}

impl Datagrams for Socket {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        let to = usize::from(transmit.path.remote.port() - PORT);
        let link = &mut self.network.links.borrow_mut()[to];
        let datagrams = self.buffer[..transmit.len].chunks(transmit.segment);
        datagrams.for_each(|datagram| link.send(now, self.at, datagram));
        Ok(())
    }

    fn receive(&mut self, now: Instant, mut deliver: impl FnMut(Path, &mut [u8])) -> Received {
        let mut received = Received::Nothing;
        loop {
            let delivery = self.network.links.borrow_mut()[self.at].poll(now);
            let Some(mut delivery) = delivery else { return received };
            deliver(path(delivery.tag), &mut delivery.data);
            received = Received::All;
        }
    }
}

pub(crate) fn path(at: usize) -> Path {
    Path::to(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT + at as u16)))
}

fn keypair(at: usize) -> StaticKeypair {
    StaticKeypair::from_secret([at as u8 + 1; 32])
}

pub(crate) fn key(at: usize) -> PublicKey {
    *keypair(at).public()
}

/// Both ends of a session over 100 Mbit/s and a round trip of 10 ms, of which `percent` of the datagrams are lost.
pub(crate) fn pair(percent: u32) -> (Session, Session) {
    let config = LinkConfig::default()
        .delay(Duration::from_millis(5))
        .rate(100_000_000)
        .queue(100)
        .loss(ErrorModel::random(percent * 10_000));
    let network = Network::new(&config, 2, u64::from(percent));
    network.session([0, 1], [0, 1].map(|at| network.endpoint(at)))
}
