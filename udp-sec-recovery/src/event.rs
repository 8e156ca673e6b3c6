//! What a session tells the application.

use udp_sec::error::CloseCode;

/// Something happened on a session. Readiness is level-like: after `Readable`, read until nothing comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The handshake is done and the session may be used: at the initiator when the responder's answer opened, at
    /// the responder when the initiator's first packet did.
    Established,
    /// Bytes, or the end of the peer's stream, can be read.
    Readable,
    /// A write that was cut short can go on, or unsent bytes fell to the low-water mark.
    Writable,
    /// The session is over; nothing follows. What arrived in order can still be read.
    Closed(Closure),
}

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closure {
    /// Both directions were complete.
    Complete,
    /// The peer closed it with this code.
    ByPeer(CloseCode),
    /// We closed it with this code, by the application's wish or for a violation of the protocol.
    ByUs(CloseCode),
    /// An authenticated peer refused the handshake.
    Refused(CloseCode),
    /// Nothing authenticated was heard for the idle timeout.
    TimedOut,
    /// The handshake did not complete within its budget.
    HandshakeTimeout,
    /// The path does not carry 1200 bytes, so no handshake can succeed on it.
    NoPath,
    /// The peer holds the key it was called by, and has not proven whose that key is.
    IdentityProofInvalid,
    /// The peer opened a newer session in its place.
    Superseded,
}

impl Closure {
    /// Whether every byte of both directions was delivered.
    #[must_use]
    pub const fn is_clean(self) -> bool {
        matches!(self, Self::Complete)
    }
}

impl core::fmt::Display for Closure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::ByPeer(code) => write!(f, "closed by the peer: {code}"),
            Self::ByUs(code) => write!(f, "closed by us: {code}"),
            Self::Refused(code) => write!(f, "refused by the peer: {code}"),
            Self::TimedOut => f.write_str("timed out: nothing heard from the peer for the idle timeout"),
            Self::HandshakeTimeout => f.write_str("handshake timed out: no answer from the peer"),
            Self::NoPath => f.write_str("the path does not carry datagrams of 1200 bytes"),
            Self::IdentityProofInvalid => f.write_str("the peer's proof of identity is missing or wrong"),
            Self::Superseded => f.write_str("superseded by a newer session of the same peer"),
        }
    }
}

impl core::error::Error for Closure {}

/// Events waiting to be taken, each kind at most once.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    established: bool,
    readable: bool,
    writable: bool,
    closed: Option<Closure>,
}

impl Pending {
    /// Adds `event`.
    pub(crate) fn push(&mut self, event: Event) {
        match event {
            Event::Established => self.established = true,
            Event::Readable => self.readable = true,
            Event::Writable => self.writable = true,
            Event::Closed(why) => self.closed = Some(why),
        }
    }

    /// Takes the next event; `Established` comes first and `Closed` last.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        if core::mem::take(&mut self.established) {
            return Some(Event::Established);
        }
        if core::mem::take(&mut self.readable) {
            return Some(Event::Readable);
        }
        if core::mem::take(&mut self.writable) {
            return Some(Event::Writable);
        }
        self.closed.take().map(Event::Closed)
    }
}
