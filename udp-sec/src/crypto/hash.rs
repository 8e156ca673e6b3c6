//! BLAKE2s: the plain hash, the keyed hash, and a stream of private numbers made of it (RFC 7693).

use super::stack;
use crate::limits::{KEY_LEN, MAC_LEN};
use alloc::boxed::Box;
use blake2::digest::consts::U16;
use blake2::digest::{FixedOutput, KeyInit, Update};
use blake2::{Blake2s256, Blake2sMac};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// BLAKE2s-256 of `parts`, one after the other.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Blake2s256::default();
    for part in parts {
        Update::update(&mut hasher, part);
    }
    hasher.finalize_fixed().into()
}

/// BLAKE2s-128 of `parts`, one after the other, under `key` of 1 to 32 bytes.
#[must_use]
pub fn keyed_hash<const K: usize>(key: &[u8; K], parts: &[&[u8]]) -> [u8; MAC_LEN] {
    // A longer key does not compile, so there is no error.
    const { _ = KEY_LEN - K }
    stack::forgetting::<{ stack::SYMMETRIC }, _>(|| keyed_hash_of(key, parts))
}

/// The same for all lengths of keys: one copy of the code.
fn keyed_hash_of(key: &[u8], parts: &[&[u8]]) -> [u8; MAC_LEN] {
    let mut hasher: Blake2sMac<U16> =
        KeyInit::new_from_slice(key).unwrap_or_else(|_| KeyInit::new(&Default::default()));
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize_fixed().into()
}

/// Whether `a` and `b` are equal, in a time that does not depend on their contents.
#[must_use]
pub fn constant_time_eq<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    a.ct_eq(b).into()
}

/// Numbers that nobody without the key can foresee: BLAKE2s-128 over a counter.
#[derive(Clone)]
pub(crate) struct PrivateNumbers {
    /// In a box, so that moving these numbers copies no secret.
    key: Box<Zeroizing<[u8; KEY_LEN]>>,
    counter: u64,
}

impl PrivateNumbers {
    pub(crate) fn new(key: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self { key: Box::new(key), counter: 0 }
    }

    /// The next number. The sequence repeats after 2^64 numbers, which nobody lives to see.
    pub(crate) fn next(&mut self) -> u64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = keyed_hash(&self.key, &[&self.counter.to_le_bytes()]);
        self.counter = self.counter.wrapping_add(1);
        u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }
}

#[cfg(test)]
mod tests;
