//! Two multiplexers with a wire between them that cuts bytes anywhere, and applications that do what they like: neither
//! ever rejects the other, no byte is lost or changed, and in the end every place is free again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nexus_net_adapter::mux::{Engine, Event, MuxError, PriorityClass, ResetCode, Side, StreamId, StreamName};
use nexus_net_adapter::stream::PeerIdentity;

use crate::input::Input;
use crate::keys::{ALICE, keys};
use crate::{Outcome, log};

const STREAMS: usize = 4;
const BYTES: usize = 256;
/// Rounds until all streams are over and told of.
const ROUNDS: usize = 10_000;

/// Small, so that every bound is met.
pub(crate) type Tiny = Engine<Vec<u8>, STREAMS, BYTES, 50>;

pub(crate) fn tiny(side: Side) -> Tiny {
    let peer = PeerIdentity::unproven_for_tests(*keys(ALICE).public());
    Engine::new(side, peer, vec![0; STREAMS * BYTES])
}

/// The bounds of an engine, and its log.
pub(crate) fn check(engine: &Tiny, streams: impl Iterator<Item = StreamId>) {
    assert!(engine.streams() <= STREAMS);
    for stream in streams {
        assert!(engine.buffered(stream).is_none_or(|bytes| bytes <= BYTES), "{stream} holds too much");
    }
}

/// One direction of one stream.
#[derive(Default)]
struct Flow {
    written: usize,
    read: usize,
}

struct World {
    engines: [Tiny; 2],
    /// What is under way to each.
    wires: [VecDeque<u8>; 2],
    streams: Vec<StreamId>,
    /// By stream, and by who writes.
    flows: BTreeMap<(StreamId, usize), Flow>,
    opened: usize,
    /// Streams that some side has given up, or had no place for.
    reset: BTreeSet<StreamId>,
}

/// Plays `data`: what the applications and the wire do.
///
/// # Panics
/// When one side rejects the other, a byte is wrong, or a bound does not hold.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    let mut world = World {
        engines: [tiny(Side::Initiator), tiny(Side::Responder)],
        wires: Default::default(),
        streams: Vec::new(),
        flows: BTreeMap::new(),
        opened: 0,
        reset: BTreeSet::new(),
    };
    while let Some(choice) = input.next() {
        let side = usize::from(choice & 1);
        world.play(side, choice >> 1, &mut input);
        check(&world.engines[side], world.streams.iter().copied());
    }
    log::state(&world.engines);
    world.finish();
    match (world.opened, world.reset.is_empty()) {
        (0, _) => "nothing opened",
        (_, true) => "closed",
        _ => "reset",
    }
}

/// Byte `at` of what `side` writes to `stream`.
fn byte(stream: StreamId, side: usize, at: usize) -> u8 {
    let mixed = (stream.get() as usize * 2 + side).wrapping_mul(0x5bd1) ^ at.wrapping_mul(0x9e37);
    mixed.to_le_bytes()[1]
}

impl World {
    fn play(&mut self, side: usize, choice: u8, input: &mut Input<'_>) {
        match choice % 16 {
            0 => {
                self.opened += 1;
                let name = format!("{}", self.opened % 6);
                let class = PriorityClass::new(input.u8() % 8).expect("a class");
                let opened = self.engines[side].open(class, StreamName::new(&name).expect("a name"));
                opened.as_ref().err().into_iter().for_each(log::line);
                self.streams.extend(opened);
            }
            1..=3 => {
                let (which, len) = (input.u8(), input.u16() % 300);
                self.recent(which).into_iter().for_each(|stream| self.write(side, stream, len.into()));
            }
            4..=6 => {
                let (which, len) = (input.u8(), input.u16() % 300);
                self.recent(which).into_iter().for_each(|stream| self.read(side, stream, len.into()));
            }
            7 => {
                let closing = self.recent(input.u8());
                closing.into_iter().for_each(|stream| _ = self.engines[side].close(stream));
            }
            8 => {
                if let Some(stream) = self.recent(input.u8()) {
                    let reset = self.engines[side].reset(stream, ResetCode::CANCELLED);
                    self.reset.extend(reset.is_ok().then_some(stream));
                }
            }
            9..=11 => {
                let (room, frame_max) = (input.u16() % 400, input.u16() % 300);
                self.transmit(side, room.into(), frame_max.into());
            }
            12..=14 => {
                let (len, take) = (input.u16() % 400, input.u8() % 60);
                self.deliver(side, len.into(), take.into());
            }
            _ => self.events(side),
        }
    }

    /// One of the newest streams: older ones are mostly over.
    fn recent(&self, which: u8) -> Option<StreamId> {
        let recent = &self.streams[self.streams.len().saturating_sub(8)..];
        Some(recent[usize::from(which).checked_rem(recent.len())?])
    }

    fn write(&mut self, side: usize, stream: StreamId, len: usize) {
        let flow = self.flows.entry((stream, side)).or_default();
        let data: Vec<u8> = (flow.written..flow.written + len).map(|at| byte(stream, side, at)).collect();
        match self.engines[side].write(stream, &data) {
            Ok(taken) => flow.written += taken,
            Err(error) => self.note(stream, error),
        }
    }

    fn read(&mut self, side: usize, stream: StreamId, len: usize) {
        let mut buffer = vec![0; len];
        let flow = self.flows.entry((stream, 1 - side)).or_default();
        match self.engines[side].read(stream, &mut buffer) {
            Ok(0) if len > 0 => assert_eq!(flow.read, flow.written, "{stream} ends before all was read"),
            Ok(count) => flow.check(stream, 1 - side, &buffer[..count]),
            Err(error) => self.note(stream, error),
        }
    }

    /// A call on `stream` did nothing.
    fn note(&mut self, stream: StreamId, error: MuxError) {
        log::line(error);
        if matches!(error, MuxError::Reset(_)) {
            self.reset.insert(stream);
        }
    }

    fn transmit(&mut self, side: usize, room: usize, frame_max: usize) {
        let mut out = vec![0; room];
        let len = self.engines[side].transmit(&mut out, frame_max);
        self.wires[1 - side].extend(&out[..len]);
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

    fn events(&mut self, side: usize) {
        while let Some(event) = self.engines[side].poll_event() {
            log::state(&event);
            match event {
                Event::Opened { stream, .. } => {
                    assert_ne!(Side::of(stream), [Side::Initiator, Side::Responder][side]);
                }
                Event::Reset(stream, _) => _ = self.reset.insert(stream),
                Event::Accepted(_) | Event::Readable(_) | Event::Writable(_) => {}
            }
        }
    }

    /// Both applications end and read all their streams, until no place is taken on either side.
    fn finish(&mut self) {
        for _ in 0..ROUNDS {
            for side in [0, 1] {
                self.transmit(side, 400, 300);
                self.deliver(side, usize::MAX, 0);
                self.events(side);
                for stream in self.streams.clone() {
                    let closed = self.engines[side].close(stream);
                    assert!(!matches!(closed, Err(MuxError::Ended(_))), "{closed:?}");
                    self.read(side, stream, 300);
                }
            }
            let quiet = self.wires.iter().all(VecDeque::is_empty);
            let silent = !self.engines.iter().any(Engine::has_output);
            if quiet && silent && self.engines.iter().all(|engine| engine.streams() == 0) {
                return self.check_delivered();
            }
        }
        panic!("places are still taken: {:?}", self.engines);
    }

    /// What was not reset has arrived as a whole.
    fn check_delivered(&self) {
        for ((stream, writer), flow) in &self.flows {
            let whole = flow.read == flow.written;
            assert!(whole || self.reset.contains(stream), "{writer} wrote {} to {stream}", flow.written);
        }
    }
}

impl Flow {
    /// `bytes` were read of what `writer` wrote.
    fn check(&mut self, stream: StreamId, writer: usize, bytes: &[u8]) {
        let right = (self.read..).zip(bytes).all(|(at, read)| *read == byte(stream, writer, at));
        assert!(right, "wrong bytes of {stream} from {}", self.read);
        self.read += bytes.len();
        assert!(self.read <= self.written);
    }
}
