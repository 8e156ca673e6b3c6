//! Once a session is established, nothing allocates: a million data packets under a counting allocator.
//!
//! The loop below has preallocated buffers only. It is its own small network, since the emulated link allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Medium;

const PACKETS: u64 = 1_000_000;
const ONE_WAY: Duration = Duration::from_millis(15);
/// One datagram in this many is lost.
const LOST_ONE_IN: u64 = 20;

/// Counts the allocations of each thread, so that the test runner's own do not count.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A datagram under way.
#[derive(Clone)]
struct Slot {
    arrives: Instant,
    len: usize,
    bytes: [u8; 1200],
}

/// One direction: a fixed ring of datagrams, in order, a pseudo-random one in twenty lost.
struct Wire {
    slots: Vec<Slot>,
    first: usize,
    count: usize,
    random: u64,
    lost: u64,
}

impl Wire {
    fn new(seed: u64) -> Self {
        let slot = Slot { arrives: Instant::ZERO, len: 0, bytes: [0; 1200] };
        Self { slots: vec![slot; 1024], first: 0, count: 0, random: seed, lost: 0 }
    }

    fn send(&mut self, now: Instant, datagram: &[u8]) {
        // Knuth's MMIX generator: its upper bits are random enough to lose packets by.
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if (self.random >> 33).is_multiple_of(LOST_ONE_IN) {
            self.lost += 1;
            return;
        }
        assert!(self.count < self.slots.len(), "more under way than two Medium sessions can have in flight");
        let free = (self.first + self.count) % self.slots.len();
        let slot = &mut self.slots[free];
        slot.arrives = now + ONE_WAY;
        slot.len = datagram.len();
        slot.bytes[..datagram.len()].copy_from_slice(datagram);
        self.count += 1;
    }

    fn next_arrival(&self) -> Option<Instant> {
        (self.count > 0).then(|| self.slots[self.first].arrives)
    }

    fn take(&mut self, now: Instant) -> Option<&mut [u8]> {
        if self.next_arrival()? > now {
            return None;
        }
        let slot = &mut self.slots[self.first];
        self.first = (self.first + 1) % 1024;
        self.count -= 1;
        Some(&mut slot.bytes[..slot.len])
    }
}

struct End {
    endpoint: Endpoint<InlinePool<Medium, 2>, AllowList<1>, 2, 2>,
    rng: ChaCha8Rng,
    session: Option<SessionId>,
    path: Path,
    wake_at: Option<Instant>,
    out: Vec<u8>,
}

impl End {
    fn new(own: &StaticKeypair, peer: &PublicKey, path: Path, seed: u64) -> Box<Self> {
        let application = ApplicationProtocol::new(b"harness/1").expect("a short name");
        let mut allowed = AllowList::new();
        allowed.add(*peer).expect("an empty list");
        let config = Config::new(own.clone(), Parameters::new(application, 0));
        Box::new(Self {
            endpoint: Endpoint::new(config, Box::default(), InlinePool::new(), allowed),
            rng: ChaCha8Rng::seed_from_u64(seed),
            session: None,
            path,
            wake_at: None,
            out: vec![0; 4 * 1200],
        })
    }

    /// Takes what arrives at `now`, lets the application act, and sends.
    fn turn(&mut self, now: Instant, inbox: &mut Wire, outbox: &mut Wire) {
        while let Some(datagram) = inbox.take(now) {
            self.endpoint.handle_datagram(now, &mut self.rng, self.path, datagram);
        }
        self.endpoint.end_of_batch();
        self.endpoint.handle_timeout(now);
        let mut bytes = [7; 4096];
        if let Some(connection) = self.session.and_then(|id| self.endpoint.session(id)) {
            while connection.write(&bytes).expect("open") == bytes.len() {}
            while connection.read(&mut bytes).expect("open") > 0 {}
        }
        loop {
            match self.endpoint.poll_output(now, &mut self.out) {
                Output::Transmit(transmit) => {
                    for datagram in self.out[..transmit.len].chunks(transmit.segment) {
                        outbox.send(now, datagram);
                    }
                }
                Output::Event(id, Event::Established) => self.session = Some(id),
                Output::Event(_, Event::Readable | Event::Writable) => {}
                Output::Event(_, Event::Closed(why)) => panic!("closed: {why}"),
                Output::Wait(until) => {
                    self.wake_at = until;
                    return;
                }
            }
        }
    }

    fn packets_sent(&self) -> u64 {
        let connection = self.session.and_then(|id| self.endpoint.peek(id));
        connection.map_or(0, |connection| connection.stats().datagrams_sent)
    }
}

#[test]
fn a_million_packets_allocate_nothing() {
    let before = ALLOCATIONS.get();
    drop(Box::new(before));
    assert_eq!(ALLOCATIONS.get(), before + 1, "the allocator counts");

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let keys = [(); 2].map(|()| StaticKeypair::generate(&mut rng).expect("a generator that cannot fail"));
    let [client_path, server_path] = [1, 2].map(|host| Path::to(([192, 0, 2, host], 4_433).into()));
    let mut client = End::new(&keys[0], keys[1].public(), server_path, 2);
    let mut server = End::new(&keys[1], keys[0].public(), client_path, 3);
    let (mut to_server, mut to_client) = (Wire::new(4), Wire::new(5));
    let mut now = Instant::ZERO;
    client.endpoint.connect(now, &mut client.rng, client.path, keys[1].public()).expect("an empty endpoint");

    let mut established_with = None;
    while client.packets_sent() + server.packets_sent() < PACKETS {
        client.turn(now, &mut to_client, &mut to_server);
        server.turn(now, &mut to_server, &mut to_client);
        if established_with.is_none() && client.session.is_some() && server.session.is_some() {
            established_with = Some(ALLOCATIONS.get());
        }
        let next = [client.wake_at, server.wake_at, to_server.next_arrival(), to_client.next_arrival()];
        now = next.into_iter().flatten().min().expect("something is always due").max(now);
    }

    // Counted before anything is printed: printing allocates.
    let allocated = ALLOCATIONS.get();
    let lost = to_server.lost + to_client.lost;
    println!("{PACKETS} packets sent, {lost} lost, {} s of virtual time", now.as_micros() / 1_000_000);
    assert!(lost > PACKETS / LOST_ONE_IN / 2, "losses were exercised");
    assert_eq!(Some(allocated), established_with, "allocations since the session was established");
}
