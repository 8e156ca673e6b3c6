//! Bytes to send: the same for the same seed, and no two stretches of them alike.

/// A stream of bytes (Marsaglia's xorshift64*: to tell bytes apart, not to hide anything).
#[derive(Clone, Debug)]
pub(crate) struct Pattern(u64);

impl Pattern {
    pub(crate) const fn new(seed: u64) -> Self {
        // The state must not be 0, and seeds that are close must not begin alike.
        Self((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1)
    }

    pub(crate) fn fill(&mut self, room: &mut [u8]) {
        for chunk in room.chunks_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, fresh)| *byte = fresh);
        }
    }
}
