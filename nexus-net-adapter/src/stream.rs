//! [`ReliableStream`]: all that the layers above may know of a transport.
//!
//! Bytes in order, once, complete, from an authenticated peer, or a clear error. Nothing here names a packet, a
//! socket or a protocol, so what is written against it runs unchanged on any transport that implements it.

mod poll;

use core::fmt;

use udp_sec::error::CloseCode;
use udp_sec::keys::PublicKey;
use udp_sec::time::Instant;

pub use poll::PollReady;

/// A two-way byte stream to one authenticated peer.
///
/// Every call that can wait takes a deadline on the stream's own clock, [`now`](Self::now). A deadline that has
/// passed means: do not wait. Such a call returns [`StreamError::WouldBlock`] where a longer one would have waited,
/// so that back-pressure is a value and never a growing queue.
pub trait ReliableStream {
    /// The clock that deadlines are measured by.
    fn now(&self) -> Instant;

    /// Who the peer is; `None` until a handshake has proven it. Nothing read before that may be trusted.
    fn peer(&self) -> Option<PeerIdentity>;

    /// Reads at least one in-order byte into `buf`, and returns how many. 0 is the end: the peer has finished, and
    /// everything it sent has been read (or `buf` is empty).
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while nothing is there, and
    /// [`StreamError::Closed`] once the session ended early and all that arrived in order has been read.
    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError>;

    /// Takes at least one byte of `data`, and returns how many (0 only for empty `data`). They leave at once, as far
    /// as the network permits; no flush is needed.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while there is no room,
    /// [`StreamError::Finished`] after [`finish`](Self::finish), [`StreamError::Closed`] after the end.
    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError>;

    /// Half-closes: the peer reads the end after all that was written; reading goes on. Repeating it is harmless.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the session ended before.
    fn finish(&mut self) -> Result<(), StreamError>;

    /// Gives the stream up, in both directions, at once. The peer is told; what it has not received is lost.
    fn abort(&mut self);

    /// Bytes taken by [`write`](Self::write) that have not left yet. What is queued here, no priority can overtake.
    fn unsent(&self) -> u64;

    /// Sets the mark for [`Interest::LowWater`], in bytes. 0, as at first, means no mark: room alone counts.
    fn set_low_water(&mut self, mark: u64);

    /// Waits until `interest` is met. The end of the session meets every interest: the next call tells why.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while it is not met. For [`Interest::Delivered`] alone,
    /// of which no other call tells, [`StreamError::Closed`] if the session ended before.
    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError>;
}

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Bytes, or the end of the stream, can be read.
    Readable,
    /// There is ample room to write, and the unsent bytes are at the low-water mark or below.
    LowWater,
    /// One of the two.
    Either,
    /// All that was written, and the end after [`finish`](ReliableStream::finish), is out of this stream's hands: the
    /// peer's end has it, or a system that delivers it. Only now can the stream be dropped without a loss.
    Delivered,
}

impl Interest {
    /// Whether reading is part of it.
    #[must_use]
    pub const fn in_reading(self) -> bool {
        matches!(self, Self::Readable | Self::Either)
    }

    /// Whether writing is part of it.
    #[must_use]
    pub const fn in_writing(self) -> bool {
        matches!(self, Self::LowWater | Self::Either)
    }
}

/// Why a call on a stream did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamError {
    /// Not now; the deadline had passed when the call began.
    WouldBlock,
    /// Not within the deadline.
    TimedOut,
    /// This side has finished its direction: nothing can be written any more.
    Finished,
    /// The session is over.
    Closed(CloseReason),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("not without waiting"),
            Self::TimedOut => f.write_str("the deadline passed"),
            Self::Finished => f.write_str("this side of the stream is finished"),
            Self::Closed(reason) => reason.fmt(f),
        }
    }
}

impl core::error::Error for StreamError {}

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// Both directions were complete.
    Complete,
    /// The peer closed it.
    ByPeer(CloseCode),
    /// We closed it, by the application's wish or for a violation of the protocol.
    ByUs(CloseCode),
    /// An authenticated peer refused the session.
    Refused(CloseCode),
    /// Nothing authentic was heard for the idle timeout.
    IdleTimeout,
    /// The peer did not answer the handshake: nobody there, or somebody who may not answer us.
    HandshakeTimeout,
    /// The path does not carry datagrams of 1200 bytes.
    NoPath,
    /// The peer holds the key it was called by, and has not proven whose that key is, as this side demands.
    IdentityProofInvalid,
    /// The peer opened a newer session in its place.
    Superseded,
    /// The connection below broke off, or carried something that the peer did not seal. What was read is authentic and
    /// in order; what is missing nobody knows.
    ConnectionLost,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("the session is complete"),
            Self::ByPeer(code) => write!(f, "closed by the peer: {code}"),
            Self::ByUs(code) => write!(f, "closed by this side: {code}"),
            Self::Refused(code) => write!(f, "refused by the peer: {code}"),
            Self::IdleTimeout => f.write_str("nothing heard from the peer for the idle timeout"),
            Self::HandshakeTimeout => f.write_str("no answer to the handshake"),
            Self::NoPath => f.write_str("the path does not carry datagrams of 1200 bytes"),
            Self::IdentityProofInvalid => f.write_str("the peer's proof of identity is missing or wrong"),
            Self::Superseded => f.write_str("the peer opened a newer session"),
            Self::ConnectionLost => f.write_str("the connection broke off, or was tampered with"),
        }
    }
}

impl core::error::Error for CloseReason {}

/// The proven identity of a peer: only a completed handshake makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct PeerIdentity {
    key: PublicKey,
}

impl PeerIdentity {
    /// The holder of `key`, which the handshake of a confirmed session has proven.
    #[cfg(any(feature = "udp", feature = "tcp"))]
    pub(crate) const fn proven(key: PublicKey) -> Self {
        Self { key }
    }

    /// An identity that nobody has proven, for tests of what is built on streams. Never for anything else.
    #[must_use]
    pub const fn unproven_for_tests(key: PublicKey) -> Self {
        Self { key }
    }

    /// The peer's static public key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }
}

#[cfg(test)]
mod tests;
