//! Two sides of a mux session, run by turns.

use nexus_net_adapter::mux::{
    End, Engine, Event, MuxError, PriorityClass, Progress, Pump, Side, StreamId, StreamName,
};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::time::{Duration, Instant};

/// The contract's own capacities.
pub(crate) type Full = Engine<Vec<u8>>;

/// Memory of one stream.
pub(crate) const BYTES: usize = 256 * 1024;

/// Turns after which a test that gets nowhere fails.
const TURNS_MAX: usize = 2_000_000;

/// Turns without a step forward after which both sides wait.
const IDLE_TURNS: usize = 8;

/// Two ends of a new connection, the initiator's first, both with their peer known.
pub(crate) struct Ends<A, B> {
    pub(crate) near: A,
    pub(crate) far: B,
    /// Turns of two milliseconds after which what has not come will not come.
    pub(crate) patience: usize,
}

impl<A: ReliableStream, B: ReliableStream> Ends<A, B> {
    /// A session on them, with places for all 128 streams on each side.
    pub(crate) fn session(self) -> (Peer<A>, Peer<B>) {
        self.session_with_places(128)
    }

    /// A session on them, with places for `streams` on the responder's side.
    pub(crate) fn session_with_places(self, streams: usize) -> (Peer<A>, Peer<B>) {
        let Self { near, far, patience } = self;
        (
            Peer::begin(near, Side::Initiator, 128, patience),
            Peer::begin(far, Side::Responder, streams, patience),
        )
    }
}

/// One side.
pub(crate) struct Peer<S> {
    pub(crate) pump: Box<Pump<S, 65536>>,
    pub(crate) engine: Box<Full>,
    pub(crate) patience: usize,
}

impl<S: ReliableStream> Peer<S> {
    /// Begins a session on `stream`, with places for `streams`.
    pub(crate) fn begin(stream: S, side: Side, streams: usize, patience: usize) -> Self {
        let pump = Box::new(Pump::begin(stream).expect("the peer is known"));
        let engine = Box::new(Engine::new(side, pump.peer(), vec![0; streams * BYTES]));
        Self { pump, engine, patience }
    }

    /// Moves what can be moved, and waits a moment if that is nothing.
    pub(crate) fn run(&mut self) -> Result<Progress, End> {
        let soon = self.pump.stream().now() + Duration::from_millis(1);
        self.pump.run(&mut self.engine, soon)
    }

    /// Moves what can be moved.
    pub(crate) fn poll(&mut self) -> Result<Progress, End> {
        self.pump.run(&mut self.engine, Instant::ZERO)
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

/// Runs both sides by turns until `done`, which also does what the applications do.
pub(crate) fn until<A: ReliableStream, B: ReliableStream>(
    near: &mut Peer<A>,
    far: &mut Peer<B>,
    mut done: impl FnMut(&mut Peer<A>, &mut Peer<B>) -> bool,
) {
    let mut idle = 0;
    for _ in 0..TURNS_MAX {
        if done(near, far) {
            return;
        }
        // Waiting for what only the other side can bring about is lost time, so both are asked a few times first.
        let moved = if idle < IDLE_TURNS { [near.poll(), far.poll()] } else { [near.run(), far.run()] };
        let moved = moved.map(|progress| progress.expect("the session goes on"));
        idle = if moved.contains(&Progress::Moved) { 0 } else { idle + 1 };
    }
    panic!("nothing came of it in {TURNS_MAX} turns");
}

/// Runs both sides until neither has moved anything for as long as it may take.
pub(crate) fn settle<A: ReliableStream, B: ReliableStream>(near: &mut Peer<A>, far: &mut Peer<B>) {
    let mut idle = 0;
    while idle < near.patience {
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
