//! A multiplexer whose peer sends frames of any kind, size and order, or no frames at all: bounds hold, what decodes is
//! written again as the same bytes, and what is rejected ends the session for good.

use nexus_net_adapter::mux::frame::{self, Frame, HEAD_MAX};
use nexus_net_adapter::mux::limits::FRAME_PAYLOAD_MAX;
use nexus_net_adapter::mux::{End, PriorityClass, ResetCode, Side, StreamId, StreamName};

use crate::input::Input;
use crate::mux::{Tiny, check, tiny};
use crate::{Outcome, log};

/// Plays `data`: frames and bytes of the peer's, and what the application does.
///
/// # Panics
/// When a bound does not hold, or the codec does not give back what it read.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    let mut engine = tiny(Side::Responder);
    let mut outcome = "running";
    while let Some(choice) = input.next() {
        if choice < 0xa0 {
            let bytes = peers_bytes(choice, &mut input);
            codec(&bytes);
            if let Err(end) = receive(&mut engine, &bytes) {
                outcome = name(end);
            }
        } else {
            act(&mut engine, choice, &mut input);
        }
        check(&engine, streams());
    }
    log::state(&engine);
    if engine.ended().is_some() {
        assert_eq!(engine.transmit(&mut [0; 400], 300), 0, "words after the end");
        let after = engine.open(PriorityClass::HIGHEST, StreamName::new("late").expect("a name"));
        after.expect_err("a stream after the end");
    }
    outcome
}

fn streams() -> impl Iterator<Item = StreamId> {
    (1..20).filter_map(StreamId::new)
}

/// A frame with any fields, or any bytes.
fn peers_bytes(choice: u8, input: &mut Input<'_>) -> Vec<u8> {
    let kind = choice % 10;
    if kind == 0 {
        let len = input.u8();
        return input.bytes(len.into()).to_vec();
    }
    let (priority, stream) = (input.u8(), u32::from(input.u8()));
    let number = if choice >= 0x80 { input.u32() } else { input.u8().into() };
    let body = match kind {
        1 => [&number.to_le_bytes()[..], name_of(input)].concat(),
        2 | 4 | 5 => number.to_le_bytes().to_vec(),
        3 => vec![priority; number as usize % (FRAME_PAYLOAD_MAX + 2)],
        _ => Vec::new(),
    };
    let len = body.len() as u32;
    [&[2, kind, priority, 0], &stream.to_le_bytes()[..], &len.to_le_bytes(), &body].concat()
}

fn name_of<'a>(input: &mut Input<'a>) -> &'a [u8] {
    let len = input.u8() % 70;
    input.bytes(len.into())
}

/// What decodes encodes to the same bytes, and its length is told as soon as its header is there.
fn codec(bytes: &[u8]) {
    let decoded = frame::decode(bytes);
    log::state(&decoded);
    let told = frame::head_len(bytes);
    match decoded {
        Ok(Some((frame, len))) => {
            assert_eq!(told, Ok(len));
            let mut out = [0; HEAD_MAX];
            assert_eq!(frame.encode(&mut out), Ok(Some(len)));
            assert_eq!(out[..len], bytes[..len], "{frame:?}");
            assert_eq!(frame.encode(&mut out[..len - 1]), Ok(None), "no room for the last byte");
            let beginning = frame::decode(&bytes[..len - 1]);
            assert_eq!(beginning, Ok(None), "a head cut short");
            if let Frame::Data { len, .. } = frame {
                assert!(len <= FRAME_PAYLOAD_MAX);
            }
        }
        Ok(None) => assert!(told.is_ok_and(|len| len > bytes.len()), "{told:?}"),
        Err(reject) => log::line(reject),
    }
}

/// The engine takes the bytes, or ends; and who has ended stays so.
fn receive(engine: &mut Tiny, bytes: &[u8]) -> Result<(), End> {
    let ended = engine.ended();
    let received = engine.receive_with(bytes, |_, payload| payload.len() / 2);
    if let Err(end) = received {
        log::line(end);
        assert_eq!(engine.ended(), Some(end));
        assert!(ended.is_none_or(|before| before == end), "{ended:?}, then {end:?}");
        assert_eq!(engine.receive(bytes), Err(end));
    }
    received
}

fn act(engine: &mut Tiny, choice: u8, input: &mut Input<'_>) {
    let stream = StreamId::new(u32::from(input.u8() % 20).max(1)).expect("not zero");
    match choice % 8 {
        0 => {
            let class = PriorityClass::new(input.u8() % 8).expect("a class");
            let name = StreamName::from_bytes(name_of(input));
            name.into_iter().for_each(|name| _ = engine.open(class, name));
        }
        1 => _ = engine.write(stream, input.bytes(40)),
        2 => _ = engine.read(stream, &mut vec![0; input.u8().into()]),
        3 => _ = engine.close(stream),
        4 => _ = engine.reset(stream, ResetCode(input.u32())),
        5 => transmit(engine, input.u8().into()),
        6 => engine.tick().err().into_iter().for_each(log::line),
        _ => {
            while let Some(event) = engine.poll_event() {
                log::state(&event);
            }
        }
    }
}

/// What leaves is whole frames as far as there is room, and legal.
fn transmit(engine: &mut Tiny, room: usize) {
    let mut out = vec![0; room];
    let len = engine.transmit(&mut out, 100);
    let mut rest = &out[..len];
    while !rest.is_empty() {
        let (frame, head) = frame::decode(rest).expect("a legal frame").expect("a whole head");
        let payload = if let Frame::Data { len, .. } = frame { len } else { 0 };
        rest = rest.get(head + payload..).expect("a whole frame");
    }
}

fn name(end: End) -> Outcome {
    match end {
        End::Rejected(reject) => reject.label(),
        End::Silent => "silent",
        _ => "ended",
    }
}
