//! X25519 that refuses an all-zero result.
//!
//! RFC 7748 section 6.1 leaves the check to the protocol; `docs/protocol.md` section 3 demands it: a peer that sends a
//! point of low order would otherwise fix the shared secret without holding any key.

use super::hash::constant_time_eq;
use crate::limits::KEY_LEN;
use x25519_dalek::{PublicKey, StaticSecret, X25519_BASEPOINT_BYTES};
use zeroize::Zeroizing;

/// The public key of `secret`.
#[must_use]
pub fn public_key(secret: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    multiply(secret, &X25519_BASEPOINT_BYTES)
}

/// The secret shared by the holder of `secret` and the holder of `public`'s secret; `None` if it is all zero.
#[must_use]
pub fn shared_secret(secret: &[u8; KEY_LEN], public: &[u8; KEY_LEN]) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let shared = Zeroizing::new(multiply(secret, public));
    (!constant_time_eq(&shared, &[0; KEY_LEN])).then_some(shared)
}

/// The function X25519 of RFC 7748 section 5.
#[inline(never)] // Inlined where it is used, it would be there three times.
fn multiply(secret: &[u8; KEY_LEN], point: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    #[cfg(test)]
    tests::count();
    StaticSecret::from(*secret).diffie_hellman(&PublicKey::from(*point)).to_bytes()
}

#[cfg(test)]
pub(crate) mod tests;
