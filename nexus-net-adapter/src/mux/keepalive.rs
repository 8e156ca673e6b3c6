//! Whether the peer is still there, in ticks of the caller's.

use super::limits::{KEEPALIVE_DEAD_TICKS, KEEPALIVE_PING_TICKS};

/// How long nothing has been heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keepalive {
    silent_ticks: u8,
}

/// What a tick calls for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Verdict {
    /// Nothing.
    Healthy,
    /// A PING: three more ticks of silence have passed.
    SendPing,
    /// The end: the peer has been silent for nine ticks.
    Dead,
}

impl Keepalive {
    /// The peer has just been heard.
    #[must_use]
    pub const fn new() -> Self {
        Self { silent_ticks: 0 }
    }

    /// Something came from the peer.
    pub const fn on_heard(&mut self) {
        self.silent_ticks = 0;
    }

    /// A tick passed.
    pub const fn on_tick(&mut self) -> Verdict {
        self.silent_ticks = self.silent_ticks.saturating_add(1);
        if self.silent_ticks >= KEEPALIVE_DEAD_TICKS {
            Verdict::Dead
        } else if self.silent_ticks.is_multiple_of(KEEPALIVE_PING_TICKS) {
            Verdict::SendPing
        } else {
            Verdict::Healthy
        }
    }
}

#[cfg(test)]
mod tests;
