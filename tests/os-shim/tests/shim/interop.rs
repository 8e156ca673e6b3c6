//! The system's multiplexer on one end, our engine on the other: neither knows what the other is.

use nexus_net_adapter::backend::pipe::Pipe;
use nexus_net_adapter::mux::frame::{self, HEAD_MAX};
use nexus_net_adapter::mux::{
    Engine, Event, MuxError, PriorityClass, Pump, ResetCode, Side, StreamId, StreamName, StreamState,
    WindowCredit,
};
use os_shim::exercise::content;
use os_shim::os::mux::{self as os, MuxWireEvent, SendBudgetOutcome};
use os_shim::shim::mux::{MuxPort, PortError, from_wire, to_wire};
use proptest::prelude::*;
use udp_sec::time::Instant;

use crate::net::{Piped, WINDOW, on_a_large_stack, secure_tcp};

/// What each side sends on each stream. A stream of the system's counts both against its 256 KiB.
const EACH: usize = 120 * 1024;

fn os_id(id: u32) -> os::StreamId {
    os::StreamId::new(id).expect("not 0")
}

fn os_class(class: u8) -> os::PriorityClass {
    os::PriorityClass::new(class).expect("up to 7")
}

/// A session with the system's multiplexer on one end.
struct Pair<'p, const CREDIT: u32> {
    port: MuxPort<Piped<'p>>,
    pump: Pump<Piped<'p>, 8192>,
    engine: Engine<Vec<u8>, 4, 262_144, CREDIT>,
    /// Events of the engine's, and of the system's.
    events: Vec<Event>,
    os_events: Vec<MuxWireEvent>,
    os_payloads: Vec<u8>,
    /// Granted on the stream of the last DATA, and not said yet.
    owed: i64,
}

impl<'p, const CREDIT: u32> Pair<'p, CREDIT> {
    /// Our engine is on `side`.
    fn new(pipe: &'p Pipe<WINDOW>, side: Side) -> Self {
        let (near, far) = secure_tcp(pipe);
        let (ours, theirs) = if side == Side::Initiator { (near, far) } else { (far, near) };
        let pump = Pump::begin(ours).expect("proven");
        let engine = Engine::new(side, pump.peer(), vec![0; 4 * 262_144]);
        let (events, os_events, os_payloads) = (Vec::new(), Vec::new(), Vec::new());
        Self { port: MuxPort::new(theirs), pump, engine, events, os_events, os_payloads, owed: 0 }
    }

    /// Moves what there is to move; whether there was anything.
    fn step(&mut self) -> bool {
        let sent = self.port.flush().expect("open");
        let polled = self.port.poll().expect("no violation");
        let moved = self.pump.run(&mut self.engine, Instant::ZERO).expect("no violation");
        self.events.extend(std::iter::from_fn(|| self.engine.poll_event()));
        let came = polled.is_some();
        if let Some((event, payload)) = polled {
            if let MuxWireEvent::Data { stream_id, priority, payload_len } = event {
                let delta = self.owed + payload_len as i64;
                let told = self.port.tell(&MuxWireEvent::WindowUpdate { stream_id, priority, delta });
                self.owed = if told.is_ok() { 0 } else { delta };
            }
            self.os_payloads.extend(payload);
            self.os_events.push(event);
        }
        came || sent > 0 || moved == nexus_net_adapter::mux::Progress::Moved
    }

    fn settle(&mut self) {
        let mut rounds = 0;
        while self.step() {
            rounds += 1;
            assert!(rounds < 10_000, "there is no end to it");
        }
    }
}

/// Bytes both ways on one stream, and its end. The system has it as `id`, and has opened it or accepted it.
fn exchange<const CREDIT: u32>(pair: &mut Pair<'_, CREDIT>, id: u32, class: u8) {
    let stream = StreamId::new(id).expect("not 0");
    let bytes = |seed: u32| -> Vec<u8> { (0..EACH).map(|at| content(seed, at)).collect() };
    let (from_os, from_us) = (bytes(id), bytes(id + 1000));
    let (mut os_sent, mut sent, mut received) = (0, 0, Vec::new());
    pair.os_payloads.clear();
    let mut buffer = [0; 4096];
    let mut rounds = 0;
    while received.len() < EACH || pair.os_payloads.len() < EACH {
        if os_sent < EACH {
            let chunk = &from_os[os_sent..][..(EACH - os_sent).min(32 * 1024)];
            match pair.port.send(os_id(id), os_class(class), chunk) {
                Ok(SendBudgetOutcome::Sent { .. }) => os_sent += chunk.len(),
                Ok(SendBudgetOutcome::WouldBlock { .. }) | Err(PortError::Busy) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        sent += pair.engine.write(stream, &from_us[sent..]).unwrap_or(0);
        pair.step();
        match pair.engine.read(stream, &mut buffer) {
            Ok(len) => received.extend_from_slice(&buffer[..len]),
            Err(MuxError::WouldBlock { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        rounds += 1;
        assert!(rounds < 10_000, "it has come to a stop");
    }
    assert!(received == from_os && pair.os_payloads == from_us, "stream {id} differs");
    pair.port.close(os_id(id), os_class(class)).expect("open");
    pair.engine.close(stream).expect("open");
    pair.settle();
    assert_eq!(pair.engine.read(stream, &mut buffer), Ok(0), "its end, too");
    assert_eq!(pair.port.state(os_id(id)), Some(os::StreamState::Closed));
    assert_eq!(pair.engine.state(stream), Some(StreamState::Closed));
}

#[test]
fn the_systems_multiplexer_talks_to_our_engine() {
    on_a_large_stack(|| {
        for side in [Side::Initiator, Side::Responder] {
            let pipe = Pipe::<WINDOW>::new();
            let mut pair = Pair::<65_536>::new(&pipe, side);
            // It may choose its ids; those of its side never meet ours.
            let first = if side == Side::Initiator { 2 } else { 1 };
            for (id, class) in [(first, 0), (first + 2, 7), (first + 4, 3)] {
                let name = os::StreamName::new(format!("os/{id}")).expect("short");
                pair.port.open(os_id(id), os_class(class), name).expect("room");
                pair.settle();
                exchange(&mut pair, id, class);
            }
            for class in [0, 7] {
                let name = StreamName::new(&format!("ours/{class}")).expect("short");
                let priority = PriorityClass::new(class).expect("up to 7");
                let id = pair.engine.open(priority, name).expect("room").get();
                pair.settle();
                let accepted = std::iter::from_fn(|| pair.port.accept()).last().expect("it was told");
                assert_eq!((accepted.stream_id.get(), accepted.priority.get()), (id, class));
                exchange(&mut pair, id, class);
            }
            assert_eq!(pair.engine.streams(), 0);
        }
    });
}

#[test]
fn two_of_the_systems_multiplexers_fill_both_directions_at_once() {
    on_a_large_stack(|| {
        let pipe = Pipe::<WINDOW>::new();
        let (near, far) = secure_tcp(&pipe);
        let mut ports = [MuxPort::new(near), MuxPort::new(far)];
        let name = os::StreamName::new("both ways").expect("short");
        ports[0].open(os_id(1), os_class(4), name).expect("room");
        // Neither reads before it has written all that it can.
        let (mut sent, mut received, mut owed) = ([0; 2], [0; 2], [0; 2]);
        for _ in 0..10_000 {
            for (side, port) in ports.iter_mut().enumerate() {
                let chunk: Vec<u8> =
                    (sent[side]..EACH).take(8192).map(|at| content(side as u32, at)).collect();
                let sending = port.state(os_id(1)).is_some() && !chunk.is_empty();
                if sending
                    && matches!(port.send(os_id(1), os_class(4), &chunk), Ok(SendBudgetOutcome::Sent { .. }))
                {
                    sent[side] += chunk.len();
                }
                if let Some((MuxWireEvent::Data { stream_id, priority, .. }, payload)) =
                    port.poll().expect("legal")
                {
                    let from = 1 - side as u32;
                    assert!(
                        payload.iter().zip(received[side]..).all(|(byte, at)| *byte == content(from, at))
                    );
                    received[side] += payload.len();
                    let delta = owed[side] + payload.len() as i64;
                    let told = port.tell(&MuxWireEvent::WindowUpdate { stream_id, priority, delta });
                    owed[side] = if told.is_ok() { 0 } else { delta };
                }
            }
        }
        assert_eq!((sent, received), ([EACH; 2], [EACH; 2]));
    });
}

#[test]
fn resets_and_signs_of_life_go_both_ways() {
    on_a_large_stack(|| {
        let pipe = Pipe::<WINDOW>::new();
        let mut pair = Pair::<65_536>::new(&pipe, Side::Responder);
        let name = |name: &str| os::StreamName::new(name).expect("short");
        pair.port.open(os_id(1), os_class(0), name("a")).expect("room");
        pair.port.open(os_id(3), os_class(0), name("b")).expect("room");
        let (stream_id, priority) = (os_id(77), os_class(5));
        pair.port.tell(&MuxWireEvent::Ping { stream_id, priority }).expect("nothing in it");
        pair.settle();
        assert!(pair.os_events.contains(&MuxWireEvent::Pong { stream_id, priority }), "about the same");

        pair.port.reset(os_id(1), os_class(0)).expect("open");
        pair.engine.reset(StreamId::new(3).expect("not 0"), ResetCode(77)).expect("open");
        // Four ticks of silence: the engine wants to know.
        for _ in 0..4 {
            pair.engine.tick().expect("alive");
        }
        pair.settle();
        assert_eq!(pair.port.state(os_id(3)), Some(os::StreamState::Reset));
        let ours = StreamId::new(1).expect("not 0");
        assert!(pair.events.contains(&Event::Reset(ours, ResetCode::CANCELLED)));
        assert!(pair.os_events.iter().any(|event| matches!(event, MuxWireEvent::Ping { .. })));
        for _ in 0..8 {
            pair.engine.tick().expect("it was answered, so nine ticks begin anew");
        }
    });
}

/// An engine with less memory grants less than the system takes for granted; the frame says how much, and before it has
/// come nothing is sent.
#[test]
fn a_credit_other_than_the_systems_own_is_taken_from_the_frame() {
    on_a_large_stack(|| {
        for opener in [Side::Initiator, Side::Responder] {
            let pipe = Pipe::<WINDOW>::new();
            let mut pair = Pair::<1000>::new(&pipe, Side::Initiator);
            let id = if opener == Side::Initiator {
                pair.engine
                    .open(PriorityClass::HIGHEST, StreamName::new("n").expect("short"))
                    .expect("room")
                    .get()
            } else {
                pair.port
                    .open(os_id(2), os_class(0), os::StreamName::new("n").expect("short"))
                    .expect("room");
                2
            };
            if opener == Side::Responder {
                let none = SendBudgetOutcome::WouldBlock { remaining_credit: os::WindowCredit::new(0) };
                assert_eq!(pair.port.send(os_id(id), os_class(0), &[0; 1]), Ok(none));
            }
            pair.settle();
            let blocked = SendBudgetOutcome::WouldBlock { remaining_credit: os::WindowCredit::new(1000) };
            assert_eq!(pair.port.send(os_id(id), os_class(0), &[0; 1001]), Ok(blocked), "{opener:?}");
            let sent = SendBudgetOutcome::Sent { remaining_credit: os::WindowCredit::new(0) };
            assert_eq!(pair.port.send(os_id(id), os_class(0), &[0; 1000]), Ok(sent));
            pair.settle();
            assert_eq!(pair.engine.read(StreamId::new(id).expect("not 0"), &mut [0; 2000]), Ok(1000));
            pair.settle();
            assert_eq!(pair.engine.ended(), None);
        }
    });
}

fn event() -> impl Strategy<Value = MuxWireEvent> {
    let about = (1..=u32::MAX, 0..=7_u8).prop_map(|(id, class)| (os_id(id), os_class(class)));
    (about, 0..8, "[a-zäß/]{1,32}", 0..=32_768_usize, 0..=i64::from(u32::MAX)).prop_map(
        |((stream_id, priority), kind, name, payload_len, delta)| match kind {
            0 => {
                let name = os::StreamName::new(name).expect("at most 64 bytes");
                MuxWireEvent::Open { stream_id, priority, name }
            }
            1 => MuxWireEvent::OpenAck { stream_id, priority },
            2 => MuxWireEvent::Data { stream_id, priority, payload_len },
            3 => MuxWireEvent::WindowUpdate { stream_id, priority, delta },
            4 => MuxWireEvent::Rst { stream_id, priority },
            5 => MuxWireEvent::Close { stream_id, priority },
            6 => MuxWireEvent::Ping { stream_id, priority },
            _ => MuxWireEvent::Pong { stream_id, priority },
        },
    )
}

proptest! {
    #[test]
    fn every_event_is_one_frame_and_back(event in event()) {
        let mut head = [0; HEAD_MAX];
        let len = to_wire(&event).unwrap().encode(&mut head).unwrap().unwrap();
        let (frame, decoded) = frame::decode(&head[..len]).unwrap().unwrap();
        prop_assert_eq!(decoded, len);
        // 65 536 is what the system means where its event carries no credit.
        let granted = match event {
            MuxWireEvent::OpenAck { stream_id, priority } => {
                Some(MuxWireEvent::WindowUpdate { stream_id, priority, delta: 65_536 })
            }
            _ => None,
        };
        prop_assert_eq!(from_wire(&frame), Ok((event, granted)));
    }

    #[test]
    fn a_delta_that_no_frame_carries_is_rejected_by_label(
        delta in prop_oneof![i64::MIN..0, i64::from(u32::MAX) + 1..=i64::MAX],
    ) {
        let event = MuxWireEvent::WindowUpdate { stream_id: os_id(1), priority: os_class(0), delta };
        let label = to_wire(&event).unwrap_err().label();
        prop_assert_eq!(label, os::REJECT_WINDOW_CREDIT_OVERFLOW_OR_UNDERFLOW);
    }
}

#[test]
fn what_a_frame_grants_reaches_the_multiplexer() {
    let about = to_wire(&MuxWireEvent::Close { stream_id: os_id(5), priority: os_class(2) }).unwrap().about();
    let update = |delta| MuxWireEvent::WindowUpdate { stream_id: os_id(5), priority: os_class(2), delta };
    let name = StreamName::new("n").unwrap();
    for credit in [0, 1000, 65_535, 65_536, 65_537, u32::MAX] {
        let (wire, delta) = (WindowCredit::new(credit), i64::from(credit));
        let open = frame::Frame::Open { about, credit: wire, name: name.clone() };
        let open_ack = frame::Frame::OpenAck { about, credit: wire };
        assert_eq!(from_wire(&open).unwrap().1, Some(update(delta - 65_536)).filter(|_| credit != 65_536));
        assert_eq!(from_wire(&open_ack).unwrap().1, Some(update(delta)).filter(|_| credit != 0));
    }
}
