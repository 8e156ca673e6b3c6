//! The rejects of the contract, by their names; and what a session costs, in bytes.

use std::vec;
use std::vec::Vec;

use udp_sec::keys::PublicKey;

use super::frame::{About, Frame, HEAD_MAX};
use super::limits::{BUFFERED_MAX, FRAME_PAYLOAD_MAX, STREAMS_MAX};
use super::*;
use crate::stream::PeerIdentity;

pub(super) type Small = Engine<Vec<u8>, 4, 4096, 1024>;

pub(super) fn peer() -> PeerIdentity {
    PeerIdentity::unproven_for_tests(PublicKey::from_bytes([7; 32]))
}

pub(super) fn engine(side: Side) -> Small {
    Engine::new(side, peer(), vec![0; 4 * 4096])
}

pub(super) fn name(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

pub(super) fn about(stream: u32) -> About {
    About { stream: StreamId::new(stream).unwrap(), priority: PriorityClass::HIGHEST }
}

/// The bytes of `frame` with `payload`.
pub(super) fn wire(frame: &Frame, payload: &[u8]) -> Vec<u8> {
    let mut head = [0; HEAD_MAX];
    let len = frame.encode(&mut head).unwrap().unwrap();
    [&head[..len], payload].concat()
}

pub(super) fn open(stream: u32, called: &str) -> Frame {
    Frame::Open { about: about(stream), credit: WindowCredit::new(100), name: name(called) }
}

pub(super) fn data(stream: u32, len: usize) -> Vec<u8> {
    wire(&Frame::Data { about: about(stream), len }, &vec![b'd'; len])
}

/// Gives `frames` to a responder, of which all but the last are legal; its label for the last one.
fn label_of(frames: &[Vec<u8>]) -> &'static str {
    let mut responder = engine(Side::Responder);
    let (last, legal) = frames.split_last().unwrap();
    legal.iter().for_each(|bytes| responder.receive(bytes).unwrap());
    let Err(End::Rejected(reject)) = responder.receive(last) else { panic!("it was not rejected") };
    // The session is lost, and stays lost.
    assert_eq!(responder.receive(&wire(&Frame::Ping(about(1)), &[])), Err(End::Rejected(reject)));
    assert_eq!(responder.open(PriorityClass::LOWEST, name("n")), Err(MuxError::Ended(End::Rejected(reject))));
    assert_eq!(responder.transmit(&mut [0; 1024], 512), 0);
    reject.label()
}

#[test]
fn test_reject_mux_frame_oversize() {
    let mut largest = wire(&Frame::Data { about: about(1), len: FRAME_PAYLOAD_MAX }, &[]);
    assert!(frame::decode(&largest).unwrap().is_some(), "32 KiB are legal");
    largest[8..12].copy_from_slice(&(FRAME_PAYLOAD_MAX as u32 + 1).to_le_bytes());
    assert_eq!(label_of(&[wire(&open(1, "n"), &[]), largest]), "mux.reject.frame_oversize");

    let too_long = Frame::Data { about: about(1), len: FRAME_PAYLOAD_MAX + 1 };
    assert_eq!(too_long.encode(&mut [0; HEAD_MAX]), Err(MuxReject::FrameOversize));
}

#[test]
fn test_reject_invalid_stream_state_transition() {
    let label = "mux.reject.invalid_stream_state_transition";
    let opened = || wire(&open(1, "n"), &[]);
    let close = || wire(&Frame::Close(about(1)), &[]);
    let rst = || wire(&Frame::Rst { about: about(1), code: ResetCode(3) }, &[]);
    assert_eq!(label_of(&[opened(), close(), close()]), label, "a second end");
    assert_eq!(label_of(&[opened(), close(), data(1, 1)]), label, "data after the end");
    assert_eq!(label_of(&[opened(), rst(), rst(), close()]), label, "an end after a reset");
    assert_eq!(label_of(&[opened(), rst(), data(1, 1)]), label, "data after a reset");
    assert_eq!(label_of(&[opened(), wire(&open(1, "other"), &[])]), label, "an id in use");
    assert_eq!(
        label_of(&[opened(), rst(), wire(&open(1, "other"), &[])]),
        label,
        "an id that was in use just now"
    );
    let ack = |stream| wire(&Frame::OpenAck { about: about(stream), credit: WindowCredit::NONE }, &[]);
    assert_eq!(label_of(&[opened(), ack(1)]), label, "an answer to a stream of its own");
    assert_eq!(label_of(&[ack(2)]), label, "an answer to nothing");

    let reject = Err(MuxError::Reject(MuxReject::InvalidStreamStateTransition));
    let mut local = engine(Side::Initiator);
    let stream = local.open(PriorityClass::HIGHEST, name("n")).unwrap();
    local.close(stream).unwrap();
    assert_eq!(local.close(stream), reject);
    assert_eq!(local.write(stream, b"late"), reject.map(|()| 0));
    local.reset(stream, ResetCode::CANCELLED).unwrap();
    local.reset(stream, ResetCode::CANCELLED).unwrap();
    assert_eq!(local.close(stream), reject);
}

#[test]
fn test_reject_window_credit_overflow_or_underflow() {
    let label = "mux.reject.window_credit_overflow_or_underflow";
    let opened = || wire(&open(1, "n"), &[]);
    assert_eq!(label_of(&[opened(), data(1, 1025)]), label, "more than the initial credit");
    assert_eq!(label_of(&[opened(), data(1, 1000), data(1, 25)]), label, "more in sum");
    let all = Frame::WindowUpdate { about: about(1), delta: WindowCredit::new(u32::MAX - 100) };
    let one = Frame::WindowUpdate { about: about(1), delta: WindowCredit::new(1) };
    assert_eq!(label_of(&[opened(), wire(&all, &[]), wire(&one, &[])]), label, "more than 32 bits hold");
}

#[test]
fn test_reject_unknown_stream_frame() {
    let label = "mux.reject.unknown_stream_frame";
    let credit = WindowCredit::NONE;
    for frame in [
        Frame::Data { about: about(1), len: 0 },
        Frame::Data { about: about(5), len: 1 },
        Frame::WindowUpdate { about: about(2), delta: credit },
        Frame::Rst { about: about(1), code: ResetCode(0) },
        Frame::Close(about(1)),
    ] {
        assert_eq!(label_of(&[wire(&frame, &[])]), label, "{frame:?}");
    }
    assert_eq!(label_of(&[vec![0; 12]]), label, "no frame at all");

    let mut local = engine(Side::Initiator);
    let never = StreamId::new(1).unwrap();
    let reject = MuxError::Reject(MuxReject::UnknownStreamFrame);
    assert_eq!(local.write(never, b"x"), Err(reject));
    assert_eq!(local.read(never, &mut [0; 9]), Err(reject));
    assert_eq!(local.close(never), Err(reject));
    assert_eq!(local.reset(never, ResetCode::CANCELLED), Err(reject));
    // Opened, but the peer has not been told: it cannot know of it.
    let own = local.open(PriorityClass::HIGHEST, name("n")).unwrap();
    let guess = wire(&Frame::Close(About { stream: own, priority: PriorityClass::HIGHEST }), &[]);
    assert_eq!(local.receive(&guess), Err(End::Rejected(MuxReject::UnknownStreamFrame)));
}

#[test]
fn test_reject_unauthenticated_session() {
    let mut stream = pump::tests::Scripted::default();
    stream.peer = None;
    let reject = Pump::<_, 512>::begin(stream).map(|_| ()).unwrap_err();
    assert_eq!(reject.label(), "mux.reject.unauthenticated_session");
}

#[test]
fn test_reject_stream_limit_exceeded() {
    let mut local = engine(Side::Initiator);
    for stream in ["a", "b", "c", "d"] {
        local.open(PriorityClass::HIGHEST, name(stream)).unwrap();
    }
    let reject = local.open(PriorityClass::HIGHEST, name("e")).unwrap_err();
    assert_eq!(reject, MuxError::Reject(MuxReject::StreamLimitExceeded));

    // 4 places, 128 refusals that wait to be sent: who opens one more ignores the contract.
    let mut frames: Vec<_> =
        (0..4 + 128 + 1).map(|at| wire(&open(2 * at + 1, &std::format!("{at}")), &[])).collect();
    assert_eq!(label_of(&frames), "mux.reject.stream_limit_exceeded");
    frames.pop();
    let mut responder = engine(Side::Responder);
    frames.iter().for_each(|bytes| responder.receive(bytes).unwrap());
    assert_eq!(responder.streams(), 4);
}

#[test]
fn test_reject_duplicate_stream_name() {
    let opened = [wire(&open(1, "n"), &[]), wire(&open(3, "n"), &[])];
    assert_eq!(label_of(&opened), "mux.reject.duplicate_stream_name");

    let mut local = engine(Side::Initiator);
    let first = local.open(PriorityClass::HIGHEST, name("n")).unwrap();
    let reject = MuxError::Reject(MuxReject::DuplicateStreamName);
    assert_eq!(local.open(PriorityClass::LOWEST, name("n")), Err(reject));
    local.transmit(&mut [0; 512], 512);
    local.reset(first, ResetCode::CANCELLED).unwrap();
    assert_eq!(
        local.open(PriorityClass::LOWEST, name("n")),
        Err(reject),
        "the peer does not know that it is over"
    );
    local.transmit(&mut [0; 512], 512);
    local.open(PriorityClass::LOWEST, name("n")).unwrap();
}

#[test]
fn test_reject_invalid_stream_name() {
    let mut nameless = wire(&open(1, "n"), &[]);
    *nameless.last_mut().unwrap() = 0xff;
    assert_eq!(label_of(&[nameless]), "mux.reject.invalid_stream_name");
}

#[test]
fn every_reject_has_a_label_of_its_own() {
    let labels: std::collections::BTreeSet<_> = MuxReject::ALL.iter().map(|reject| reject.label()).collect();
    assert_eq!(labels.len(), 8);
    assert!(labels.iter().all(|label| label.starts_with("mux.reject.")));
}

/// Nothing allocates, so the size of the engine and of what it is lent is all that a session can ever hold.
#[test]
fn the_memory_of_a_session_is_a_number() {
    type Largest = Engine<Vec<u8>>;
    assert_eq!(STREAMS_MAX * BUFFERED_MAX, 32 * 1024 * 1024);
    assert_eq!(Largest::WINDOW, 192 * 1024);
    assert!(size_of::<Largest>() <= 20 * 1024, "{} bytes", size_of::<Largest>());
    // Four streams of 4 KiB, as a device would have them.
    assert!(size_of::<Small>() <= 2 * 1024, "{} bytes", size_of::<Small>());
}
