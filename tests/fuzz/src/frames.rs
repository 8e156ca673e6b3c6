//! Frames: a second reading of `docs/protocol.md` section 4 and the decoder agree on every payload, and what decodes
//! is written again as the same bytes, by the frame writer as well.

use udp_sec::error::Reject;
use udp_sec_recovery::frame::{AckFrame, Frame, FrameWriter, Frames};
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use crate::{Outcome, log};

/// The most acknowledged numbers that are listed one by one, to be written again by the frame writer.
const LISTED_MAX: u64 = 4_096;

/// Decodes `data` as the frames of a packet.
///
/// # Panics
/// When the decoder and the second reading differ, or a frame is written as other bytes than it was read from.
pub fn run(data: &[u8]) -> Outcome {
    let mut frames = Frames::new(data);
    let mut rest = data;
    let mut outcome = "empty";
    loop {
        let legal = legal_len(rest);
        match frames.next() {
            Some(Ok(frame)) => {
                log::state(&frame);
                let (bytes, behind) = rest.split_at(legal.expect("a legal frame"));
                outcome = check(&frame, bytes);
                rest = behind;
            }
            Some(Err(reject)) => {
                assert_eq!((reject, legal), (Reject::MalformedFrame, None));
                assert!(frames.next().is_none(), "nothing follows what is malformed");
                return "malformed";
            }
            None => {
                assert!(rest.is_empty(), "the decoder ended early");
                return outcome;
            }
        }
    }
}

/// The length of the legal frame that `bytes` begin with, if they do.
fn legal_len(bytes: &[u8]) -> Option<usize> {
    let u16_at = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let u64_at = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let len = match *bytes.first()? {
        0x00 => bytes.iter().take_while(|byte| **byte == 0).count(),
        0x01 => 1,
        0x02 => {
            let count = usize::from(*bytes.get(7)?);
            let mut above = u16_at(8)?;
            let mut legal = (1..=32).contains(&count) && above > 0;
            for further in 1..count {
                let at = 10 + 4 * (further - 1);
                let (gap, length) = (u16_at(at)?, u16_at(at + 2)?);
                legal &= length > 0 && (gap > 0 || above == 65_535);
                above = length;
            }
            legal.then_some(10 + 4 * count.saturating_sub(1))?
        }
        kind @ (0x04 | 0x05) => {
            let (offset, len) = (u64_at(1)?, u16_at(9)?);
            let legal = offset.saturating_add(len as u64) <= 1 << 62 && (len > 0 || kind == 0x05);
            legal.then_some(11 + len)?
        }
        0x06 | 0x07 => (u64_at(1)? <= 1 << 62).then_some(9)?,
        0x08 | 0x09 => 9,
        0x0c => {
            let len = usize::from(*bytes.get(3)?);
            core::str::from_utf8(bytes.get(4..4 + len)?).ok()?;
            4 + len
        }
        _ => return None,
    };
    (len <= bytes.len()).then_some(len)
}

/// Writes `frame` again: by the rules, and by the frame writer. Both times it is `bytes`.
fn check(frame: &Frame<'_>, bytes: &[u8]) -> Outcome {
    let mut room = vec![0xee; bytes.len()];
    let mut writer = FrameWriter::new(&mut room);
    let (name, written) = match *frame {
        Frame::Padding => {
            writer.pad_to(bytes.len());
            ("padding", Ok(()))
        }
        Frame::Ping => ("ping", writer.ping()),
        Frame::Ack(ack) => return check_ack(&ack, bytes),
        Frame::Stream(stream) => {
            let room = writer.stream(stream.offset, stream.fin, stream.data.len());
            ("stream", room.map(|room| room.copy_from_slice(stream.data)))
        }
        Frame::MaxData(credit) => ("max data", writer.max_data(credit)),
        Frame::DataBlocked(offset) => ("data blocked", writer.data_blocked(offset)),
        Frame::PathChallenge(challenge) => ("path challenge", writer.path_challenge(challenge)),
        Frame::PathResponse(response) => ("path response", writer.path_response(response)),
        Frame::Close(close) => {
            log::line(close.code);
            ("close", writer.close(close.code, close.reason))
        }
    };
    assert!(written.is_ok() && writer.remaining() == 0, "{frame:?} was {} bytes", bytes.len());
    assert_eq!(room, bytes, "{frame:?}");
    name
}

fn check_ack(ack: &AckFrame<'_>, bytes: &[u8]) -> Outcome {
    let low = u32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
    // So large that nothing in the frame can reach below 0.
    let largest = (1 << 33) + u64::from(low);
    let ranges: Vec<_> = ack.ranges(Some(largest)).expect("all of it was sent").collect();
    let units = u16::try_from(ack.delay().as_micros() / 8).expect("a field of 16 bits");
    let mut again = [&[2][..], &low.to_le_bytes(), &units.to_le_bytes(), &[ranges.len() as u8]].concat();
    let mut below = largest + 1;
    for (nth, range) in ranges.iter().enumerate() {
        let gap = (below - range.end() - 1) as u16;
        let length = (range.end() - range.start() + 1) as u16;
        again.extend((nth > 0).then_some(gap.to_le_bytes()).into_iter().flatten());
        again.extend(length.to_le_bytes());
        below = *range.start();
    }
    assert_eq!(again, bytes, "{ranges:?}");

    let extent = largest + 1 - below;
    // Sent were only so many packets: then it is an acknowledgement of what was not sent, or of numbers below 0.
    let small = u64::from(low);
    assert_eq!(ack.ranges(Some(small)).is_ok(), extent <= small + 1);
    assert_eq!(ack.ranges(small.checked_sub(1)).err(), Some(Reject::AckOfUnsentPacket));
    if extent <= LISTED_MAX {
        let mut received = ReceivedNumbers::new();
        ranges.iter().rev().cloned().flatten().for_each(|number| _ = received.insert(number));
        let mut room = vec![0xee; bytes.len()];
        assert_eq!(FrameWriter::new(&mut room).ack(&received, ack.delay()), Ok(largest));
        assert_eq!(room, bytes, "{ranges:?}");
    }
    "ack"
}
