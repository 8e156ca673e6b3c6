//! A peer that violates the contract, at the system's multiplexer: each reject by its label, through the shim.

use std::collections::{BTreeSet, VecDeque};

use nexus_net_adapter::mux::MuxReject;
use nexus_net_adapter::stream::{Interest, PeerIdentity, ReliableStream, StreamError};
use os_shim::os::mux::{self as os, MuxWireEvent, PriorityClass, StreamId, StreamName};
use os_shim::shim::mux::{MuxPort, OUTBOX_MAX, PortError, to_wire};
use udp_sec::time::Instant;

use crate::net::keys;

/// A stream that reads what the test wrote down, and takes as much as the test allows.
struct Canned {
    peer: Option<PeerIdentity>,
    reads: VecDeque<u8>,
    written: Vec<u8>,
    room: usize,
}

impl Canned {
    fn new(reads: Vec<u8>) -> Self {
        let peer = Some(PeerIdentity::unproven_for_tests(*keys(1).public()));
        Self { peer, reads: reads.into(), written: Vec::new(), room: usize::MAX }
    }
}

impl ReliableStream for Canned {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.peer
    }

    fn read(&mut self, buf: &mut [u8], _: Instant) -> Result<usize, StreamError> {
        let len = buf.len().min(self.reads.len());
        buf.iter_mut().zip(self.reads.drain(..len)).for_each(|(room, byte)| *room = byte);
        if len > 0 { Ok(len) } else { Err(StreamError::WouldBlock) }
    }

    fn write(&mut self, data: &[u8], _: Instant) -> Result<usize, StreamError> {
        let len = data.len().min(self.room);
        self.room -= len;
        self.written.extend_from_slice(&data[..len]);
        if len > 0 { Ok(len) } else { Err(StreamError::WouldBlock) }
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn abort(&mut self) {}

    fn unsent(&self) -> u64 {
        0
    }

    fn set_low_water(&mut self, _: u64) {}

    fn wait(&mut self, _: Interest, _: Instant) -> Result<(), StreamError> {
        Ok(())
    }
}

const CLASS: u8 = 3;

fn class() -> PriorityClass {
    PriorityClass::new(CLASS).expect("up to 7")
}

fn id(id: u32) -> StreamId {
    StreamId::new(id).expect("not 0")
}

fn name(name: &str) -> StreamName {
    StreamName::new(name).expect("short")
}

fn wire(event: &MuxWireEvent) -> Vec<u8> {
    let mut head = [0; nexus_net_adapter::mux::frame::HEAD_MAX];
    let len = to_wire(event).expect("legal").encode(&mut head).expect("legal").expect("room");
    let payload = if let MuxWireEvent::Data { payload_len, .. } = event { *payload_len } else { 0 };
    [&head[..len], &vec![0; payload]].concat()
}

fn open(stream: u32, called: &str) -> Vec<u8> {
    wire(&MuxWireEvent::Open { stream_id: id(stream), priority: class(), name: name(called) })
}

fn data(stream: u32, payload_len: usize) -> Vec<u8> {
    wire(&MuxWireEvent::Data { stream_id: id(stream), priority: class(), payload_len })
}

fn close(stream: u32) -> Vec<u8> {
    wire(&MuxWireEvent::Close { stream_id: id(stream), priority: class() })
}

/// What polling says at the end of `frames`, of which all but the last are legal.
fn label_of(frames: &[Vec<u8>]) -> &'static str {
    let mut port = MuxPort::new(Canned::new(frames.concat()));
    for _ in 1..frames.len() {
        assert!(port.poll().expect("legal").is_some());
    }
    match port.poll() {
        Err(PortError::Reject(label)) => label,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_violation_is_rejected_by_its_label() {
    let opened = || open(1, "n");
    let mut oversize = data(1, 0);
    oversize[8..12].copy_from_slice(&32_769_u32.to_le_bytes());
    assert_eq!(label_of(&[opened(), oversize]), os::REJECT_FRAME_OVERSIZE);
    assert_eq!(label_of(&[opened(), close(1), close(1)]), os::REJECT_INVALID_STREAM_STATE_TRANSITION);
    assert_eq!(label_of(&[opened(), close(1), data(1, 1)]), os::REJECT_INVALID_STREAM_STATE_TRANSITION);
    let window = os::REJECT_WINDOW_CREDIT_OVERFLOW_OR_UNDERFLOW;
    let all = MuxWireEvent::WindowUpdate { stream_id: id(1), priority: class(), delta: u32::MAX.into() };
    assert_eq!(label_of(&[opened(), wire(&all)]), window);
    let frames: Vec<_> = std::iter::once(opened()).chain(std::iter::repeat_n(data(1, 32_768), 9)).collect();
    assert_eq!(label_of(&frames), window, "256 KiB are all that it counts");
    assert_eq!(label_of(&[data(9, 1)]), os::REJECT_UNKNOWN_STREAM_FRAME);
    assert_eq!(label_of(&[vec![0; 12]]), os::REJECT_UNKNOWN_STREAM_FRAME);
    assert_eq!(label_of(&[opened(), open(3, "n")]), os::REJECT_DUPLICATE_STREAM_NAME);
    let frames: Vec<_> = (0..129).map(|at| open(2 * at + 1, &format!("{at}"))).collect();
    assert_eq!(label_of(&frames), os::REJECT_STREAM_LIMIT_EXCEEDED);
    let mut nameless = opened();
    *nameless.last_mut().expect("a name") = 0xff;
    assert_eq!(label_of(&[nameless]), os::REJECT_INVALID_STREAM_NAME);
}

#[test]
fn a_session_with_nobody_rejects_everything() {
    let mut port = MuxPort::new(Canned { peer: None, ..Canned::new(open(1, "n")) });
    let reject = PortError::Reject(os::REJECT_UNAUTHENTICATED_SESSION);
    assert_eq!(port.open(id(2), class(), name("mine")), Err(reject));
    assert_eq!(port.send(id(2), class(), b"x"), Err(reject));
    assert_eq!(port.poll(), Err(reject));
    assert_eq!(port.unsent(), 0, "and says nothing");
}

#[test]
fn the_systems_labels_are_ours() {
    let theirs = BTreeSet::from([
        os::REJECT_FRAME_OVERSIZE,
        os::REJECT_INVALID_STREAM_STATE_TRANSITION,
        os::REJECT_WINDOW_CREDIT_OVERFLOW_OR_UNDERFLOW,
        os::REJECT_UNKNOWN_STREAM_FRAME,
        os::REJECT_UNAUTHENTICATED_SESSION,
        os::REJECT_STREAM_LIMIT_EXCEEDED,
        os::REJECT_DUPLICATE_STREAM_NAME,
        os::REJECT_INVALID_STREAM_NAME,
    ]);
    assert_eq!(theirs, MuxReject::ALL.iter().map(|reject| reject.label()).collect());
}

/// Bytes cut anywhere: a frame is told when all of it is there.
#[test]
fn half_a_frame_is_no_event() {
    let frames = [open(1, "a name"), data(1, 300), close(1)];
    let ends: Vec<usize> = (1..=3).map(|count| frames[..count].concat().len()).collect();
    let bytes = frames.concat();
    for cut in 0..=bytes.len() {
        let mut port = MuxPort::new(Canned::new(bytes[..cut].to_vec()));
        let told = std::iter::from_fn(|| port.poll().expect("legal")).count();
        assert_eq!(told, ends.iter().filter(|end| **end <= cut).count(), "cut at {cut}");
    }
}

#[test]
fn a_peer_that_asks_and_does_not_read_meets_a_bound() {
    let ping = wire(&MuxWireEvent::Ping { stream_id: id(1), priority: class() });
    let mut port = MuxPort::new(Canned { room: 100, ..Canned::new(ping.repeat(10_000)) });
    let asked = std::iter::from_fn(|| port.poll().expect("legal")).count();
    assert_eq!(asked, 10_000, "it is heard all the same");
    assert!((OUTBOX_MAX..OUTBOX_MAX + 12).contains(&port.unsent()), "{}", port.unsent());
    assert_eq!(port.open(id(1), class(), name("n")), Ok(()), "of which there are only so many");
    assert_eq!(port.send(id(1), class(), b"data"), Err(PortError::Busy));
    let grant = MuxWireEvent::WindowUpdate { stream_id: id(1), priority: class(), delta: 9 };
    assert_eq!(port.tell(&grant), Err(PortError::Busy));
}
