//! The answer of a responder under load: an encrypted cookie that the next initiation must be authenticated with.
//!
//! `docs/protocol.md` sections 2 and 3.

use super::header::{Kind, Prefix};
use super::join;
use crate::limits::COOKIE_REPLY_LEN;

/// Nonce of XChaCha20-Poly1305. Bytes.
const NONCE_LEN: usize = 24;
/// The encrypted cookie with its tag. Bytes.
const SEALED_LEN: usize = 32;

/// An encrypted cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CookieReply<'a> {
    receiver_id: u64,
    nonce: &'a [u8; NONCE_LEN],
    sealed: &'a [u8; SEALED_LEN],
}

impl<'a> CookieReply<'a> {
    /// A reply to the initiation whose sender called it `receiver_id`.
    #[must_use]
    pub const fn new(receiver_id: u64, nonce: &'a [u8; NONCE_LEN], sealed: &'a [u8; SEALED_LEN]) -> Self {
        Self { receiver_id, nonce, sealed }
    }

    /// The initiator's id for the handshake.
    #[must_use]
    pub const fn receiver_id(&self) -> u64 {
        self.receiver_id
    }

    /// The nonce under which the cookie is sealed.
    #[must_use]
    pub const fn nonce(&self) -> &'a [u8; NONCE_LEN] {
        self.nonce
    }

    /// The cookie, encrypted, and its tag.
    #[must_use]
    pub const fn sealed(&self) -> &'a [u8; SEALED_LEN] {
        self.sealed
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; COOKIE_REPLY_LEN] {
        join(&[&Prefix { kind: Kind::CookieReply, id: self.receiver_id }.encode(), self.nonce, self.sealed])
    }

    pub(super) fn decode(receiver_id: u64, body: &'a [u8]) -> Option<Self> {
        let (nonce, rest) = body.split_first_chunk()?;
        Some(Self { receiver_id, nonce, sealed: rest.try_into().ok()? })
    }
}
