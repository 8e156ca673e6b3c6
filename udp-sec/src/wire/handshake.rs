//! The two handshake messages. Both fill 1200 bytes, so that the path is proven to carry that in both directions.
//!
//! `docs/protocol.md` sections 2 and 3.

use super::header::{Kind, Pattern, Prefix};
use super::join;
use crate::limits::{
    INITIATION_LEN, MAC_LEN, NOISE_INITIATION_LEN, NOISE_RESPONSE_LEN, PREFIX_LEN, RESPONSE_LEN,
};

/// Noise message 1 between a header and two message authentication codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Initiation<'a> {
    pattern: Pattern,
    sender_id: u64,
    noise: &'a [u8; NOISE_INITIATION_LEN],
    mac1: &'a [u8; MAC_LEN],
    mac2: &'a [u8; MAC_LEN],
}

impl<'a> Initiation<'a> {
    /// An initiation; `mac2` is all zero unless a cookie was demanded.
    #[must_use]
    pub const fn new(
        pattern: Pattern,
        sender_id: u64,
        noise: &'a [u8; NOISE_INITIATION_LEN],
        mac1: &'a [u8; MAC_LEN],
        mac2: &'a [u8; MAC_LEN],
    ) -> Self {
        Self { pattern, sender_id, noise, mac1, mac2 }
    }

    /// The Noise pattern that message 1 is of.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// The id under which the initiator expects the Response.
    #[must_use]
    pub const fn sender_id(&self) -> u64 {
        self.sender_id
    }

    /// Noise message 1.
    #[must_use]
    pub const fn noise(&self) -> &'a [u8; NOISE_INITIATION_LEN] {
        self.noise
    }

    /// The code that proves knowledge of the responder's static public key.
    #[must_use]
    pub const fn mac1(&self) -> &'a [u8; MAC_LEN] {
        self.mac1
    }

    /// The code that proves receipt of a cookie; all zero if there was none.
    #[must_use]
    pub const fn mac2(&self) -> &'a [u8; MAC_LEN] {
        self.mac2
    }

    /// The first twelve bytes.
    #[must_use]
    pub const fn prefix(&self) -> [u8; PREFIX_LEN] {
        Self::prefix_of(self.pattern, self.sender_id)
    }

    /// The same of an initiation yet to be made: the Noise prologue contains them.
    #[must_use]
    pub const fn prefix_of(pattern: Pattern, sender_id: u64) -> [u8; PREFIX_LEN] {
        Prefix { kind: Kind::Initiation(pattern), id: sender_id }.encode()
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; INITIATION_LEN] {
        join(&[&self.prefix(), self.noise, self.mac1, self.mac2])
    }

    pub(super) fn decode(pattern: Pattern, sender_id: u64, body: &'a [u8]) -> Option<Self> {
        let (noise, rest) = body.split_first_chunk()?;
        let (mac1, rest) = rest.split_first_chunk()?;
        let mac2 = rest.try_into().ok()?;
        Some(Self { pattern, sender_id, noise, mac1, mac2 })
    }
}

/// Noise message 2 behind a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Response<'a> {
    receiver_id: u64,
    noise: &'a [u8; NOISE_RESPONSE_LEN],
}

impl<'a> Response<'a> {
    /// A response to the initiation whose sender called it `receiver_id`.
    #[must_use]
    pub const fn new(receiver_id: u64, noise: &'a [u8; NOISE_RESPONSE_LEN]) -> Self {
        Self { receiver_id, noise }
    }

    /// The initiator's id for the handshake.
    #[must_use]
    pub const fn receiver_id(&self) -> u64 {
        self.receiver_id
    }

    /// Noise message 2.
    #[must_use]
    pub const fn noise(&self) -> &'a [u8; NOISE_RESPONSE_LEN] {
        self.noise
    }

    /// The first twelve bytes; Noise message 2 follows.
    #[must_use]
    pub const fn prefix(receiver_id: u64) -> [u8; PREFIX_LEN] {
        Prefix { kind: Kind::Response, id: receiver_id }.encode()
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; RESPONSE_LEN] {
        join(&[&Self::prefix(self.receiver_id), self.noise])
    }

    pub(super) fn decode(receiver_id: u64, body: &'a [u8]) -> Option<Self> {
        Some(Self { receiver_id, noise: body.try_into().ok()? })
    }
}
