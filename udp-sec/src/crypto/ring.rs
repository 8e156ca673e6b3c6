//! Both ciphers by `ring`, for hosts: its assembly is chosen at run time, and several times as fast.
//!
//! `ring` does not wipe its keys when they are dropped: an allocator that wipes does it for a session's.

use super::aead::Aead;
use super::stack;
use crate::limits::{KEY_LEN, NONCE_LEN, TAG_LEN};
use ring::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// A key for either cipher.
pub struct RingKey(Option<LessSafeKey>);

impl RingKey {
    /// Takes the key into use.
    #[must_use]
    pub fn new(aead: Aead, key: &[u8; KEY_LEN]) -> Self {
        let algorithm = match aead {
            Aead::ChaCha20Poly1305 => &CHACHA20_POLY1305,
            Aead::Aes256Gcm => &AES_256_GCM,
        };
        // The only error is a key of another length. Were there one, the key would neither seal nor open.
        Self(UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new))
    }

    /// See [`ChaChaKey::seal`](super::aead::ChaChaKey::seal).
    #[must_use]
    #[inline]
    pub fn seal(&self, nonce: &[u8; NONCE_LEN], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        stack::forgetting::<{ stack::RING }, _>(|| {
            let tag = self.0.as_ref()?.seal_in_place_separate_tag(nonce, Aad::from(associated), text).ok()?;
            tag.as_ref().try_into().ok()
        })
    }

    /// See [`ChaChaKey::open`](super::aead::ChaChaKey::open).
    #[must_use]
    #[inline]
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        stack::forgetting::<{ stack::RING }, _>(|| {
            let key = self.0.as_ref()?;
            key.open_in_place_separate_tag(nonce, Aad::from(associated), (*tag).into(), text, 0..)
                .ok()
                .map(drop)
        })
    }
}
