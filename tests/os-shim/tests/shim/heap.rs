//! What the workload takes of a guest's heap, as an allocator counts: both ends of it in one thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use chacha20::ChaCha20Rng;
use nexus_net_adapter::backend::pipe::Pipe;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Initiator, Responder};
use udp_sec::keys::StaticKeypair;

use crate::net::{WINDOW, on_a_large_stack, secure_tcp};
use crate::workload::{check, run};

/// Counts the bytes that this thread has in use, and the most that it ever had.
struct Counting;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let in_use = IN_USE.get() + bytes;
    IN_USE.set(in_use);
    PEAK.set(PEAK.get().max(in_use));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn the_workload_fits_into_a_small_heap() {
    let (both, left) = on_a_large_stack(|| {
        let pipe = Box::new(Pipe::<WINDOW>::new());
        let (near, far) = secure_tcp(&pipe);
        let before = IN_USE.get();
        PEAK.set(before);
        check(run(near, far, || {}));
        (PEAK.get() - before, IN_USE.get() - before)
    });
    println!("at most {both} bytes for both ends, {left} left");
    // 96 KiB each: four streams of 16 KiB for the records, and what is under way.
    assert!((64 * 1024..=192 * 1024).contains(&both), "{both}");
    // What the sessions had allocated before is gone, too: two buffers of 32 KiB each, and their keys.
    let keys = -4 * 32 * 1024 - left;
    assert!((1..=4_096).contains(&keys), "all is given back: {left}");
}

/// A device with tables for two handshakes each way calls two peers, and answers a third meanwhile.
#[test]
fn the_handshakes_of_a_device_fit_into_8_kib() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let [own, peer] = [(); 2].map(|()| StaticKeypair::generate(&mut rng).expect("it cannot fail"));
    let parameters = Parameters::new(ApplicationProtocol::new(b"heap/1").expect("short"), 0);
    let initiation =
        *Initiator::new(&peer, own.public(), 3, &parameters, &mut rng).expect("a call").datagram();
    let mut peers = AllowList::<1>::new();
    peers.add(*peer.public()).expect("room");

    let before = IN_USE.get();
    PEAK.set(before);
    let calls = [1, 2].map(|id| Initiator::new(&own, peer.public(), id, &parameters, &mut rng));
    let held = IN_USE.get() - before;
    let responder = Responder::new(own);
    let checked = responder.check_mac1(&initiation).expect("it is for us");
    let incoming = responder.read(checked, &mut rng).expect("it opens");
    let accepted = incoming.authorize(&peers).and_then(|authorized| authorized.accept(4, &parameters));
    let peak = PEAK.get() - before;
    assert!(calls.iter().all(Result::is_ok) && matches!(accepted, Ok(Accepted::HalfOpen { .. })));
    drop((calls, accepted));
    let left = IN_USE.get() - before; // Before the line is printed, which may take a buffer.
    println!("{held} bytes for two calls, {peak} at most with an answer");
    assert!((2_000..=6_144).contains(&held) && peak <= 8_192, "{held} bytes, at most {peak}");
    assert_eq!(left, 0, "all is given back");
}
