//! Hostile frames: noise of any size, and real frames altered so that every layer of the machine meets some.

use std::collections::VecDeque;
use std::ops::Range;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::checksum;
use crate::frame::{self, Ip, Kind};

/// Real frames remembered to alter: the first ones for good, for with those sessions begin; and the latest.
const MEMORY: usize = 64;
/// How many of them are the first ones.
const FIRST: usize = 16;
/// Longest frame made: beyond any MTU in use, so that machines meet some too long for their buffers.
const LONGEST: usize = 1_600;
/// Shortest: QEMU takes an empty datagram for the end of the link, and its guest would meet nothing more.
const SHORTEST: usize = 1;
/// Hostile frames remembered for `--fuzz-pcap`.
const TAIL: usize = 1_000;
/// The EtherTypes worth trying: IPv4, ARP, IPv6.
const ETHERTYPES: [[u8; 2]; 3] = [[8, 0], [8, 6], [0x86, 0xdd]];

/// Makes hostile frames. The same seed and the same real frames make the same ones.
pub(crate) struct Fuzzer {
    random: Xoshiro256PlusPlus,
    /// Earliest first.
    seen: VecDeque<Vec<u8>>,
    tail: VecDeque<Vec<u8>>,
    left: u64,
}

impl Fuzzer {
    /// Will make `frames` frames.
    pub(crate) fn new(frames: u64, seed: u64) -> Self {
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            seen: VecDeque::new(),
            tail: VecDeque::new(),
            left: frames,
        }
    }

    /// Learns a real frame on its way to the machine. Not address resolution: nothing defends against a forged one,
    /// which would only cut the link.
    pub(crate) fn learn(&mut self, frame: &[u8]) {
        if self.left > 0 && frame::kind(frame) != Kind::Arp {
            if self.seen.len() == MEMORY {
                self.seen.remove(FIRST);
            }
            self.seen.push_back(frame.to_vec());
        }
    }

    /// Frames yet to be made.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The last frames made, earliest first.
    pub(crate) fn tail(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.tail.iter()
    }

    /// Makes one more, unless all have been made. `target` is the machine's Ethernet address.
    pub(crate) fn next(&mut self, target: [u8; 6]) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1)?;
        let frame = match (self.below(8), self.real()) {
            (0, _) | (_, None) => self.noise(target),
            (1, Some(frame)) => self.cut(frame),
            (2, Some(frame)) => self.spliced(frame),
            (3, Some(frame)) => frame, // again, as it was
            (4 | 5, Some(frame)) => self.flipped(frame),
            (_, Some(frame)) => self.new_payload(frame),
        };
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(frame.clone());
        Some(frame)
    }

    /// Random bytes; three times in four behind an Ethernet header that leads to the machine.
    fn noise(&mut self, target: [u8; 6]) -> Vec<u8> {
        let mut frame = self.bytes(SHORTEST..LONGEST + 1);
        let choice = self.below(4);
        if let (Some(header), Some(ethertype)) = (frame.first_chunk_mut::<14>(), ETHERTYPES.get(choice)) {
            header[..6].copy_from_slice(&target);
            header[12..].copy_from_slice(ethertype);
        }
        frame
    }

    /// A frame cut short, or with more behind its end.
    fn cut(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let length = SHORTEST + self.below(LONGEST);
        if length < frame.len() {
            frame.truncate(length);
        } else {
            let more = self.bytes(0..LONGEST - frame.len().min(LONGEST) + 1);
            frame.extend(more);
        }
        frame
    }

    /// The beginning of a frame with the end of another.
    fn spliced(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let Some(other) = self.real() else { return frame };
        let at = self.below(frame.len().min(other.len()) + 1);
        frame.truncate(at);
        frame.extend_from_slice(&other[at..]);
        self.sometimes_repaired(frame)
    }

    /// A frame with one to eight bytes changed, anywhere.
    fn flipped(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let all = 0..frame.len();
        self.flip(&mut frame, all);
        self.sometimes_repaired(frame)
    }

    /// A frame that passes every check below the transport, with a payload of noise or a changed one.
    fn new_payload(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let Some(ip) = Ip::parse(&frame) else { return self.flipped(frame) };
        let Some(payload) = ip.payload(&frame) else { return self.flipped(frame) };
        match self.below(3) {
            0 => {
                let noise = self.bytes(0..LONGEST - payload.start.min(LONGEST) + 1);
                frame.truncate(payload.start);
                frame.extend(noise);
            }
            1 => {
                let length = self.below(payload.len() + 1);
                frame.truncate(payload.start + length);
            }
            _ => self.flip(&mut frame, payload),
        }
        checksum::repair(&mut frame, ip);
        frame
    }

    fn flip(&mut self, frame: &mut [u8], place: Range<usize>) {
        for _ in 0..=self.below(8) {
            let at = place.start + self.below(place.len());
            let change = 1 + self.below(255) as u8;
            if let Some(byte) = frame.get_mut(at).filter(|_| !place.is_empty()) {
                *byte ^= change;
            }
        }
    }

    fn sometimes_repaired(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let ip = Ip::parse(&frame).filter(|_| self.below(2) == 0);
        if let Some(ip) = ip {
            checksum::repair(&mut frame, ip);
        }
        frame
    }

    /// A copy of one of the real frames.
    fn real(&mut self) -> Option<Vec<u8>> {
        let at = self.below(self.seen.len());
        self.seen.get(at).cloned()
    }

    fn bytes(&mut self, lengths: Range<usize>) -> Vec<u8> {
        let mut bytes = vec![0; lengths.start + self.below(lengths.len())];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    /// A number in `0..bound`, or 0 where that is empty.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.random.next_u64()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests;
