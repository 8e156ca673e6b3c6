//! Flow control: how far the peer may send, and when it is told that it may send further.
//!
//! Credit is an absolute stream offset, so a MAX_DATA that arrives twice or late does no harm, and one that is lost
//! is replaced by the newest. `docs/protocol.md` section 6.

use crate::limits::{CREDIT_UPDATE_DIVISOR, STREAM_OFFSET_MAX};

/// The credit granted to the peer, and the announcement of more.
#[derive(Clone, Copy, Debug)]
pub struct Credit {
    /// What the peer was last told, and what it is held to.
    granted: u64,
    /// What it could be told now.
    available: u64,
    /// How much there must be to tell for a MAX_DATA to be worth its packet.
    due_at: u64,
    announcement: Announcement,
}

/// What has become of the last announcement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Announcement {
    Delivered,
    InFlight,
    Lost,
}

impl Credit {
    /// Credit for `initial` bytes, which the handshake announced.
    #[must_use]
    pub const fn new(initial: u64) -> Self {
        Self { granted: initial, available: initial, due_at: u64::MAX, announcement: Announcement::Delivered }
    }

    /// The first offset that the peer must not send: the highest credit ever announced.
    #[must_use]
    pub const fn granted(&self) -> u64 {
        self.granted
    }

    /// The application has read everything below `read_offset` from a receive buffer of `capacity` bytes.
    pub fn on_read(&mut self, read_offset: u64, capacity: u64) {
        let available = read_offset.saturating_add(capacity).min(STREAM_OFFSET_MAX);
        self.available = self.available.max(available);
        self.due_at = self.granted.saturating_add((capacity / CREDIT_UPDATE_DIVISOR).max(1));
    }

    /// The credit to announce in a MAX_DATA, when one is due: a quarter of the buffer has been freed since the last,
    /// or the last was lost. A stream whose final size is known needs no more credit: do not ask.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let worthwhile = self.available >= self.due_at;
        (worthwhile || self.announcement == Announcement::Lost).then_some(self.available)
    }

    /// The credit to announce in a probe: what is due, or else what was announced and may not have arrived. The peer
    /// may be waiting for nothing else.
    #[must_use]
    pub fn to_probe_with(&self) -> Option<u64> {
        (self.announcement != Announcement::Delivered).then_some(self.available).or_else(|| self.due())
    }

    /// A MAX_DATA with `value`, as [`due`](Self::due) or [`to_probe_with`](Self::to_probe_with) gave it, has left.
    pub fn on_sent(&mut self, value: u64) {
        self.granted = self.granted.max(value);
        self.due_at = u64::MAX;
        self.announcement = Announcement::InFlight;
    }

    /// A packet with MAX_DATA `value` was acknowledged.
    pub fn on_acked(&mut self, value: u64) {
        if value == self.granted {
            self.announcement = Announcement::Delivered;
        }
    }

    /// A packet with MAX_DATA `value` was lost: that matters unless a newer one is on its way or it arrived after
    /// all.
    pub fn on_lost(&mut self, value: u64) {
        if value == self.granted && self.announcement == Announcement::InFlight {
            self.announcement = Announcement::Lost;
        }
    }
}

#[cfg(test)]
mod tests;
