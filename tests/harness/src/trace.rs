//! The fingerprint of a run: a hash over every datagram with its time and direction, and every event. Equal
//! fingerprints mean equal runs, on any machine. Times count from the start, so that what the clock says is no part
//! of it.

use alloc::format;

use blake2::{Blake2s256, Digest};
use udp_sec::time::Duration;
use udp_sec_recovery::event::Event;

/// A running hash.
#[derive(Clone, Debug, Default)]
pub struct Trace(Blake2s256);

impl Trace {
    /// A datagram left `side` (0: initiator, 1: responder) at `now`, counted from the start.
    pub fn datagram(&mut self, now: Duration, side: u8, bytes: &[u8]) {
        self.0.update([b'd', side]);
        self.0.update(now.as_micros().to_le_bytes());
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The same by what tells datagrams apart: their headers, and their tags, which stand for all between.
    pub fn sealed_datagram(&mut self, now: Duration, side: u8, bytes: &[u8]) {
        let mut ends = [0; 32];
        let (head, tag) = ends.split_at_mut(16);
        head.copy_from_slice(&bytes[..16]);
        tag.copy_from_slice(&bytes[bytes.len() - 16..]);
        self.0.update([b'd', side]);
        self.0.update(now.as_micros().to_le_bytes());
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(ends);
    }

    /// `side` was told `event`.
    pub fn event(&mut self, now: Duration, side: u8, event: Event) {
        self.0.update([b'e', side]);
        self.0.update(now.as_micros().to_le_bytes());
        self.0.update(format!("{event:?}").as_bytes());
    }

    /// The fingerprint.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
