//! Bytes as decisions: a cursor that never fails, so that every input means something.
//!
//! Decisions come from the front, at fixed widths. So seeds can be written by hand, and cutting an input off leaves
//! the beginning of what it meant.

use udp_sec::time::Duration;

/// What is left of an input. Past its end everything is zero.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next decision, while there is one.
    pub(crate) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes([(); 4].map(|()| self.u8()))
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes([(); 8].map(|()| self.u8()))
    }

    /// An index below `len`, if there is one.
    pub(crate) fn index(&mut self, len: usize) -> Option<usize> {
        usize::from(self.u8()).checked_rem(len)
    }

    /// At most `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.bytes(usize::MAX)
    }

    /// A span between 1 µs and some 8 s, short ones as likely as long ones.
    pub(crate) fn span(&mut self) -> Duration {
        let (scale, fine) = (self.u8() % 23, u64::from(self.u8()));
        Duration::from_micros(((256 + fine) << scale) >> 8)
    }

    /// `genuine` with a few changes: bytes turned, cut off, put in, or moved.
    pub(crate) fn mutated(&mut self, genuine: &[u8]) -> Vec<u8> {
        let mut bytes = genuine.to_vec();
        for _ in 0..=self.u8() % 4 {
            let kind = self.u8();
            let at = usize::from(self.u16()) % (bytes.len() + 1);
            match kind % 5 {
                0 | 1 => {
                    let change = self.u8();
                    bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= change);
                }
                2 => bytes.truncate(at),
                3 => {
                    let put_in = self.bytes(8).to_vec();
                    bytes.splice(at..at, put_in);
                }
                _ => bytes.rotate_left(at),
            }
        }
        bytes
    }
}
