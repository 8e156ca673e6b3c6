//! A priority keeps its meaning on a loaded link: a request of class 0 is answered in a few round trips while a
//! bulk stream of the lowest class fills the link. In virtual time, over udp-sec.
#![cfg(all(feature = "mux", feature = "udp"))]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use lossy_link::{Link, LinkConfig};
use nexus_net_adapter::backend::memory::VirtualClock;
use nexus_net_adapter::mux::{Engine, MuxError, PriorityClass, Progress, Pump, Side, StreamId, StreamName};
use nexus_net_adapter::udp::{Clock, Datagrams, Driver, Received, SendError, UdpSecEndpoint};
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::limits::DATAGRAM_MAX;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Path, Transmit};
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool};
use udp_sec_recovery::memory::Inline;

const RTT: Duration = Duration::from_millis(30);
/// A request is sent so often, for so long, once the bulk stream has had the link for so long.
const REQUEST_EVERY: Duration = Duration::from_millis(100);
const MEASURED: Duration = Duration::from_secs(120);
const FILLED: Duration = Duration::from_secs(5);
const REQUEST: [u8; 64] = [0x5a; 64];
/// Datagrams of one send.
const SEGMENTS: usize = 8;

/// There and back.
type Links = Rc<RefCell<[Link; 2]>>;
type Pool = InlinePool<Inline<262_144, 262_144, 512, 64, 128>, 2>;
type Device<'c> = UdpSecEndpoint<Socket, ChaCha20Rng, Pool, AllowList<1>, &'c VirtualClock, 2, 2>;

/// One end of the links.
struct Socket {
    links: Links,
    side: usize,
    buffer: [u8; SEGMENTS * DATAGRAM_MAX],
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + side as u16))
}

impl Datagrams for Socket {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        let link = &mut self.links.borrow_mut()[self.side];
        self.buffer[..transmit.len]
            .chunks(transmit.segment)
            .for_each(|datagram| link.send(now, (), datagram));
        Ok(())
    }

    fn receive(&mut self, now: Instant, mut deliver: impl FnMut(Path, &mut [u8])) -> Received {
        let mut received = Received::Nothing;
        loop {
            let delivery = self.links.borrow_mut()[1 - self.side].poll(now);
            let Some(mut delivery) = delivery else { return received };
            deliver(Path::to(address(1 - self.side)), &mut delivery.data);
            received = Received::All;
        }
    }
}

fn device<'c>(clock: &'c VirtualClock, links: &Links, side: usize) -> Device<'c> {
    let keys = |side: usize| StaticKeypair::from_secret([side as u8 + 1; 32]);
    let application = ApplicationProtocol::new(b"dsoftbus-mux/2").expect("short");
    let mut peers = AllowList::new();
    peers.add(*keys(1 - side).public()).expect("room");
    let endpoint =
        Endpoint::new(Config::new(keys(side), Parameters::new(application, 0)), Pool::new(), peers);
    let socket = Socket { links: Rc::clone(links), side, buffer: [0; SEGMENTS * DATAGRAM_MAX] };
    UdpSecEndpoint::new(Driver::new(endpoint, socket, ChaCha20Rng::from_seed([side as u8; 32])), clock)
}

/// What the client and the server do with their streams.
struct Applications {
    bulk: StreamId,
    control: StreamId,
    next_request: Instant,
    /// When the unanswered requests were sent.
    unanswered: VecDeque<Instant>,
    answered_bytes: usize,
    latencies: Vec<Duration>,
    bulk_bytes: usize,
}

impl Applications {
    fn client(&mut self, now: Instant, engine: &mut Engine<Vec<u8>>) {
        while engine.write(self.bulk, &[0xb0; 4096]).is_ok() {}
        if now >= self.next_request {
            assert_eq!(engine.write(self.control, &REQUEST), Ok(REQUEST.len()));
            self.unanswered.push_back(now);
            self.next_request = now + REQUEST_EVERY;
        }
        self.answered_bytes += read(engine, self.control);
        while self.answered_bytes >= REQUEST.len() {
            self.answered_bytes -= REQUEST.len();
            let asked = self.unanswered.pop_front().expect("one answer a request");
            self.latencies.push(now.saturating_since(asked));
        }
    }

    fn server(&mut self, engine: &mut Engine<Vec<u8>>) {
        self.bulk_bytes += read(engine, self.bulk);
        let echoed = read(engine, self.control);
        if echoed > 0 {
            assert_eq!(engine.write(self.control, &vec![0x5a; echoed]), Ok(echoed));
        }
    }
}

fn read(engine: &mut Engine<Vec<u8>>, stream: StreamId) -> usize {
    let (mut buffer, mut count) = ([0; 16 * 1024], 0);
    loop {
        match engine.read(stream, &mut buffer) {
            Ok(0) => panic!("{stream} ended"),
            Ok(len) => count += len,
            // The stream is not open here yet.
            Err(MuxError::WouldBlock { .. } | MuxError::Reject(_)) => return count,
            Err(error) => panic!("{stream}: {error}"),
        }
    }
}

/// Latencies of the requests, in order of size, and the bulk stream's goodput in bits a second.
fn run() -> (Vec<Duration>, u64) {
    let clock = &VirtualClock::default();
    let config = || LinkConfig::default().delay(RTT / 2).rate(10_000_000).queue(25);
    let links: Links = Rc::new(RefCell::new([Link::new(config(), 1), Link::new(config(), 2)]));
    let [near, far] = [0, 1].map(|side| device(clock, &links, side));
    let peer = *StaticKeypair::from_secret([2; 32]).public();
    let step = || {
        let wakes = [near.drive().wake_at, far.drive().wake_at];
        let arrivals = links.borrow().each_ref().map(Link::next_delivery);
        let next = wakes.into_iter().chain(arrivals).flatten().min();
        next.expect("a session always waits for something")
    };

    let client = near.connect(Path::to(address(1)), &peer).expect("room");
    let server = loop {
        match far.accept(Instant::ZERO) {
            Ok(stream) => break stream,
            Err(_) => clock.advance_to(step()),
        }
    };
    let mut pumps =
        (Pump::<_, 65536>::begin(client).expect("proven"), Pump::<_, 65536>::begin(server).expect("proven"));
    let mut engines =
        [Side::Initiator, Side::Responder].map(|side| Engine::new(side, pumps.0.peer(), vec![0; 2 << 18]));
    let name = |name| StreamName::new(name).expect("short");
    let start = clock.now();
    let mut applications = Applications {
        bulk: engines[0].open(PriorityClass::LOWEST, name("bulk")).expect("room"),
        control: engines[0].open(PriorityClass::HIGHEST, name("control")).expect("room"),
        next_request: start + FILLED,
        unanswered: VecDeque::new(),
        answered_bytes: 0,
        latencies: Vec::new(),
        bulk_bytes: 0,
    };
    while clock.now() < start + FILLED + MEASURED {
        applications.client(clock.now(), &mut engines[0]);
        let moved = pumps.0.run(&mut engines[0], Instant::ZERO).expect("the session goes on");
        applications.server(&mut engines[1]);
        let moved = moved.max(pumps.1.run(&mut engines[1], Instant::ZERO).expect("the session goes on"));
        if moved == Progress::Idle {
            clock.advance_to(step().min(applications.next_request));
        }
    }
    applications.latencies.sort();
    let goodput = applications.bulk_bytes as u64 * 8 / (FILLED + MEASURED).as_millis() * 1000;
    (applications.latencies, goodput)
}

#[test]
fn a_request_is_answered_in_a_few_round_trips_while_bulk_fills_the_link() {
    let (latencies, goodput) =
        std::thread::Builder::new().stack_size(64 << 20).spawn(run).unwrap().join().unwrap();
    let at = |percent: usize| latencies[latencies.len() * percent / 100];
    let (p50, p99, worst) = (at(50), at(99), latencies[latencies.len() - 1]);
    println!("{} requests: p50 {p50:?}, p99 {p99:?}, worst {worst:?}; bulk {goodput} bit/s", latencies.len());
    assert!(latencies.len() >= 1190);
    assert!(p50 <= RTT * 2, "p50 {p50:?}");
    assert!(p99 <= RTT * 4, "p99 {p99:?}");
    assert!(goodput >= 8_500_000, "and the bulk stream has the rest: {goodput} bit/s");
}
