//! What carries a handshake and the session after it: datagrams, or the records of a byte stream.
//!
//! The messages are the same. What they are bound to (the Noise prologue) and what they lead to differ, so that a
//! message of one carrier never opens on the other, and no key ever seals for both.

use crate::session::record::RecordSession;
use crate::session::{Session, Settled};
use core::fmt;

/// Datagrams, which may be lost, repeated and reordered: the handshake leads to a [`Session`].
#[derive(Clone, Copy, Debug)]
pub enum Datagrams {}

/// Records of a byte stream, in order and complete: the handshake leads to a [`RecordSession`].
#[derive(Clone, Copy, Debug)]
pub enum Records {}

/// [`Datagrams`] or [`Records`]; there are no others.
pub trait Carrier: sealed::Sealed {
    /// What a completed handshake leads to.
    type Session: fmt::Debug + Send;

    /// Opens the Noise prologue.
    #[doc(hidden)]
    const PROLOGUE_LABEL: &'static [u8];

    #[doc(hidden)]
    fn session(settled: Settled) -> Self::Session;
}

impl Carrier for Datagrams {
    type Session = Session;

    const PROLOGUE_LABEL: &'static [u8] = b"udp-sec v1";

    fn session(settled: Settled) -> Session {
        Session::new(settled)
    }
}

impl Carrier for Records {
    type Session = RecordSession;

    const PROLOGUE_LABEL: &'static [u8] = b"udp-sec v1 tcp";

    fn session(settled: Settled) -> RecordSession {
        RecordSession::new(settled)
    }
}

mod sealed {
    /// Keeps [`Carrier`](super::Carrier) from being implemented elsewhere.
    pub trait Sealed {}

    impl Sealed for super::Datagrams {}
    impl Sealed for super::Records {}
}
