//! Datagrams that are none: an endpoint with a session neither answers them, nor allocates for them, nor changes.
//!
//! By default 100 000 of them; 10 million: `JUNK=10000000 cargo test --release -p harness --test junk -- --nocapture`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use chacha20::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use udp_sec::error::Reject;
use udp_sec::handshake::Initiator;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool, Output};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Small;

type Side = Endpoint<InlinePool<Small, 2>, AllowList<1>, 2, 2>;

/// One in so many is an initiation of a peer that nobody allowed, with a right `mac1`: it costs two Diffie-Hellmans.
const STRANGER_ONE_IN: u64 = 2_000;
/// Between looks at all there is to see.
const LOOK_EVERY: u64 = 1_000;

/// Counts what each thread allocates and what it still has.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        // SAFETY: as above; the pointer came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn keys(seed: u64) -> StaticKeypair {
    StaticKeypair::generate(&mut ChaCha8Rng::seed_from_u64(seed)).expect("a generator that cannot fail")
}

fn parameters() -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"harness/1").expect("a short name"), 1 << 20)
}

fn side(own: &StaticKeypair, peer: &PublicKey) -> Box<Side> {
    let mut allowed = AllowList::new();
    allowed.add(*peer).expect("room for one");
    let mut config = Config::new(own.clone(), parameters());
    // Time stands still, and a budget would not fill up again: beyond it, a right mac1 is answered by a cookie.
    config.unproven_per_second = u16::MAX;
    Box::new(Side::new(config, Box::default(), InlinePool::new(), allowed))
}

/// An endpoint with a session, all the datagrams that made it, and its own key.
struct Target {
    endpoint: Box<Side>,
    captured: Vec<Vec<u8>>,
    public: PublicKey,
    wait: Output,
}

fn path() -> Path {
    Path::to(([192, 0, 2, 1], 40_000).into())
}

impl Target {
    /// A responder whose session has moved data both ways.
    fn new() -> Self {
        let (own, peer) = (keys(1), keys(2));
        let mut sides = [side(&peer, own.public()), side(&own, peer.public())];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut captured = Vec::new();
        sides[0].connect(Instant::ZERO, &mut rng, path(), own.public()).expect("an empty endpoint");
        let (mut out, mut quiet) = ([0; 1200], 0);
        let mut at = 0;
        while quiet < 2 {
            match sides[at].poll_output(Instant::ZERO, &mut out) {
                Output::Transmit(transmit) => {
                    quiet = 0;
                    captured.push(out[..transmit.len].to_vec());
                    sides[1 - at].handle_datagram(Instant::ZERO, &mut rng, path(), &mut out[..transmit.len]);
                    sides[1 - at].end_of_batch();
                }
                Output::Event(id, Event::Established) => {
                    sides[at].session(id).expect("it begins").write(&[7; 500]).expect("open");
                }
                Output::Event(..) => {}
                Output::Wait(_) => (at, quiet) = (1 - at, quiet + 1),
            }
        }
        let [_, mut endpoint] = sides;
        let wait = endpoint.poll_output(Instant::ZERO, &mut out);
        assert!(matches!(wait, Output::Wait(_)) && endpoint.sessions() == 1 && captured.len() > 4);
        Self { endpoint, captured, public: *own.public(), wait }
    }

    /// All there is to see of the endpoint but what counts.
    fn look(&self) -> String {
        let counters = format!("rejects: {:?}", self.endpoint.rejects());
        format!("{:?}", self.endpoint).replace(&counters, "")
    }
}

/// Writes the next piece of junk to `room`; its length.
fn junk(rng: &mut ChaCha8Rng, captured: &[Vec<u8>], room: &mut [u8; 1500]) -> usize {
    let kind = rng.next_u32() % 8;
    let model = &captured[rng.next_u32() as usize % captured.len()];
    let draw = rng.next_u32() as usize;
    match kind {
        // Empty and tiny.
        0 => fill(rng, &mut room[..draw % 16]),
        // Anything.
        1 => fill(rng, &mut room[..draw % 1_501]),
        // A true beginning, cut off; never the whole of it.
        2 | 3 => {
            room[..model.len()].copy_from_slice(model);
            draw % model.len()
        }
        // A true datagram with bytes behind it; none of these has another size.
        4 => {
            room[..model.len()].copy_from_slice(model);
            let len = (model.len() + 1 + draw % 300).min(1_500);
            fill(rng, &mut room[model.len()..len]);
            len
        }
        // A true header and anything behind it: a wrong mac1, a forged packet of the session, an answer to nothing.
        5 | 6 => {
            room[..model.len()].copy_from_slice(model);
            fill(rng, &mut room[12..model.len()]);
            model.len()
        }
        // Of a legal size, type and version, and for nobody.
        _ => {
            let (kind, len) = [(1, 1_200), (2, 1_200), (3, 68), (4, 33 + draw % 1_168)][draw % 4];
            fill(rng, &mut room[..len]);
            room[..4].copy_from_slice(&[1, kind, 0, 0]);
            len
        }
    }
}

fn fill(rng: &mut ChaCha8Rng, place: &mut [u8]) -> usize {
    rng.fill_bytes(place);
    place.len()
}

#[test]
fn junk_gets_no_answer_and_no_memory() {
    let count = std::env::var("JUNK").map_or(100_000, |count| count.parse().expect("a number"));
    let mut target = Target::new();
    let before = target.look();
    let session = |target: &Target| target.endpoint.rejects().total();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut room = [0; 1500];
    let mut strangers = 0;
    let began_with = session(&target);
    for nth in 0..count {
        let is_stranger = nth % STRANGER_ONE_IN == 0;
        let len = if is_stranger {
            strangers += 1;
            let initiator = Initiator::new(&keys(1_000 + nth), &target.public, nth, &parameters(), &mut rng);
            room[..1_200].copy_from_slice(initiator.expect("good keys").datagram());
            1_200
        } else {
            junk(&mut rng, &target.captured, &mut room)
        };
        let (allocations, live, total) = (ALLOCATIONS.get(), LIVE.get(), target.endpoint.rejects().total());
        target.endpoint.handle_datagram(Instant::ZERO, &mut rng, path(), &mut room[..len]);
        let output = target.endpoint.poll_output(Instant::ZERO, &mut [0; 1200]);
        let allocated = ALLOCATIONS.get() - allocations;
        assert_eq!(output, target.wait, "number {nth} of {len} bytes");
        assert_eq!(LIVE.get(), live, "number {nth}: memory grew");
        assert!(allocated == 0 || is_stranger, "number {nth}: {allocated} allocations for junk");
        assert_eq!(target.endpoint.rejects().total(), total + 1, "number {nth} is counted, once");
        if nth % LOOK_EVERY == 0 {
            assert_eq!((target.endpoint.sessions(), target.endpoint.half_open()), (1, 0));
        }
    }
    let rejects = target.endpoint.rejects();
    println!("{count} datagrams, {strangers} of strangers: {rejects:?}");
    assert_eq!(rejects.total(), began_with + count);
    assert_eq!(rejects.get(Reject::PeerNotAuthorized), strangers);
    for label in [
        Reject::MalformedHeader,
        Reject::OversizeDatagram,
        Reject::BadMac1,
        Reject::UnknownSession,
        Reject::DecryptFailed,
    ] {
        assert!(rejects.get(label) > count / 100, "{label}: {}", rejects.get(label));
    }
    assert!(before_without_load(&before) == before_without_load(&target.look()), "the state changed");
}

/// The budget that strangers draw on moves with each of them.
fn before_without_load(look: &str) -> String {
    let (before, rest) = look.split_once("load: Load").expect("a field of the endpoint");
    let (_, after) = rest.split_once("cookies:").expect("the field behind it");
    format!("{before}{after}")
}
