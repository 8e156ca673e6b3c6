//! X25519 that refuses an all-zero result.
//!
//! RFC 7748 section 6.1 leaves the check to the protocol; `docs/protocol.md` section 3 demands it: a peer that sends a
//! point of low order would otherwise fix the shared secret without holding any key.

use crate::limits::KEY_LEN;
use x25519_dalek::{PublicKey, StaticSecret, X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

/// The public key of `secret`.
#[must_use]
pub fn public_key(secret: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    #[cfg(test)]
    tests::count();
    x25519(*secret, X25519_BASEPOINT_BYTES)
}

/// The secret shared by the holder of `secret` and the holder of `public`'s secret; `None` if it is all zero.
#[must_use]
pub fn shared_secret(secret: &[u8; KEY_LEN], public: &[u8; KEY_LEN]) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    #[cfg(test)]
    tests::count();
    let shared = StaticSecret::from(*secret).diffie_hellman(&PublicKey::from(*public));
    shared.was_contributory().then(|| Zeroizing::new(shared.to_bytes()))
}

#[cfg(test)]
pub(crate) mod tests;
