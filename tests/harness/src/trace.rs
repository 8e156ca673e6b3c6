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
