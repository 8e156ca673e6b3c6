//! The seam to TCP: what a byte stream provides, and all that the session knows of it.

use udp_sec::time::Instant;

/// A two-way byte stream in order, with the clock that it waits by. Nobody is vouched for by it.
pub trait ByteStream {
    /// The present.
    fn now(&self) -> Instant;

    /// Fills the front of `room` with what has arrived, without waiting, and returns how much. 0 is the end: the other
    /// side will send no more. `room` is not empty.
    ///
    /// # Errors
    /// [`ByteStreamError::WouldBlock`] while nothing is there; [`ByteStreamError::Lost`] once everything that arrived
    /// has been handed over and nothing more can.
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, ByteStreamError>;

    /// Takes the front of `bytes`, without waiting, and returns how much: at least one byte. `bytes` is not empty.
    ///
    /// # Errors
    /// [`ByteStreamError::WouldBlock`] while there is no room; [`ByteStreamError::Lost`] once nothing can be sent any
    /// more. Then `receive` comes to its end, too.
    fn send(&mut self, bytes: &[u8]) -> Result<usize, ByteStreamError>;

    /// Nothing more will be sent. May be repeated.
    fn finish(&mut self);

    /// Waits until `readiness`, or until `until`. May return earlier; must not return later by much.
    fn wait(&mut self, readiness: Readiness, until: Instant);
}

/// Why a byte stream did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteStreamError {
    /// Not now.
    WouldBlock,
    /// Never again.
    Lost,
}

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// Something can be received.
    Receive,
    /// Something can be sent.
    Send,
    /// One of the two.
    Either,
    /// For the time alone.
    Neither,
}

impl Readiness {
    /// Whether receiving is part of it.
    #[must_use]
    pub const fn in_receiving(self) -> bool {
        matches!(self, Self::Receive | Self::Either)
    }

    /// Whether sending is part of it.
    #[must_use]
    pub const fn in_sending(self) -> bool {
        matches!(self, Self::Send | Self::Either)
    }
}
