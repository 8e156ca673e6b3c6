//! Frames: what is written is read, what is read is written the same, and nothing else is accepted.

mod acks;
mod bytes;

use std::string::String;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::limits::{ACK_RANGES_MAX, CLOSE_REASON_MAX, Full};
use crate::recv::ranges::ReceivedNumbers;
use udp_sec::time::Duration;

/// Numbers that were sent when an acknowledgement arrives whose low half may be any: it lies within half the 32-bit
/// space below one of them.
const LARGEST_SENT: [u64; 2] = [0x100_ffff_ffff, 0x100_7fff_ffff];

/// What `write` writes into a packet of `room` bytes.
fn written(room: usize, write: impl FnOnce(&mut FrameWriter<'_>)) -> Vec<u8> {
    let mut buffer = vec![0xee; room];
    let mut writer = FrameWriter::new(&mut buffer);
    write(&mut writer);
    let len = writer.len();
    assert_eq!(writer.remaining(), room - len);
    assert!(buffer[len..].iter().all(|byte| *byte == 0xee), "nothing is written beyond the length");
    buffer.truncate(len);
    buffer
}

fn decode(payload: &[u8]) -> Result<Vec<Frame<'_>>, Reject> {
    Frames::new(payload).collect()
}

/// Writes `frame` again; `padding` is how many bytes of it there were.
fn rewrite(writer: &mut FrameWriter<'_>, frame: &Frame<'_>, padding: usize) -> Result<(), Full> {
    match *frame {
        Frame::Padding => {
            writer.pad_to(writer.len() + padding);
            Ok(())
        }
        Frame::Ping => writer.ping(),
        Frame::Ack(ack) => {
            let mut received = ReceivedNumbers::new();
            let ranges = LARGEST_SENT.iter().find_map(|sent| ack.ranges(Some(*sent)).ok());
            let newest_first: Vec<_> = ranges.expect("below one of them").collect();
            for number in newest_first.into_iter().rev().flatten() {
                received.insert(number);
            }
            writer.ack(&received, ack.delay()).map(|_| ())
        }
        Frame::Stream(StreamFrame { offset, fin, data }) => {
            writer.stream(offset, fin, data.len()).map(|room| room.copy_from_slice(data))
        }
        Frame::MaxData(credit) => writer.max_data(credit),
        Frame::DataBlocked(offset) => writer.data_blocked(offset),
        Frame::PathChallenge(bytes) => writer.path_challenge(bytes),
        Frame::PathResponse(bytes) => writer.path_response(bytes),
        Frame::Close(CloseFrame { code, reason }) => writer.close(code, reason),
    }
}

/// Decodes `payload` and writes what came out into as many bytes.
fn reencode(payload: &[u8]) -> Result<Vec<u8>, Reject> {
    let frames = decode(payload)?;
    let mut rest = Frames::new(payload);
    Ok(written(payload.len(), |writer| {
        for frame in &frames {
            let before = rest.rest.map_or(0, <[u8]>::len);
            assert_eq!(rest.next(), Some(Ok(*frame)));
            let size = before - rest.rest.map_or(0, <[u8]>::len);
            rewrite(writer, frame, size).expect("as long as it was");
        }
    }))
}

/// One frame in its written form, with runs of acknowledged numbers short enough to be listed one by one.
fn encoded_frame() -> impl Strategy<Value = Vec<u8>> {
    let offset = prop_oneof![0..100_u64, 0..=STREAM_OFFSET_MAX - 300, Just(STREAM_OFFSET_MAX - 300)];
    let runs = proptest::collection::vec((1..200_u16, 1..200_u16), 0..ACK_RANGES_MAX);
    prop_oneof![
        (1..40_usize).prop_map(|len| vec![0; len]),
        Just(vec![0x01]),
        (40_000..=u32::MAX, any::<u16>(), 1..500_u16, runs).prop_map(|(largest, delay, first, runs)| {
            let mut bytes = vec![0x02];
            bytes.extend(largest.to_le_bytes());
            bytes.extend(delay.to_le_bytes());
            bytes.push(runs.len() as u8 + 1);
            bytes.extend(first.to_le_bytes());
            bytes.extend(runs.iter().flat_map(|(gap, len)| [gap.to_le_bytes(), len.to_le_bytes()].concat()));
            bytes
        }),
        (offset, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300)).prop_map(
            |(offset, fin, data)| {
                let fin = fin || data.is_empty();
                let mut bytes = vec![0x04 + u8::from(fin)];
                bytes.extend(offset.to_le_bytes());
                bytes.extend((data.len() as u16).to_le_bytes());
                bytes.extend(data);
                bytes
            }
        ),
        (0x06..=0x07_u8, 0..=STREAM_OFFSET_MAX)
            .prop_map(|(kind, value)| { [&[kind][..], &value.to_le_bytes()].concat() }),
        (0x08..=0x09_u8, any::<[u8; 8]>()).prop_map(|(kind, value)| [&[kind][..], &value].concat()),
        (any::<u16>(), "\\PC{0,60}").prop_map(|(code, reason)| {
            [&[0x0c][..], &code.to_le_bytes(), &[reason.len() as u8], reason.as_bytes()].concat()
        }),
    ]
}

proptest! {
    /// A payload of legal frames is accepted, and written again it is the same.
    #[test]
    fn encode_of_decode_is_the_same(frames in proptest::collection::vec(encoded_frame(), 1..8)) {
        let payload = frames.concat();
        prop_assert_eq!(reencode(&payload), Ok(payload));
    }

    /// Cut short anywhere, it either ends between frames or is malformed; never accepted as something else.
    #[test]
    fn a_payload_cut_short_is_never_misread(frames in proptest::collection::vec(encoded_frame(), 1..4)) {
        let payload = frames.concat();
        let whole = decode(&payload).expect("legal");
        for len in 0..payload.len() {
            match decode(&payload[..len]) {
                Ok(part) => prop_assert_eq!(&whole[..part.len()], part),
                Err(reject) => prop_assert_eq!(reject, Reject::MalformedFrame),
            }
        }
    }

    /// One flipped byte: whatever is still accepted is still written the same.
    #[test]
    fn a_changed_payload_is_rejected_or_canonical(
        frames in proptest::collection::vec(encoded_frame(), 1..4),
        position in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut payload = frames.concat();
        let position = position.index(payload.len());
        payload[position] ^= flip;
        if let Ok(again) = reencode(&payload) {
            prop_assert_eq!(again, payload);
        }
    }
}

#[test]
fn only_padding_acks_and_close_need_no_acknowledgement() {
    let close = CloseFrame { code: CloseCode::NoError, reason: "" };
    let ack = written(10, |writer| {
        let mut received = ReceivedNumbers::new();
        received.insert(0);
        writer.ack(&received, Duration::ZERO).expect("fits");
    });
    assert!(decode(&ack).expect("legal").iter().all(|frame| !frame.is_ack_eliciting()));
    for frame in [Frame::Padding, Frame::Close(close)] {
        assert!(!frame.is_ack_eliciting(), "{frame:?}");
    }
    let stream = Frame::Stream(StreamFrame { offset: 0, fin: true, data: &[] });
    let eight = [0; 8];
    for frame in [Frame::Ping, stream, Frame::MaxData(0), Frame::DataBlocked(0)] {
        assert!(frame.is_ack_eliciting(), "{frame:?}");
    }
    for frame in [Frame::PathChallenge(eight), Frame::PathResponse(eight)] {
        assert!(frame.is_ack_eliciting(), "{frame:?}");
    }
}

#[test]
fn stream_frames_take_what_fits() {
    let mut buffer = [0; 20];
    let mut writer = FrameWriter::new(&mut buffer);
    let room = writer.stream(7, true, 100).expect("nine bytes fit");
    assert_eq!(room.len(), 20 - STREAM_OVERHEAD);
    room.copy_from_slice(b"ninebytes");
    assert_eq!(writer.remaining(), 0);
    let expected = StreamFrame { offset: 7, fin: false, data: b"ninebytes" };
    assert_eq!(decode(&buffer), Ok(vec![Frame::Stream(expected)]), "FIN waits for the last byte");
    assert_eq!(expected.span(), Span::new(7, 16));

    let mut writer = FrameWriter::new(&mut buffer);
    writer.stream(7, true, 9).expect("all nine").copy_from_slice(b"ninebytes");
    assert_eq!(decode(&buffer), Ok(vec![Frame::Stream(StreamFrame { fin: true, ..expected })]));
}

#[test]
fn a_stream_frame_without_bytes_is_written_only_for_fin() {
    let mut buffer = [0; STREAM_OVERHEAD];
    let mut writer = FrameWriter::new(&mut buffer);
    assert_eq!(writer.stream(3, false, 5), Err(Full), "no byte fits");
    assert_eq!(writer.stream(3, true, 5), Err(Full), "nor does FIN without the bytes before it");
    assert_eq!(writer.stream(3, false, 0), Err(Full), "nothing is wanted");
    assert!(writer.is_empty());
    assert!(writer.stream(3, true, 0).is_ok_and(|room| room.is_empty()));
    assert_eq!(decode(&buffer), Ok(vec![Frame::Stream(StreamFrame { offset: 3, fin: true, data: &[] })]));
}

#[test]
fn stream_frames_end_at_the_last_offset_and_at_the_widest_length() {
    let mut buffer = vec![0; 70_000];
    let mut writer = FrameWriter::new(&mut buffer);
    assert_eq!(writer.stream(STREAM_OFFSET_MAX, false, 5), Err(Full));
    assert_eq!(writer.stream(u64::MAX, true, 0), Err(Full));
    assert_eq!(writer.stream(STREAM_OFFSET_MAX - 2, false, 5).map(|room| room.len()), Ok(2));
    assert_eq!(writer.stream(0, true, 69_000).map(|room| room.len()), Ok(65_535));
    let len = writer.len();
    let frames = decode(&buffer[..len]).expect("legal");
    assert!(matches!(frames[..], [Frame::Stream(_), Frame::Stream(StreamFrame { fin: false, .. })]));
}

#[test]
fn test_reject_oversized_payload_encode() {
    for room in 0..ACK_OVERHEAD {
        let nothing = written(room, |writer| {
            let mut received = ReceivedNumbers::new();
            received.insert(5);
            assert_eq!(writer.ack(&received, Duration::ZERO), Err(Full));
            assert_eq!(writer.stream(0, true, 0).map(|_| ()), Err(Full));
            for result in [writer.max_data(1), writer.data_blocked(1), writer.path_challenge([1; 8])] {
                assert_eq!(result.is_err(), room < 9);
                if result.is_ok() {
                    return;
                }
            }
            assert_eq!(writer.path_response([1; 8]), Err(Full));
            assert_eq!(writer.close(CloseCode::NoError, "").is_err(), room < CLOSE_OVERHEAD);
        });
        assert_eq!(nothing.is_empty(), room < CLOSE_OVERHEAD);
    }
    assert!(written(0, |writer| assert_eq!(writer.ping(), Err(Full))).is_empty());
}

#[test]
fn a_reason_is_cut_between_characters() {
    let cut = |room: usize, reason: &str| {
        let payload = written(room, |writer| writer.close(CloseCode::AppAbort, reason).expect("code fits"));
        let frames = decode(&payload).expect("legal UTF-8");
        let [Frame::Close(CloseFrame { code: CloseCode::AppAbort, reason })] = frames[..] else {
            panic!("one CLOSE: {frames:?}")
        };
        String::from(reason)
    };
    assert_eq!(cut(100, "größer"), "größer");
    assert_eq!(cut(CLOSE_OVERHEAD + 4, "größer"), "grö");
    assert_eq!(cut(CLOSE_OVERHEAD + 3, "größer"), "gr", "the third letter takes two bytes");
    assert_eq!(cut(CLOSE_OVERHEAD, "größer"), "");
    assert_eq!(cut(1_000, &"x".repeat(300)).len(), CLOSE_REASON_MAX);
    assert_eq!(cut(1_000, &"€".repeat(300)).len(), 255);
    assert_eq!(cut(1_000, &["x", &"€".repeat(300)].concat()).len(), 253);
}

#[test]
fn padding_fills_to_a_length() {
    let payload = written(40, |writer| {
        writer.ping().expect("fits");
        writer.pad_to(30);
        writer.pad_to(10);
        assert_eq!(writer.len(), 30);
        writer.ping().expect("fits");
        writer.pad_to(100);
    });
    assert_eq!(payload.len(), 40);
    let frames = [Frame::Ping, Frame::Padding, Frame::Ping, Frame::Padding];
    assert_eq!(decode(&payload), Ok(frames.to_vec()), "a run is one frame");
}
