//! The key of a Data packet in pure Rust: ChaCha20-Poly1305, and AES-256-GCM in builds with feature `aes-gcm`, which costs
//! a session about 2 KiB of round keys.

use super::aead::{Aead, ChaChaKey};
#[cfg(feature = "aes-gcm")]
use super::stack;
use crate::limits::{KEY_LEN, NONCE_LEN, TAG_LEN};
#[cfg(feature = "aes-gcm")]
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};

/// A key for either cipher, wiped when dropped.
pub struct PortableKey(Cipher);

#[cfg_attr(
    feature = "aes-gcm",
    expect(clippy::large_enum_variant, reason = "a box would allocate at every key update")
)]
enum Cipher {
    ChaCha(ChaChaKey),
    #[cfg(feature = "aes-gcm")]
    Aes(aes_gcm::Aes256Gcm),
    /// Never chosen in a handshake: what a build cannot use, it does not offer. It neither seals nor opens.
    #[cfg(not(feature = "aes-gcm"))]
    Unavailable,
}

impl PortableKey {
    /// Takes the key into use.
    #[must_use]
    pub fn new(aead: Aead, key: &[u8; KEY_LEN]) -> Self {
        Self(match aead {
            Aead::ChaCha20Poly1305 => Cipher::ChaCha(ChaChaKey::new(key)),
            #[cfg(feature = "aes-gcm")]
            Aead::Aes256Gcm => Cipher::Aes(Aes256Gcm::new(key.into())),
            #[cfg(not(feature = "aes-gcm"))]
            Aead::Aes256Gcm => Cipher::Unavailable,
        })
    }

    /// See [`ChaChaKey::seal`].
    #[must_use]
    #[inline]
    pub fn seal(&self, nonce: &[u8; NONCE_LEN], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        match &self.0 {
            Cipher::ChaCha(key) => key.seal(nonce, associated, text),
            #[cfg(feature = "aes-gcm")]
            Cipher::Aes(key) => stack::forgetting::<{ stack::SYMMETRIC }, _>(|| {
                key.encrypt_inout_detached(nonce.into(), associated, text.into()).ok().map(Into::into)
            }),
            #[cfg(not(feature = "aes-gcm"))]
            Cipher::Unavailable => None,
        }
    }

    /// See [`ChaChaKey::open`].
    #[must_use]
    #[inline]
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        match &self.0 {
            Cipher::ChaCha(key) => key.open(nonce, associated, text, tag),
            #[cfg(feature = "aes-gcm")]
            Cipher::Aes(key) => stack::forgetting::<{ stack::SYMMETRIC }, _>(|| {
                key.decrypt_inout_detached(nonce.into(), associated, text.into(), tag.into()).ok()
            }),
            #[cfg(not(feature = "aes-gcm"))]
            Cipher::Unavailable => None,
        }
    }
}
