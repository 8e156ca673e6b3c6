//! The peer: it seals what it likes, and judges what the endpoint sends.

use udp_sec::error::CloseCode;
use udp_sec::limits::{DATA_HEADER_LEN, FRAMES_MAX, TAG_LEN};
use udp_sec::session::Session;
use udp_sec::time::Duration;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::frame::{Frame, FrameWriter, Frames};
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::pattern;
use crate::input::Input;

/// Datagrams that the peer keeps, to send them later or again.
const KEPT: usize = 64;

/// A datagram, and where it comes from.
pub(super) type Sent = (Path, Vec<u8>);

pub(super) struct Rogue {
    session: Session,
    replay: [u64; 128],
    pub(super) path: Path,
    /// Frames of the packet that is being made.
    frames: Vec<u8>,
    kept: Vec<Sent>,
    /// Where an honest peer's next byte would go.
    next_offset: u64,
    received: ReceivedNumbers,
    challenge: [u8; 8],
    /// Whether a packet has left whose bytes nobody looked at: it may have said anything.
    pub(super) wild: bool,
    /// Whether it has answered a challenge.
    pub(super) has_answered: bool,
    /// The first offset that the endpoint must not send.
    credit: u64,
    /// Where the stream of the endpoint ends, once it said so.
    final_size: Option<u64>,
    /// What the endpoint lets this peer send.
    granted: u64,
}

impl Rogue {
    pub(super) fn new(session: Session, path: Path, credit: u64, granted: u64) -> Self {
        Self {
            session,
            replay: [0; 128],
            path,
            frames: Vec::new(),
            kept: Vec::new(),
            next_offset: 0,
            received: ReceivedNumbers::new(),
            challenge: [0; 8],
            wild: false,
            has_answered: false,
            credit,
            final_size: None,
            granted,
        }
    }

    /// Adds what `choice` stands for to the packet that is being made.
    pub(super) fn speak(&mut self, choice: u8, input: &mut Input<'_>) {
        let mut room = [0; FRAMES_MAX];
        let mut writer = FrameWriter::new(&mut room);
        // What does not fit or makes no frame is left out.
        let raw: Vec<u8> = match choice % 16 {
            0..=2 => self.stream(choice, input),
            3 | 4 => {
                _ = writer.ack(&self.received, Duration::from_micros(u64::from(input.u8()) << 11));
                Vec::new()
            }
            5 => self.any_ack(input),
            6 => {
                let credit = self.credit.saturating_add(input.u16().into());
                self.grant(credit, &mut writer);
                Vec::new()
            }
            7 => {
                let credit = input.u64();
                self.grant(credit.min(1 << 62), &mut writer);
                Vec::new()
            }
            8 => {
                _ = writer.data_blocked(input.u64());
                Vec::new()
            }
            9 => {
                let challenge = [input.u8(); 8];
                _ = writer.path_challenge(challenge);
                Vec::new()
            }
            10 => {
                self.has_answered = true;
                _ = writer.path_response(self.challenge);
                Vec::new()
            }
            11 if choice >= 0x80 => {
                let (code, reason) = (CloseCode::from_wire(input.u8().into()), input.bytes(4));
                _ = writer.close(code, core::str::from_utf8(reason).unwrap_or("?"));
                Vec::new()
            }
            12 => vec![0; input.u8().into()],
            13 => {
                self.wild = true;
                self.has_answered = true;
                let len = input.u8();
                let raw = input.bytes(len.into()).to_vec();
                // It may grant anything.
                self.credit = u64::MAX;
                raw
            }
            _ => vec![1],
        };
        let len = writer.len();
        let said = [&room[..len], &raw].concat();
        if self.frames.len() + said.len() <= FRAMES_MAX {
            self.frames.extend(said);
        }
    }

    /// Bytes of the stream: honest ones, or anywhere near, or anywhere.
    fn stream(&mut self, choice: u8, input: &mut Input<'_>) -> Vec<u8> {
        let offset = match choice % 16 {
            0 => self.next_offset,
            1 => self.next_offset.saturating_add_signed(i64::from(input.u8() as i8) * 16),
            _ if input.flag() => self.granted.saturating_add_signed(i64::from(input.u8() as i8)),
            _ => input.u64() >> 1,
        };
        let len = u64::from(input.u8()) << ((choice >> 4) % 3);
        let fin = choice & 0xf0 == 0xa0;
        let mut room = [0; FRAMES_MAX];
        let mut writer = FrameWriter::new(&mut room);
        let Ok(bytes) = writer.stream(offset, fin, len as usize) else { return Vec::new() };
        let len = bytes.len() as u64;
        bytes.iter_mut().zip(offset..).for_each(|(byte, offset)| *byte = pattern(offset));
        if choice.is_multiple_of(16) {
            self.next_offset += len;
        }
        let len = writer.len();
        room[..len].to_vec()
    }

    /// An acknowledgement of numbers near the newest, or of any.
    fn any_ack(&mut self, input: &mut Input<'_>) -> Vec<u8> {
        let newest = self.received.largest().unwrap_or(0) as u32;
        let largest = match input.u8() {
            0 => input.u32(),
            near => newest.wrapping_add_signed(i32::from(near as i8)),
        };
        let count = input.u8() % 34;
        let mut frame = vec![2];
        frame.extend(largest.to_le_bytes());
        frame.extend(input.u16().to_le_bytes());
        frame.push(count);
        for field in 0..2 * usize::from(count).max(1) - 1 {
            let number = u16::from(input.u8());
            // Mostly short.
            frame.extend(if field % 8 == 7 { number << 8 } else { number % 32 }.to_le_bytes());
        }
        frame
    }

    fn grant(&mut self, credit: u64, writer: &mut FrameWriter<'_>) {
        self.credit = self.credit.max(credit);
        _ = writer.max_data(credit);
    }

    /// Seals the packet that is being made, and keeps a copy of it.
    pub(super) fn hold(&mut self) -> Option<Sent> {
        let frames = core::mem::take(&mut self.frames);
        if frames.is_empty() {
            return None;
        }
        let mut datagram = [&[0; DATA_HEADER_LEN], &frames[..], &[0; TAG_LEN]].concat();
        self.session.seal(&mut datagram).expect("a packet of legal size");
        if self.kept.len() < KEPT {
            self.kept.push((self.path, datagram.clone()));
        }
        Some((self.path, datagram))
    }

    /// One of the packets sealed before, from where the peer is now.
    pub(super) fn kept(&self, which: u8) -> Option<Sent> {
        let at = usize::from(which).checked_rem(self.kept.len())?;
        Some((if which >= 0x80 { self.path } else { self.kept[at].0 }, self.kept[at].1.clone()))
    }

    pub(super) fn move_to(&mut self, path: Path) {
        self.path = path;
    }

    pub(super) fn skip_numbers(&mut self, count: u8) {
        (0..count).for_each(|_| self.session.skip_packet_number());
    }

    pub(super) fn update_key(&mut self) {
        self.session.update_key();
    }

    /// The endpoint has sent a datagram: it opens, and everything in it is legal.
    pub(super) fn judge(&mut self, mut datagram: Vec<u8>) {
        let packet = self.session.open(&mut self.replay, &mut datagram).expect("a packet of the endpoint's");
        let (number, frames) = (packet.packet_number(), packet.frames().to_vec());
        self.received.insert(number);
        // The endpoint may follow to the next key: this peer acknowledges what it receives, or might.
        self.session.on_ack_sealed(number);
        for frame in Frames::new(&frames) {
            match frame.expect("a legal frame") {
                Frame::Ack(ack) => {
                    let newest = self.session.next_packet_number().checked_sub(1);
                    let mut ranges = ack.ranges(newest).expect("an acknowledgement of what was sent");
                    ranges.next().into_iter().for_each(|range| self.session.on_acknowledged(*range.end()));
                }
                Frame::Stream(stream) => {
                    let span = stream.span();
                    assert!(span.end <= self.credit, "bytes up to {} with credit {}", span.end, self.credit);
                    let right = stream.data.iter().zip(span.start..).all(|(byte, at)| *byte == pattern(at));
                    assert!(right, "I1: wrong bytes from {}", span.start);
                    let size = stream.fin.then_some(span.end).or(self.final_size);
                    assert!(self.final_size.is_none() || size == self.final_size, "two final sizes");
                    self.final_size = size;
                    assert!(size.is_none_or(|size| span.end <= size), "bytes behind the end");
                }
                Frame::MaxData(credit) => self.granted = self.granted.max(credit),
                Frame::PathChallenge(challenge) => self.challenge = challenge,
                Frame::Padding | Frame::Ping | Frame::DataBlocked(_) => {}
                Frame::PathResponse(_) | Frame::Close(_) => {}
            }
        }
    }
}
