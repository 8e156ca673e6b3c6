//! When the keys of the session are replaced by the next ones (`docs/protocol.md` section 3, "Key update").

use udp_sec::limits::{KEY_UPDATE_AGE, KEY_UPDATE_PACKETS};
use udp_sec::time::{Duration, Instant};

use super::{Connection, State};
use crate::limits;
use crate::memory::Storage;

/// How long a key is used, whichever comes first. A peer follows at any time, so each side has its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyLife {
    /// Packets that it seals; at most 2^20 count.
    pub packets: u64,
    /// Its age; at most 120 s count. An idle session keeps its key until it has something to send.
    pub age: Duration,
}

impl KeyLife {
    /// As long as the protocol allows: 2^20 packets, 120 s.
    pub const LONGEST: Self = Self { packets: KEY_UPDATE_PACKETS, age: KEY_UPDATE_AGE };

    /// Whether a key from `since` that has sealed `sealed` packets is to be replaced at `now`.
    fn is_over(self, sealed: u64, since: Instant, now: Instant) -> bool {
        sealed >= self.packets.min(KEY_UPDATE_PACKETS)
            || now.saturating_since(since) >= self.age.min(KEY_UPDATE_AGE)
    }
}

impl<S: Storage> Connection<S> {
    /// Before a packet is sealed: moves to the next key if it is time. Until the peer has acknowledged a packet of the
    /// present key it cannot be done; the next packet tries again.
    pub(super) fn update_key_if_due(&mut self, now: Instant) {
        if self.key_life.is_over(self.session.sealed(), self.key_since, now) && self.session.update_key() {
            self.key_since = now;
            self.stats.key_updates = self.stats.key_updates.saturating_add(1);
        }
    }

    /// The peer has moved to the next key, and we have followed if we had not moved first. What is still under way under
    /// the one before arrives soon or never.
    pub(super) fn on_key_updated(&mut self, now: Instant) {
        if !matches!(self.state, State::Open) {
            // No timer runs any more, and soon nothing is opened.
            return;
        }
        self.key_since = now;
        self.timers.old_key = Some(now + self.pto_base() * limits::PTO_PERIODS);
    }
}

#[cfg(test)]
mod tests;
