//! What a mux session may hold is what it was lent, to the byte, and it allocates nothing: as an allocator counts.
//!
//! A process of its own, because there is one allocator per process. It counts by thread: the test runner has its own.
#![cfg(feature = "mux")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use nexus_net_adapter::mux::limits::{BUFFERED_MAX, STREAMS_MAX};
use nexus_net_adapter::mux::pump::FRAME_MAX;
use nexus_net_adapter::mux::{Engine, MuxError, PriorityClass, Side, StreamId, StreamName};
use nexus_net_adapter::stream::PeerIdentity;
use udp_sec::keys::PublicKey;

/// Counts the bytes that this thread has in use, and the most that it ever had.
struct Counting;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let in_use = IN_USE.get() + layout.size() as isize;
        IN_USE.set(in_use);
        PEAK.set(PEAK.get().max(in_use));
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // What another thread allocated may be freed here: the count can fall below 0, and only differences mean anything.
        IN_USE.set(IN_USE.get() - layout.size() as isize);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

type Full = Engine<Vec<u8>>;

/// Streams of the test: one stalled, and fifteen others.
const STREAMS: usize = 16;

/// An engine whose every byte is on the heap.
fn engine(side: Side, streams: usize) -> Box<Full> {
    let peer = PeerIdentity::unproven_for_tests(PublicKey::from_bytes([7; 32]));
    Box::new(Engine::new(side, peer, vec![0; streams * BUFFERED_MAX]))
}

/// All that `from` has to say, said to `to`.
fn deliver(from: &mut Full, to: &mut Full) {
    let mut wire = [0; 4096];
    while from.has_output() {
        let len = from.transmit(&mut wire, FRAME_MAX);
        to.receive(&wire[..len]).expect("a conformant peer");
    }
}

fn buffered(engine: &Full, streams: &[StreamId]) -> usize {
    streams.iter().filter_map(|stream| engine.buffered(*stream)).sum()
}

/// Both sides write whatever there is room for.
fn saturate(near: &mut Full, far: &mut Full, streams: &[StreamId]) {
    for stream in streams {
        for side in [&mut *near, &mut *far] {
            while side.write(*stream, &[0x5a; 16384]).is_ok() {}
        }
    }
    deliver(near, far);
    deliver(far, near);
}

/// Reads what has come on `stream`, and returns how much.
fn drain(engine: &mut Full, stream: StreamId) -> usize {
    let mut count = 0;
    loop {
        let waiting = match engine.peek(stream) {
            Ok((first, second)) => first.len() + second.len(),
            Err(MuxError::WouldBlock { .. }) => return count,
            Err(error) => panic!("{stream}: {error}"),
        };
        engine.consume(stream, waiting);
        count += waiting;
    }
}

#[test]
fn the_peak_of_memory_is_the_declared_bound() {
    let before = IN_USE.get();
    let mut near = engine(Side::Initiator, STREAMS);
    let mut far = engine(Side::Responder, STREAMS);
    let session = |streams: usize| (streams * BUFFERED_MAX + size_of::<Full>()) as isize;
    let bound = 2 * session(STREAMS);
    assert_eq!(IN_USE.get() - before, bound, "the bound is what the two were given");

    let name = |at: usize| StreamName::new(["a", "b", "c", "d", "e", "f", "g", "h"][at % 8]).expect("short");
    let mut streams = [StreamId::new(1).expect("not 0"); STREAMS];
    for (at, stream) in streams.iter_mut().enumerate() {
        let side = if at < STREAMS / 2 { &mut near } else { &mut far };
        *stream = side.open(PriorityClass::LOWEST, name(at)).expect("room");
    }
    PEAK.set(IN_USE.get());
    // The first is read for three rounds, which opens its window, and then stalls; the others go on.
    let (mut read, mut rounds) = ([0; STREAMS], 0);
    while read.iter().sum::<usize>() < 64 << 20 {
        saturate(&mut near, &mut far, &streams);
        for (stream, read) in streams.iter().zip(&mut read).skip(usize::from(rounds > 2)) {
            *read += drain(&mut near, *stream) + drain(&mut far, *stream);
        }
        rounds += 1;
    }
    assert_eq!(
        (near.buffered(streams[0]), far.buffered(streams[0])),
        (Some(BUFFERED_MAX), Some(BUFFERED_MAX))
    );
    let fair = read.iter().sum::<usize>() / STREAMS;
    assert!(
        read[1..].iter().all(|read| read * 10 >= fair * 9),
        "one stalled, the others have their rate: {read:?}"
    );

    // Now nobody reads: every stream fills its memory, on both sides, and not a byte more.
    for _ in 0..100 {
        saturate(&mut near, &mut far, &streams);
    }
    assert_eq!([&near, &far].map(|side| buffered(side, &streams)), [STREAMS * BUFFERED_MAX; 2]);
    assert_eq!(PEAK.get() - before, bound, "nothing was allocated meanwhile");

    // A session of the contract's capacities, as `docs/mux.md` has it in numbers.
    assert_eq!(STREAMS_MAX * BUFFERED_MAX, 32 << 20);
    let largest = engine(Side::Initiator, STREAMS_MAX);
    assert_eq!(IN_USE.get() - before, bound + session(STREAMS_MAX));
    drop(largest);
    println!("a session: 32 MiB lent, and {} bytes of its own", size_of::<Full>());
}
