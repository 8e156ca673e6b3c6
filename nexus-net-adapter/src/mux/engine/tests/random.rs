//! Two conformant engines never reject each other and never lose a byte, whatever their applications do and however
//! the bytes between them are cut; and whatever a peer sends, an engine keeps its bounds.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;

const BYTES: usize = 256;
type Tiny = Engine<Vec<u8>, 4, BYTES, 50>;

fn tiny(side: Side) -> Tiny {
    Engine::new(side, peer(), vec![0; 4 * BYTES])
}

/// What an application or the wire does next. Streams are chosen by a number among the newest.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open(u8),
    Write(u8, u16),
    Read(u8, u16),
    Close(u8),
    Reset(u8),
    Transmit(u16, u16),
    /// So many bytes, of which the application takes so many of each frame in place.
    Deliver(u16, u16),
    PollEvents,
}

fn steps() -> impl Strategy<Value = (bool, Step)> {
    let step = prop_oneof![
        2 => (0..8u8).prop_map(Step::Open),
        6 => (any::<u8>(), 0..300u16).prop_map(|(which, len)| Step::Write(which, len)),
        6 => (any::<u8>(), 0..300u16).prop_map(|(which, len)| Step::Read(which, len)),
        1 => any::<u8>().prop_map(Step::Close),
        1 => any::<u8>().prop_map(Step::Reset),
        8 => (0..400u16, 0..300u16).prop_map(|(room, frame_max)| Step::Transmit(room, frame_max)),
        8 => (0..400u16, 0..60u16).prop_map(|(len, take)| Step::Deliver(len, take)),
        2 => Just(Step::PollEvents),
    ];
    (any::<bool>(), step)
}

/// One direction of one stream.
#[derive(Default)]
struct Flow {
    written: usize,
    read: usize,
}

impl Flow {
    /// `bytes` were read of what `writer` wrote.
    fn check(&mut self, stream: StreamId, writer: usize, bytes: &[u8]) {
        for (at, read) in (self.read..).zip(bytes) {
            assert_eq!(*read, byte(stream, writer, at), "byte {at} of {stream}");
        }
        self.read += bytes.len();
        assert!(self.read <= self.written);
    }
}

/// Byte `at` of what `side` writes to `stream`.
fn byte(stream: StreamId, side: usize, at: usize) -> u8 {
    let mixed = (stream.get() as usize * 2 + side).wrapping_mul(0x5bd1) ^ at.wrapping_mul(0x9e37);
    mixed.to_le_bytes()[1]
}

struct World {
    engines: [Tiny; 2],
    /// What is under way to each of them.
    wires: [VecDeque<u8>; 2],
    streams: Vec<StreamId>,
    /// By stream, and by who writes.
    flows: BTreeMap<(StreamId, usize), Flow>,
    opened: usize,
}

impl World {
    fn new() -> Self {
        let engines = [tiny(Side::Initiator), tiny(Side::Responder)];
        Self { engines, wires: Default::default(), streams: vec![], flows: BTreeMap::new(), opened: 0 }
    }

    fn recent(&self, which: u8) -> Option<StreamId> {
        // Older ones are mostly over.
        let recent = &self.streams[self.streams.len().saturating_sub(8)..];
        recent.get(usize::from(which) % recent.len().max(1)).copied()
    }

    fn step(&mut self, side: usize, step: Step) {
        let engine = &mut self.engines[side];
        match step {
            Step::Open(class) => {
                self.opened += 1;
                let called = name(&std::format!("{}", self.opened % 6));
                self.streams.extend(engine.open(PriorityClass::new(class).unwrap(), called));
            }
            Step::Write(which, len) => self.recent(which).map_or((), |id| self.write(side, id, len.into())),
            Step::Read(which, len) => self.recent(which).map_or((), |id| self.read(side, id, len.into())),
            // Refused for many reasons: what counts is that the other side never is the one to suffer.
            Step::Close(which) => _ = self.recent(which).map(|id| self.engines[side].close(id)),
            Step::Reset(which) => {
                _ = self.recent(which).map(|id| self.engines[side].reset(id, ResetCode::CANCELLED));
            }
            Step::Transmit(room, frame_max) => {
                let mut out = vec![0; room.into()];
                let len = engine.transmit(&mut out, frame_max.into());
                self.wires[1 - side].extend(&out[..len]);
            }
            Step::Deliver(len, take) => self.deliver(side, len.into(), take.into()),
            Step::PollEvents => drop(events(engine)),
        }
        for stream in &self.streams {
            assert!(self.engines[side].buffered(*stream).is_none_or(|bytes| bytes <= BYTES));
        }
    }

    fn write(&mut self, side: usize, stream: StreamId, len: usize) {
        let flow = self.flows.entry((stream, side)).or_default();
        let data: Vec<u8> = (flow.written..flow.written + len).map(|at| byte(stream, side, at)).collect();
        flow.written += self.engines[side].write(stream, &data).unwrap_or(0);
    }

    fn deliver(&mut self, side: usize, len: usize, take: usize) {
        let len = len.min(self.wires[side].len());
        let bytes: Vec<u8> = self.wires[side].drain(..len).collect();
        let flows = &mut self.flows;
        let in_place = |stream, bytes: &[u8]| {
            let taken = &bytes[..take.min(bytes.len())];
            flows.entry((stream, 1 - side)).or_default().check(stream, 1 - side, taken);
            taken.len()
        };
        self.engines[side].receive_with(&bytes, in_place).expect("a conformant peer is never rejected");
    }

    fn read(&mut self, side: usize, stream: StreamId, len: usize) {
        let mut buffer = vec![0; len];
        let Ok(len) = self.engines[side].read(stream, &mut buffer) else { return };
        let flow = self.flows.entry((stream, 1 - side)).or_default();
        flow.check(stream, 1 - side, &buffer[..len]);
        if len == 0 && !buffer.is_empty() {
            assert_eq!(flow.read, flow.written, "the end of {stream} before all was read");
        }
    }

    /// Both applications end and read all their streams, until no place is taken on either side.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            for side in [0, 1] {
                self.step(side, Step::Transmit(400, 300));
                self.step(side, Step::Deliver(u16::MAX, 0));
                self.step(side, Step::PollEvents);
                for stream in self.streams.clone() {
                    self.engines[side].close(stream).ok();
                    self.read(side, stream, 300);
                }
            }
            let quiet =
                self.wires.iter().all(VecDeque::is_empty) && !self.engines.iter().any(Engine::has_output);
            if quiet && self.engines.iter().all(|engine| engine.streams() == 0) {
                return;
            }
        }
        panic!("places are still taken: {:?}", self.engines.each_ref().map(Engine::streams));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conformant_engines_agree(steps in proptest::collection::vec(steps(), 0..300)) {
        let mut world = World::new();
        for (side, step) in steps {
            world.step(side.into(), step);
        }
        world.finish();
    }

    #[test]
    fn whatever_a_peer_sends_the_bounds_hold(
        frames in proptest::collection::vec((1..=8u8, 1..10u32, 0..80u32, any::<u8>()), 0..200),
        noise in proptest::collection::vec(any::<u8>(), 0..100),
        cut in 1..100usize,
    ) {
        let mut engine = tiny(Side::Responder);
        let mut bytes = Vec::new();
        for (kind, stream, len, fill) in frames {
            let len = match kind { 1 => len.max(5), 3 => len, 2 | 4 | 5 => 4, _ => 0 };
            bytes.extend([2, kind, fill % 8, 0]);
            bytes.extend(stream.to_le_bytes());
            bytes.extend(len.to_le_bytes());
            bytes.extend((0..len).map(|_| b'a' + fill % 26));
        }
        bytes.extend(noise);
        let streams = || (1..10).filter_map(StreamId::new);
        for (at, chunk) in bytes.chunks(cut).enumerate() {
            let outcome = engine.receive(chunk);
            prop_assert!(engine.streams() <= 4);
            for stream in streams() {
                prop_assert!(engine.buffered(stream).is_none_or(|bytes| bytes <= BYTES));
            }
            if at % 2 == 0 {
                engine.transmit(&mut [0; 200], 100);
                events(&mut engine);
                streams().for_each(|stream| _ = engine.read(stream, &mut [0; 20]));
            }
            if outcome.is_err() {
                prop_assert_eq!(engine.receive(chunk), outcome);
                prop_assert_eq!(engine.transmit(&mut [0; 200], 100), 0);
                break;
            }
        }
    }
}
