//! Records between two engines in memory; over a link with loss they are in `tests/os-shim`.

use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::mux::frame::{About, Frame, HEAD_MAX};
use crate::mux::tests::peer;
use crate::mux::{End, Side};

type Small = Engine<Vec<u8>, 4, 4096, 1024>;
type Channels = Records<4, 1020>;

/// One side of a session.
struct Device {
    engine: Small,
    records: Channels,
    others: Vec<Event>,
}

impl Device {
    fn new(side: Side) -> Self {
        let engine = Engine::new(side, peer(), vec![0; 4 * 4096]);
        Self { engine, records: Records::new(PriorityClass::HIGHEST), others: Vec::new() }
    }

    fn send(&mut self, channel: u32, payload: &[u8]) -> Result<(), RecordError> {
        self.records.send_record(&mut self.engine, channel, payload)
    }

    /// Whatever can be received, owned.
    fn receive(&mut self) -> Result<Option<(u32, Vec<u8>)>, RecordError> {
        self.sort();
        let mut buf = [0; 1020];
        let record = self.records.recv_record(&mut self.engine, &mut buf)?;
        Ok(record.map(|record| (record.channel, record.bytes.to_vec())))
    }

    fn sort(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.others.extend(self.records.sort(&mut self.engine, event));
        }
    }
}

fn pair() -> (Device, Device) {
    (Device::new(Side::Initiator), Device::new(Side::Responder))
}

/// Moves bytes from `from` to `to`, in pieces of `size`, and says whether there were any.
fn carry(from: &mut Device, to: &mut Device, size: usize) -> bool {
    let mut wire = vec![0; 4096];
    let len = from.engine.transmit(&mut wire, 4096);
    wire[..len].chunks(size).for_each(|piece| to.engine.receive(piece).unwrap());
    len > 0
}

fn settle(alice: &mut Device, bob: &mut Device) {
    while carry(alice, bob, 77) | carry(bob, alice, 77) {
        alice.sort();
        bob.sort();
    }
}

/// A frame of a peer that does not use records, or abuses them.
fn raw(device: &mut Device, frame: &Frame, payload: &[u8]) {
    let mut head = [0; HEAD_MAX];
    let len = frame.encode(&mut head).unwrap().unwrap();
    device.engine.receive(&head[..len]).unwrap();
    device.engine.receive(payload).unwrap();
    device.sort();
}

fn raw_channel(device: &mut Device, stream: u32, name: &str, bytes: &[u8]) -> About {
    let about = About { stream: StreamId::new(stream).unwrap(), priority: PriorityClass::HIGHEST };
    let open = Frame::Open { about, credit: WindowCredit::new(1024), name: StreamName::new(name).unwrap() };
    raw(device, &open, &[]);
    raw(device, &Frame::Data { about, len: bytes.len() }, bytes);
    about
}

#[test]
fn a_record_is_answered_on_the_stream_it_came_on() {
    let (mut alice, mut bob) = pair();
    alice.send(7, b"question").unwrap();
    alice.send(u32::MAX, b"").unwrap();
    settle(&mut alice, &mut bob);
    let came = BTreeMap::from([bob.receive().unwrap().unwrap(), bob.receive().unwrap().unwrap()]);
    assert_eq!(
        came,
        BTreeMap::from([(7, b"question".to_vec()), (u32::MAX, vec![])]),
        "an empty record is one"
    );
    assert_eq!(bob.receive(), Ok(None));
    bob.send(7, b"answer").unwrap();
    settle(&mut alice, &mut bob);
    assert_eq!(alice.receive(), Ok(Some((7, b"answer".to_vec()))));
    assert_eq!((alice.engine.streams(), bob.engine.streams()), (2, 2), "one for each channel");
    assert_eq!((&alice.others, &bob.others), (&vec![], &vec![]), "nobody else needs to know");
}

#[test]
fn a_channel_that_both_sides_open_at_once_carries_records_both_ways() {
    let (mut alice, mut bob) = pair();
    for turn in 0..3_u8 {
        alice.send(7, &[b'a', turn]).unwrap();
        bob.send(7, &[b'b', turn]).unwrap();
        settle(&mut alice, &mut bob);
    }
    for turn in 0..3 {
        assert_eq!(alice.receive(), Ok(Some((7, vec![b'b', turn]))));
        assert_eq!(bob.receive(), Ok(Some((7, vec![b'a', turn]))));
    }
    assert_eq!(alice.engine.streams(), 2);
}

#[test]
fn a_part_of_a_record_is_never_delivered() {
    let (mut alice, mut bob) = pair();
    let record: Vec<u8> = (0..1020_u32).map(|at| at as u8).collect();
    alice.send(7, &record).unwrap();
    let mut wire = vec![0; 4096];
    let mut cuts = 0;
    while alice.engine.has_output() {
        let len = alice.engine.transmit(&mut wire, 16);
        for byte in &wire[..len] {
            assert_eq!(bob.receive(), Ok(None), "after {cuts} bytes");
            bob.engine.receive(&[*byte]).unwrap();
            cuts += 1;
        }
        let len = bob.engine.transmit(&mut wire, 16);
        alice.engine.receive(&wire[..len]).unwrap();
    }
    assert!(cuts > 1024, "{cuts}");
    assert_eq!(bob.receive(), Ok(Some((7, record))));
}

#[test]
fn a_record_without_room_for_all_of_it_is_not_begun() {
    let (mut alice, mut bob) = pair();
    alice.send(7, &[1; 600]).unwrap();
    assert_eq!(alice.send(7, &[2; 600]), Err(RecordError::WouldBlock { credit: WindowCredit::NONE }));
    // Smaller ones fit, and another channel is not held up.
    alice.send(7, &[3; 416]).unwrap();
    assert_eq!(alice.send(7, &[]), Err(RecordError::WouldBlock { credit: WindowCredit::NONE }));
    alice.send(8, &[4; 1020]).unwrap();
    settle(&mut alice, &mut bob);
    // Bob grants 1024 bytes at first, all used: what he does not read, alice cannot send.
    alice.send(7, &[5; 1020]).unwrap();
    settle(&mut alice, &mut bob);
    assert_eq!(alice.send(7, &[6; 1020]), Err(RecordError::WouldBlock { credit: WindowCredit::NONE }));
    let mut came = Vec::new();
    while let Some((channel, bytes)) = bob.receive().unwrap() {
        came.push((channel, bytes[0], bytes.len()));
        settle(&mut alice, &mut bob);
    }
    assert_eq!(came.extract_if(.., |record| record.0 == 8).collect::<Vec<_>>(), [(8, 4, 1020)]);
    assert_eq!(came, [(7, 1, 600), (7, 3, 416), (7, 5, 1020)]);
    alice.send(7, &[6; 1020]).unwrap();
}

#[test]
fn a_buffer_that_is_too_small_loses_nothing() {
    let (mut alice, mut bob) = pair();
    alice.send(7, b"ten bytes!").unwrap();
    settle(&mut alice, &mut bob);
    let too_small = RecordError::BufferTooSmall { channel: 7, len: 10 };
    for _ in 0..2 {
        assert_eq!(bob.records.recv_record(&mut bob.engine, &mut [0; 9]), Err(too_small));
    }
    assert_eq!(bob.receive(), Ok(Some((7, b"ten bytes!".to_vec()))));
}

#[test]
fn test_reject_record_oversize() {
    let (mut alice, mut bob) = pair();
    let oversize = RecordError::Rejected { channel: 7, reject: RecordReject::Oversize };
    assert_eq!(alice.send(7, &[0; 1021]), Err(oversize));
    assert_eq!(alice.engine.streams(), 0, "nothing was opened for it");

    alice.send(9, b"fine").unwrap();
    settle(&mut alice, &mut bob);
    // The length alone is enough: none of the record is waited for.
    let about = raw_channel(&mut bob, 3, "record/i/7", &1021_u32.to_le_bytes());
    assert_eq!(bob.receive(), Ok(Some((9, b"fine".to_vec()))));
    assert_eq!(bob.receive(), Err(oversize));
    assert_eq!(RecordReject::Oversize.label(), "core.reject.oversize_frame_or_record");
    // The channel is gone, the session is not.
    assert_eq!(bob.receive(), Ok(None));
    assert_eq!((bob.engine.ended(), bob.engine.streams()), (None, 2), "the reset waits to be sent");
    let mut wire = [0; 64];
    let len = bob.engine.transmit(&mut wire, 64);
    let rst = frame_of(&wire[..len]);
    assert_eq!(rst, Frame::Rst { about, code: REJECTED });
}

fn frame_of(bytes: &[u8]) -> Frame {
    crate::mux::frame::decode(bytes).unwrap().unwrap().0
}

#[test]
fn test_reject_record_truncated() {
    for cut in [&[10][..], &[10, 0, 0, 0], &[10, 0, 0, 0, 1, 2, 3]] {
        let (_, mut bob) = pair();
        let about = raw_channel(&mut bob, 1, "record/i/7", cut);
        assert_eq!(bob.receive(), Ok(None), "there might come more");
        raw(&mut bob, &Frame::Close(about), &[]);
        let truncated = RecordError::Rejected { channel: 7, reject: RecordReject::Truncated };
        assert_eq!(bob.receive(), Err(truncated));
        assert_eq!(bob.receive(), Ok(None), "once");
    }
    assert_eq!(RecordReject::Truncated.label(), "core.reject.invalid_state_transition");
}

#[test]
fn the_end_behind_a_whole_record_is_orderly() {
    let (_, mut bob) = pair();
    let about = raw_channel(&mut bob, 1, "record/i/7", &[2, 0, 0, 0, b'h', b'i']);
    raw(&mut bob, &Frame::Close(about), &[]);
    assert_eq!(bob.receive(), Ok(Some((7, b"hi".to_vec()))));
    assert_eq!(bob.receive(), Ok(None));
    bob.engine.transmit(&mut [0; 512], 512);
    assert_eq!(bob.engine.streams(), 0, "and gives the place back");
}

#[test]
fn a_channel_that_the_peer_resets_is_lost_once_and_can_be_opened_again() {
    let (mut alice, mut bob) = pair();
    alice.send(7, b"first").unwrap();
    settle(&mut alice, &mut bob);
    let about = About { stream: StreamId::new(1).unwrap(), priority: PriorityClass::HIGHEST };
    raw(&mut bob, &Frame::Rst { about, code: ResetCode(99) }, &[]);
    let lost = RecordError::Lost { channel: 7, why: MuxError::Reset(ResetCode(99)) };
    assert_eq!(bob.receive(), Err(lost));
    assert_eq!(bob.receive(), Ok(None));
    bob.send(7, b"anew").unwrap();
    let mut wire = [0; 128];
    let len = bob.engine.transmit(&mut wire, 64);
    let Frame::Open { about, name, .. } = frame_of(&wire[..len]) else { panic!("{:?}", &wire[..len]) };
    assert_eq!((about.stream.get(), name.as_str()), (2, "record/r/7"));
}

#[test]
fn what_has_come_whole_before_the_session_ended_is_delivered() {
    let (_, mut bob) = pair();
    raw_channel(&mut bob, 1, "record/i/7", &[2, 0, 0, 0, b'h', b'i', 9, 0, 0, 0, b'.']);
    bob.engine.end(End::Silent);
    assert_eq!(bob.receive(), Ok(Some((7, b"hi".to_vec()))));
    let lost = RecordError::Lost { channel: 7, why: MuxError::Ended(End::Silent) };
    assert_eq!(bob.receive(), Err(lost));
    assert_eq!(bob.send(7, b"late"), Err(lost));

    // The orderly end is nothing to complain of, unless it cuts a record.
    for (rest, expected) in [(&[][..], Ok(None)), (&[9], Err(MuxError::Ended(End::Finished)))] {
        let (_, mut bob) = pair();
        raw_channel(&mut bob, 1, "record/i/7", &[&[2, 0, 0, 0, b'h', b'i'], rest].concat());
        assert_eq!(bob.engine.end_of_input(), End::Finished);
        assert_eq!(bob.receive(), Ok(Some((7, b"hi".to_vec()))));
        assert_eq!(bob.receive(), expected.map_err(|why| RecordError::Lost { channel: 7, why }));
    }
}

#[test]
fn streams_that_are_no_channels_are_left_alone() {
    let (_, mut bob) = pair();
    for (name, stream) in
        ["record/i/007", "record/i/4294967296", "record/i/+7", "record/r/7"].into_iter().zip([1, 3, 5, 7])
    {
        raw_channel(&mut bob, stream, name, &[0; 4]);
    }
    assert_eq!(bob.receive(), Ok(None));
    let opened = |event: &&Event| matches!(event, Event::Opened { .. });
    assert_eq!(bob.others.iter().filter(opened).count(), 4);
    for channel in [0, 7, 10, u32::MAX] {
        let name = name_of(Side::Responder, channel).unwrap();
        assert_eq!(channel_of(Side::Responder, &name), Some(channel));
        assert_eq!(channel_of(Side::Initiator, &name), None);
    }
}

#[test]
fn there_are_no_more_channels_than_there_is_room_for() {
    let mut bob = Device::new(Side::Responder);
    let mut few = Records::<1, 1020>::new(PriorityClass::LOWEST);
    for (stream, name) in [(1, "record/i/7"), (3, "record/i/8")] {
        let about = About { stream: StreamId::new(stream).unwrap(), priority: PriorityClass::HIGHEST };
        let name = StreamName::new(name).unwrap();
        let event = Event::Opened { stream: about.stream, priority: about.priority, name: name.clone() };
        let open = Frame::Open { about, credit: WindowCredit::NONE, name };
        let mut head = [0; HEAD_MAX];
        let len = open.encode(&mut head).unwrap().unwrap();
        bob.engine.receive(&head[..len]).unwrap();
        assert_eq!(bob.engine.poll_event().as_ref(), Some(&event));
        assert_eq!(few.sort(&mut bob.engine, event), None);
    }
    let state = |stream| bob.engine.state(StreamId::new(stream).unwrap());
    use crate::mux::StreamState::{Open, Reset};
    assert_eq!((state(1), state(3)), (Some(Open), Some(Reset)));
    let full = MuxError::Reject(MuxReject::StreamLimitExceeded);
    let lost = RecordError::Lost { channel: 9, why: full };
    assert_eq!(few.send_record(&mut bob.engine, 9, b""), Err(lost));
    assert!(size_of::<Records<128>>() <= 128 * 16 + 32, "{}", size_of::<Records<128>>());
}

proptest! {
    /// Whatever is sent, however it is cut on the way, and whenever it is read: each channel delivers the same
    /// records in the same order, and nothing that was refused is delivered. Two channels are all that four streams
    /// hold for certain, as both sides may open both at once.
    #[test]
    fn records_arrive_whole_and_in_order(
        actions in prop::collection::vec((0..6_u8, 0..2_u32, 0..1021_usize, 1..200_usize), 1..300),
    ) {
        let (mut alice, mut bob) = pair();
        let mut sent = [BTreeMap::<u32, Vec<Vec<u8>>>::new(), BTreeMap::new()];
        let mut came = sent.clone();
        let mut stamp = 0_u8;
        for (action, channel, len, cut) in actions {
            let index = usize::from(action % 2);
            let (from, to) = if index == 0 { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
            match action / 2 {
                0 => {
                    stamp = stamp.wrapping_add(1);
                    let record = vec![stamp; len];
                    match from.send(channel, &record) {
                        Ok(()) => sent[index].entry(channel).or_default().push(record),
                        Err(error) => prop_assert!(matches!(error, RecordError::WouldBlock { .. }), "{error}"),
                    }
                }
                1 => { carry(from, to, cut); }
                _ => if let Some((channel, bytes)) = to.receive().unwrap() {
                    came[index].entry(channel).or_default().push(bytes);
                },
            }
        }
        loop {
            settle(&mut alice, &mut bob);
            let received = [bob.receive().unwrap(), alice.receive().unwrap()];
            if received == [None, None] {
                break;
            }
            for (came, record) in came.iter_mut().zip(received) {
                if let Some((channel, bytes)) = record {
                    came.entry(channel).or_default().push(bytes);
                }
            }
        }
        prop_assert_eq!(sent, came);
    }
}
