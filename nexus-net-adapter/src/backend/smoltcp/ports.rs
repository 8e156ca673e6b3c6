//! Local ports that nobody asked for by number.

/// The first ephemeral port (RFC 6335 section 6).
const FIRST: u16 = 49_152;
/// How many there are: all from the first to the last.
const COUNT: u16 = u16::MAX - FIRST + 1;

/// A source of ports that are hard to guess from outside (RFC 6056): each search begins at a place of its own.
#[derive(Debug)]
pub(super) struct Ports {
    state: u64,
}

impl Ports {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The first port from a random one on for which `taken` does not hold.
    pub(super) fn free(&mut self, taken: impl Fn(u16) -> bool) -> Option<u16> {
        let start = u16::try_from(self.next() % u64::from(COUNT)).unwrap_or(0);
        let around = (start..COUNT).chain(0..start);
        around.map(|offset| FIRST.saturating_add(offset)).find(|port| !taken(*port))
    }

    /// SplitMix64: a step, then a mix of its bits.
    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
