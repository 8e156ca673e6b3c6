//! Who may talk to us: a policy over static keys.
//!
//! `docs/protocol.md` section 3, "Authorization".

use crate::crypto::hash::constant_time_eq;
use crate::keys::PublicKey;
use core::fmt;

/// Decides which peers are answered. A peer that is not authorized gets silence.
pub trait Policy {
    /// Whether the holder of `peer`'s secret may talk to us.
    fn authorizes(&self, peer: &PublicKey) -> bool;
}

/// At most `N` keys that may talk to us.
#[derive(Clone, Debug, Default)]
pub struct AllowList<const N: usize> {
    keys: heapless::Vec<PublicKey, N>,
}

/// The list holds as many keys as it can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the allow-list is full")
    }
}

impl core::error::Error for Full {}

impl<const N: usize> AllowList<N> {
    /// A list that allows nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: heapless::Vec::new() }
    }

    /// Allows `key`; nothing happens if it is allowed already.
    ///
    /// # Errors
    /// [`Full`] if `N` other keys are allowed.
    pub fn add(&mut self, key: PublicKey) -> Result<(), Full> {
        if self.contains(&key) {
            return Ok(());
        }
        self.keys.push(key).map_err(|_| Full)
    }

    /// Stops allowing `key`; `false` if it was not allowed.
    pub fn remove(&mut self, key: &PublicKey) -> bool {
        let before = self.keys.len();
        self.keys.retain(|allowed| allowed != key);
        self.keys.len() < before
    }

    /// Whether `key` is allowed. Every key of the list is compared, each in constant time, so the time says how many
    /// keys there are, but not which one it was.
    #[must_use]
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.keys
            .iter()
            .fold(false, |found, allowed| found | constant_time_eq(allowed.as_bytes(), key.as_bytes()))
    }

    /// How many keys are allowed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nobody is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl<const N: usize> Policy for AllowList<N> {
    fn authorizes(&self, peer: &PublicKey) -> bool {
        self.contains(peer)
    }
}

#[cfg(test)]
mod tests;
