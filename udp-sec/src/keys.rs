//! Static keys, which are who an endpoint is, and keys that two endpoints share beforehand.
//!
//! Secrets are wiped when dropped and never shown; public keys are compared in constant time.

use crate::crypto::{dh, hash};
use crate::error::Reject;
use crate::limits::KEY_LEN;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

/// An X25519 public key: the identity of an endpoint.
#[derive(Clone, Copy)]
pub struct PublicKey([u8; KEY_LEN]);

impl PublicKey {
    /// The key with these bytes. Every 32 bytes are a key; one of low order fails in the handshake.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        hash::constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    /// By bytes, the first one first. Not in constant time: an order is asked for only between keys that are known.
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl fmt::Debug for PublicKey {
    /// The first four bytes: enough to tell keys apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [b0, b1, b2, b3, ..] = self.0;
        write!(f, "PublicKey({b0:02x}{b1:02x}{b2:02x}{b3:02x}…)")
    }
}

/// An X25519 secret key with its public key.
#[derive(Clone)]
pub struct StaticKeypair {
    secret: Zeroizing<[u8; KEY_LEN]>,
    public: PublicKey,
}

impl StaticKeypair {
    /// The keypair of `secret`, any 32 bytes (they are clamped at use, RFC 7748 section 5).
    #[must_use]
    pub fn from_secret(secret: [u8; KEY_LEN]) -> Self {
        let secret = Zeroizing::new(secret);
        let public = PublicKey(dh::public_key(&secret));
        Self { secret, public }
    }

    /// A new keypair.
    ///
    /// # Errors
    /// [`Reject::EntropyUnavailable`] if `rng` fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Reject> {
        draw(rng).map(|secret| Self::from_secret(*secret))
    }

    /// What others know this endpoint by.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret itself, to be stored where nobody else reads it.
    #[must_use]
    pub fn secret(&self) -> &[u8; KEY_LEN] {
        &self.secret
    }
}

impl fmt::Debug for StaticKeypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKeypair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A key that two endpoints have shared in some other way, wiped when dropped. With it a session stays secret even from
/// who can break X25519 (`docs/protocol.md` section 3, "Noise").
#[derive(Clone)]
pub struct PreSharedKey(Zeroizing<[u8; KEY_LEN]>);

impl PreSharedKey {
    /// The key with these bytes, which nobody else can guess.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreSharedKey(…)")
    }
}

/// 32 secret bytes from the caller's random source.
pub(crate) fn draw<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Zeroizing<[u8; KEY_LEN]>, Reject> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    rng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| Reject::EntropyUnavailable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
