//! A stack as the system would have one, with a link below that loses 5 % of the datagrams, in virtual time; and a
//! session over it. The same in tests and in a guest: the seed decides everything.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use chacha20::ChaCha20Rng;
use lossy_link::{ErrorModel, Link, LinkConfig};
use nexus_net_adapter::net::{PolledStack, TickRate};
use nexus_net_adapter::udp::Driver;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint as SansIo, InlinePool};
use udp_sec_recovery::memory::Medium;

use crate::os::net::{
    MAX_UDP_DATAGRAM_BYTES, NetError, NetInstant, NetSocketAddrV4, NetStack, TcpListener, TcpStream,
    UdpSocket,
};
use crate::shim::net::Inward;
use crate::shim::stack::{Below, Endpoint, PollTime, Session};

/// Ticks of the system: one every 100 µs.
const TICKS_PER_SECOND: u64 = 10_000;
/// Datagrams that a socket of the system holds.
const QUEUE: usize = 64;

type Pool = InlinePool<Medium, 2>;
/// An endpoint of ours on the system's stack.
pub type Device<'e> = Endpoint<'e, LossyNet, ChaCha20Rng, Pool, AllowList<1>, 2, 2>;
/// A session of it.
pub type Stream<'e> = Session<'e, LossyNet, ChaCha20Rng, Pool, AllowList<1>, 2, 2>;

/// There and back.
pub type Links = Rc<RefCell<[Link; 2]>>;

type Queue = Rc<RefCell<VecDeque<Vec<u8>>>>;

fn rate() -> TickRate {
    TickRate::new(TICKS_PER_SECOND.try_into().expect("not 0"))
}

fn instant(ticks: NetInstant) -> Instant {
    rate().instant(ticks)
}

/// Where the device number `side` (0 or 1) is.
#[must_use]
pub fn address(side: usize) -> NetSocketAddrV4 {
    NetSocketAddrV4::new([10, 0, 2, 15 + side as u8], 4433)
}

/// One end of two links. Knows datagrams only: the system has no need of TCP where udp-sec is.
pub struct LossyNet {
    links: Links,
    side: usize,
    arrived: Queue,
    now: Rc<RefCell<Instant>>,
}

impl NetStack for LossyNet {
    type Udp = LossySocket;
    type TcpListener = Nothing;
    type TcpStream = Nothing;

    fn poll(&mut self, now: NetInstant) {
        *self.now.borrow_mut() = instant(now);
        while let Some(delivery) = self.links.borrow_mut()[1 - self.side].poll(instant(now)) {
            let mut arrived = self.arrived.borrow_mut();
            if arrived.len() < QUEUE {
                arrived.push_back(delivery.data);
            }
        }
    }

    fn next_wake(&self) -> Option<NetInstant> {
        self.links.borrow()[1 - self.side].next_delivery().map(|at| rate().ticks(at))
    }

    fn udp_bind(&mut self, local: NetSocketAddrV4) -> Result<LossySocket, NetError> {
        let (links, arrived, now) = (self.links.clone(), self.arrived.clone(), self.now.clone());
        Ok(LossySocket { links, side: self.side, local, arrived, now })
    }

    fn tcp_listen(&mut self, _: NetSocketAddrV4, _: usize) -> Result<Nothing, NetError> {
        Err(NetError::Unsupported)
    }

    fn tcp_connect(&mut self, _: NetSocketAddrV4, _: Option<NetInstant>) -> Result<Nothing, NetError> {
        Err(NetError::Unsupported)
    }
}

/// A UDP socket of that stack.
pub struct LossySocket {
    links: Links,
    side: usize,
    local: NetSocketAddrV4,
    arrived: Queue,
    now: Rc<RefCell<Instant>>,
}

impl UdpSocket for LossySocket {
    fn local_addr(&self) -> NetSocketAddrV4 {
        self.local
    }

    fn send_to(&mut self, buf: &[u8], remote: NetSocketAddrV4) -> Result<usize, NetError> {
        assert!(buf.len() <= MAX_UDP_DATAGRAM_BYTES);
        assert_eq!(remote, address(1 - self.side));
        self.links.borrow_mut()[self.side].send(*self.now.borrow(), (), buf);
        Ok(buf.len())
    }

    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, NetSocketAddrV4), NetError> {
        let datagram = self.arrived.borrow_mut().pop_front().ok_or(NetError::WouldBlock)?;
        buf[..datagram.len()].copy_from_slice(&datagram);
        Ok((datagram.len(), address(1 - self.side)))
    }
}

/// The TCP that this stack has not.
pub enum Nothing {}

impl TcpListener for Nothing {
    type Stream = Self;

    fn local_addr(&self) -> NetSocketAddrV4 {
        match *self {}
    }

    fn accept(&mut self, _: Option<NetInstant>) -> Result<Self, NetError> {
        match *self {}
    }
}

impl TcpStream for Nothing {
    fn read(&mut self, _: Option<NetInstant>, _: &mut [u8]) -> Result<usize, NetError> {
        match *self {}
    }

    fn write(&mut self, _: Option<NetInstant>, _: &[u8]) -> Result<usize, NetError> {
        match *self {}
    }

    fn close(&mut self) {
        match *self {}
    }
}

/// The keys of the device number `side`: for tests, and for nothing else.
#[must_use]
pub fn keys(side: usize) -> StaticKeypair {
    StaticKeypair::from_secret([side as u8 + 1; 32])
}

/// 5 % of the datagrams lost each way, 20 ms there and back.
#[must_use]
pub fn lossy_links(seed: u64) -> Links {
    let config = || {
        let loss = ErrorModel::random(50_000);
        LinkConfig::default().delay(Duration::from_millis(10)).rate(20_000_000).queue(64).loss(loss)
    };
    Rc::new(RefCell::new([Link::new(config(), 2 * seed), Link::new(config(), 2 * seed + 1)]))
}

/// The system's stack on one side, below ours.
#[must_use]
pub fn below<'e>(time: &'e PollTime, links: &Links, side: usize) -> Below<'e, LossyNet> {
    let now = Rc::new(RefCell::new(Instant::ZERO));
    let stack = LossyNet { links: links.clone(), side, arrived: Queue::default(), now };
    PolledStack::new(Inward(stack), time, rate())
}

/// A device on the stack `below`, that knows the other.
///
/// # Panics
/// When the stack has no socket left: it is for one device.
pub fn device<'e>(below: &'e Below<'e, LossyNet>, side: usize) -> Device<'e> {
    let application = ApplicationProtocol::new(b"dsoftbus-mux/2").expect("short");
    let mut peers = AllowList::new();
    peers.add(*keys(1 - side).public()).expect("room");
    let config = Config::new(keys(side), Parameters::new(application, 0));
    let endpoint = SansIo::new(config, Box::default(), Pool::new(), peers);
    let socket = below.datagrams(address(side).into()).expect("a socket");
    Device::new(Driver::new(endpoint, socket, ChaCha20Rng::from_seed([side as u8; 32])), below)
}

/// Two devices and the time between them.
pub struct World<'w, 'e> {
    /// The time of both.
    pub time: &'e PollTime,
    /// The way there, and the way back.
    pub links: &'w Links,
    /// Calls.
    pub near: &'e Device<'e>,
    /// Is called.
    pub far: &'e Device<'e>,
}

impl World<'_, '_> {
    /// Lets the earliest of what they wait for happen.
    ///
    /// # Panics
    /// When nothing ever will, or after ten minutes.
    pub fn pass(&self) {
        let wakes = [self.near.drive().wake_at, self.far.drive().wake_at];
        let arrivals = self.links.borrow().each_ref().map(Link::next_delivery);
        let next = wakes.into_iter().chain(arrivals).flatten().min();
        let next = rate().ticks(next.expect("a session always waits for something"));
        assert!(next < 600 * TICKS_PER_SECOND, "it does not come to an end");
        self.time.advance_to(next);
    }

    /// The present, in ticks.
    #[must_use]
    pub fn ticks(&self) -> NetInstant {
        nexus_net_adapter::net::Ticker::now(&self.time)
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Instant {
        instant(self.ticks())
    }

    /// Datagrams that the links have lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.links.borrow().iter().map(|link| link.counters().lost).sum()
    }
}

/// Runs `run` with a session between two devices of the system: the initiator's end, the responder's end.
///
/// Takes half a megabyte of stack.
///
/// # Panics
/// When no session comes up.
pub fn with_session<T>(
    seed: u64,
    run: impl for<'w, 'e> FnOnce(&World<'w, 'e>, Stream<'e>, Stream<'e>) -> T,
) -> T {
    let (time, links) = (PollTime::default(), lossy_links(seed));
    let (near, far) = (below(&time, &links, 0), below(&time, &links, 1));
    let (near, far) = (device(&near, 0), device(&far, 1));
    let world = World { time: &time, links: &links, near: &near, far: &far };
    let remote = nexus_net_adapter::net::NetSocketAddrV4::from(address(1));
    let client = near.connect(Path::to(remote.into()), keys(1).public()).expect("room");
    let server = loop {
        match far.accept(Instant::ZERO) {
            Ok(stream) => break stream,
            Err(_) => world.pass(),
        }
    };
    run(&world, client, server)
}
