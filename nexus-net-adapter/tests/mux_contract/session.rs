//! Two sides of a mux session, run by turns.

use nexus_net_adapter::mux::{
    End, Engine, Event, MuxError, PriorityClass, Progress, Pump, Side, StreamId, StreamName,
};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::time::Duration;

/// The contract's own capacities.
pub(crate) type Full = Engine<Vec<u8>>;

/// Memory of one stream.
pub(crate) const BYTES: usize = 256 * 1024;

/// Turns after which a test that gets nowhere fails.
const TURNS_MAX: usize = 2_000_000;

/// One side.
pub(crate) struct Peer<S> {
    pub(crate) pump: Pump<S, 65536>,
    pub(crate) engine: Full,
}

impl<S: ReliableStream> Peer<S> {
    /// Begins a session on `stream`, with places for `streams`.
    pub(crate) fn begin(stream: S, side: Side, streams: usize) -> Self {
        let pump = Pump::begin(stream).expect("the peer is known");
        let engine = Engine::new(side, pump.peer(), vec![0; streams * BYTES]);
        Self { pump, engine }
    }

    /// Moves what can be moved, and waits a moment if that is nothing.
    pub(crate) fn run(&mut self) -> Result<Progress, End> {
        let soon = self.pump.stream().now() + Duration::from_millis(1);
        self.pump.run(&mut self.engine, soon)
    }

    pub(crate) fn open(&mut self, class: u8, name: &str) -> StreamId {
        let class = PriorityClass::new(class).expect("0 to 7");
        self.engine.open(class, StreamName::new(name).expect("short")).expect("room")
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.engine.poll_event()).collect()
    }

    /// Writes as much of `data` as there is room for, and takes that off its front.
    pub(crate) fn write(&mut self, stream: StreamId, data: &mut &[u8]) {
        match self.engine.write(stream, data) {
            Ok(len) => *data = &data[len..],
            Err(MuxError::WouldBlock { .. }) => {}
            Err(error) => panic!("writing to {stream}: {error}"),
        }
    }

    /// Reads what is there, and says whether that was the end.
    pub(crate) fn read(&mut self, stream: StreamId, into: &mut Vec<u8>) -> bool {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.engine.read(stream, &mut buffer) {
                Ok(0) => return true,
                Ok(len) => into.extend(&buffer[..len]),
                Err(MuxError::WouldBlock { .. }) => return false,
                // The stream is not open here yet.
                Err(MuxError::Reject(_)) if into.is_empty() => return false,
                Err(error) => panic!("reading from {stream}: {error}"),
            }
        }
    }
}

/// Both sides, with places for all 128 streams each.
pub(crate) fn session<A: ReliableStream, B: ReliableStream>(near: A, far: B) -> (Peer<A>, Peer<B>) {
    (Peer::begin(near, Side::Initiator, 128), Peer::begin(far, Side::Responder, 128))
}

/// Runs both sides by turns until `done`, which also does what the applications do.
pub(crate) fn until<A: ReliableStream, B: ReliableStream>(
    near: &mut Peer<A>,
    far: &mut Peer<B>,
    mut done: impl FnMut(&mut Peer<A>, &mut Peer<B>) -> bool,
) {
    for _ in 0..TURNS_MAX {
        if done(near, far) {
            return;
        }
        near.run().expect("the session goes on");
        far.run().expect("the session goes on");
    }
    panic!("nothing came of it in {TURNS_MAX} turns");
}

/// Runs both sides until neither moved anything for a while.
pub(crate) fn settle<A: ReliableStream, B: ReliableStream>(near: &mut Peer<A>, far: &mut Peer<B>) {
    let mut idle = 0;
    while idle < 200 {
        let moved = [near.run(), far.run()].map(|progress| progress.expect("the session goes on"));
        idle = if moved.contains(&Progress::Moved) { 0 } else { idle + 1 };
    }
}

/// Bytes that are different for every `seed`.
pub(crate) fn pattern(seed: u32, len: usize) -> Vec<u8> {
    let mut state = u64::from(seed) << 32 | 0x9e37_79b9;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}
