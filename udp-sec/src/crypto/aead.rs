//! The ciphers, in place: ChaCha20-Poly1305 (RFC 8439), and AES-256-GCM (NIST SP 800-38D) where a build has it.
//!
//! [`ChaChaKey`] is pure Rust and runs everywhere; the handshake always uses it. [`PacketKey`] is what Data packets are
//! sealed with: the same thing, or AES where the handshake chose it; by `ring` where that feature is on. All of them put the
//! same bytes on the wire.

use super::stack;
use crate::limits::{KEY_LEN, KEY_SEALED_MAX, KEY_SEALED_MAX_AES, NONCE_LEN, TAG_LEN};
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

/// The key that Data packets are sealed with.
#[cfg(not(feature = "ring"))]
pub type PacketKey = super::portable::PortableKey;
/// The key that Data packets are sealed with.
#[cfg(feature = "ring")]
pub type PacketKey = super::ring::RingKey;

/// A cipher for Data packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aead {
    /// RFC 8439. Every implementation has it.
    ChaCha20Poly1305,
    /// NIST SP 800-38D with a 256-bit key. In builds with feature `ring` or `aes-gcm`, and fast where the processor has
    /// instructions for it.
    Aes256Gcm,
}

impl Aead {
    /// Whether this build seals and opens with it.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::ChaCha20Poly1305 => true,
            Self::Aes256Gcm => cfg!(any(feature = "ring", feature = "aes-gcm")),
        }
    }

    /// Packets that one key may seal.
    #[must_use]
    pub const fn sealed_max(self) -> u64 {
        match self {
            Self::ChaCha20Poly1305 => KEY_SEALED_MAX,
            Self::Aes256Gcm => KEY_SEALED_MAX_AES,
        }
    }
}

/// The nonce of packet `number`: four zero bytes and the number, little-endian (Noise section 5.1 for ChaChaPoly, and
/// `docs/protocol.md` section 2 for every AEAD).
#[must_use]
pub const fn nonce(number: u64) -> [u8; NONCE_LEN] {
    let [n0, n1, n2, n3, n4, n5, n6, n7] = number.to_le_bytes();
    [0, 0, 0, 0, n0, n1, n2, n3, n4, n5, n6, n7]
}

/// Noise's `REKEY` (Noise section 4.2): the key that follows `key`, from which nobody finds the way back. The number it is
/// made under, the last one, never belongs to a packet.
#[must_use]
pub fn rekey(key: &PacketKey) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let mut next = Zeroizing::new([0; KEY_LEN]);
    // The tag is not needed.
    key.seal(&nonce(u64::MAX), &[], next.as_mut_slice()).map(|_| next)
}

/// A ChaCha20-Poly1305 key, wiped when dropped.
pub struct ChaChaKey(ChaCha20Poly1305);

impl ChaChaKey {
    /// Takes the key into use.
    #[must_use]
    #[inline(never)] // Keys are made in many places, and copying one is long.
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(ChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts `text` where it lies and gives the tag over it and `associated`; `None` only for a text longer than
    /// the cipher can take (256 GiB).
    #[must_use]
    #[inline]
    pub fn seal(&self, nonce: &[u8; NONCE_LEN], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        stack::forgetting::<{ stack::SYMMETRIC }, _>(|| {
            self.0.encrypt_inout_detached(nonce.into(), associated, text.into()).ok().map(Into::into)
        })
    }

    /// Decrypts `text` where it lies if `tag` is the tag over it and `associated`. `None` if it is not; what `text` holds
    /// is undefined then.
    #[must_use]
    #[inline]
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        stack::forgetting::<{ stack::SYMMETRIC }, _>(|| {
            self.0.decrypt_inout_detached(nonce.into(), associated, text.into(), tag.into()).ok()
        })
    }
}

/// An XChaCha20-Poly1305 key (draft-irtf-cfrg-xchacha): its nonces are long enough to be drawn at random. For cookies.
pub struct XChaChaKey(XChaCha20Poly1305);

impl XChaChaKey {
    /// Takes the key into use.
    #[must_use]
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// See [`ChaChaKey::seal`].
    #[must_use]
    pub fn seal(&self, nonce: &[u8; 24], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        self.0.encrypt_inout_detached(nonce.into(), associated, text.into()).ok().map(Into::into)
    }

    /// See [`ChaChaKey::open`].
    #[must_use]
    pub fn open(
        &self,
        nonce: &[u8; 24],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        self.0.decrypt_inout_detached(nonce.into(), associated, text.into(), tag.into()).ok()
    }
}

#[cfg(test)]
mod tests;
