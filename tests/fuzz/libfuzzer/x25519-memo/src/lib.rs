//! X25519 with a memory: the part of x25519-dalek that udp-sec uses, over the same arithmetic.
//!
//! The targets play with few keys, the same in every run, and nine tenths of a run were spent on what they give. Keys that
//! an input has changed are computed as ever. Secrets stay in memory here, so this is for fuzzing alone: the corpora in
//! `cargo test` and `./scripts/fuzz.sh --replay` run with the true crate.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::IsIdentity;

/// Results kept; at one more, all are forgotten.
const MEMORY: usize = 1 << 12;
/// The base point.
pub const X25519_BASEPOINT_BYTES: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 9;
    bytes
};

thread_local! {
    /// By scalar and point.
    static KNOWN: RefCell<BTreeMap<[[u8; 32]; 2], [u8; 32]>> = const { RefCell::new(BTreeMap::new()) };
}

/// The scalar `k`, clamped, times the point `u`.
#[must_use]
pub fn x25519(k: [u8; 32], u: [u8; 32]) -> [u8; 32] {
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MEMORY {
            known.clear();
        }
        *known.entry([k, u]).or_insert_with(|| MontgomeryPoint(u).mul_clamped(k).to_bytes())
    })
}

/// A public key: any point.
pub struct PublicKey([u8; 32]);

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// A secret key.
pub struct StaticSecret([u8; 32]);

impl From<[u8; 32]> for StaticSecret {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl StaticSecret {
    /// What the holder of this key shares with the holder of `public`'s secret.
    #[must_use]
    pub fn diffie_hellman(&self, public: &PublicKey) -> SharedSecret {
        SharedSecret(MontgomeryPoint(x25519(self.0, public.0)))
    }
}

/// A shared secret.
pub struct SharedSecret(MontgomeryPoint);

impl SharedSecret {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether the peer's point was of high order.
    #[must_use]
    pub fn was_contributory(&self) -> bool {
        !self.0.is_identity()
    }
}
