//! Identity proofs: a device's long-lived Ed25519 key vouches for the static key that it uses here.
//!
//! `docs/protocol.md` section 3, "Identity proofs". A proof says the same in every handshake, so it is made once, and
//! wherever the Ed25519 key is kept: this crate neither signs nor verifies. Noise proves that the peer holds the static
//! key; the proof says whose that key is.
//!
//! ```
//! use ed25519_dalek::{Signature, Signer, SigningKey, Verifier as _, VerifyingKey};
//! use udp_sec::handshake::proof::{Claim, IdentityProof, Verifier};
//! use udp_sec::keys::StaticKeypair;
//! use udp_sec::session::Role;
//!
//! // At the device, once: its own name, its static key, the side of the handshake that it will be on.
//! let device_key = SigningKey::from_bytes(&[1; 32]);
//! let keypair = StaticKeypair::from_secret([2; 32]);
//! let claim = Claim { role: Role::Initiator, key: keypair.public(), device: b"lamp" };
//! let signature = device_key.sign(&claim.statement().expect("a short name")).to_bytes();
//! let signer = device_key.verifying_key().to_bytes();
//! let proof = IdentityProof { device: b"lamp", signer: &signer, signature: &signature };
//!
//! // At its peers, in every handshake.
//! struct Household(VerifyingKey);
//!
//! impl Verifier for Household {
//!     fn verify(&self, claim: &Claim<'_>, proof: &IdentityProof<'_>) -> bool {
//!         let signature = Signature::from_bytes(proof.signature);
//!         let is_signed = |statement: &[u8]| self.0.verify(statement, &signature).is_ok();
//!         proof.signer == self.0.as_bytes() && claim.statement().is_some_and(|it| is_signed(&it))
//!     }
//! }
//! let household = Household(device_key.verifying_key());
//! assert!(household.verify(&claim, &proof));
//! assert!(!household.verify(&Claim { role: Role::Responder, ..claim }, &proof));
//! ```
//! Both go into [`Credentials`](super::Credentials).

use crate::keys::PublicKey;
use crate::limits::{DEVICE_ID_MAX, KEY_LEN, PROOF_MAX, SIGNATURE_LEN, STATEMENT_MAX};
use crate::session::Role;
use core::fmt;

const LABEL: &[u8] = b"udp-sec v1 identity";

/// What is signed: the bytes of a [`Claim`].
pub type Statement = heapless::Vec<u8, STATEMENT_MAX>;

/// "The holder of this static key, in this role of a handshake, is the device of this name."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim<'a> {
    /// The side of the handshake that the device is on.
    pub role: Role,
    /// Its static key.
    pub key: &'a PublicKey,
    /// Its name, at most 64 bytes.
    pub device: &'a [u8],
}

impl Claim<'_> {
    /// The bytes to sign with the device's Ed25519 key (RFC 8032, no prehash, no context); `None` for a name of more than
    /// 64 bytes.
    #[must_use]
    pub fn statement(&self) -> Option<Statement> {
        let device_len = name_len(self.device)?;
        let role = match self.role {
            Role::Initiator => 0,
            Role::Responder => 1,
        };
        let mut statement = Statement::new();
        for part in [LABEL, &[role], self.key.as_bytes(), &[device_len], self.device] {
            statement.extend_from_slice(part).ok()?;
        }
        Some(statement)
    }
}

/// The length of a device's name, if a device can have that name.
fn name_len(device: &[u8]) -> Option<u8> {
    u8::try_from(device.len()).ok().filter(|len| usize::from(*len) <= DEVICE_ID_MAX)
}

/// A claim's name, and the signature that backs it; as it came from the peer, it proves nothing yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentityProof<'a> {
    /// The device's name, at most 64 bytes.
    pub device: &'a [u8],
    /// The Ed25519 public key that vouches for it.
    pub signer: &'a [u8; KEY_LEN],
    /// Its signature of the claim's [statement](Claim::statement).
    pub signature: &'a [u8; SIGNATURE_LEN],
}

impl<'a> IdentityProof<'a> {
    /// The bytes on the wire; `None` for a name of more than 64 bytes.
    pub(super) fn encode(&self) -> Option<heapless::Vec<u8, PROOF_MAX>> {
        let device_len = name_len(self.device)?;
        let mut bytes = heapless::Vec::new();
        for part in [&[device_len], self.device, self.signer, self.signature] {
            bytes.extend_from_slice(part).ok()?;
        }
        Some(bytes)
    }

    /// `None` if `bytes` are of another length than they say, or the name is too long.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (device_len, rest) = bytes.split_first()?;
        let (device, rest) = rest.split_at_checked(usize::from(*device_len))?;
        name_len(device)?;
        let (signer, signature) = rest.split_first_chunk()?;
        Some(Self { device, signer, signature: signature.try_into().ok()? })
    }
}

impl fmt::Debug for IdentityProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityProof(\"{}\")", self.device.escape_ascii())
    }
}

/// What an endpoint says of itself: one proof for each role, so that neither can be used in the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdentityProofs {
    /// Sent when it calls.
    pub calling: IdentityProof<'static>,
    /// Sent when it is called.
    pub answering: IdentityProof<'static>,
}

impl IdentityProofs {
    pub(super) const fn of(&self, role: Role) -> &IdentityProof<'static> {
        match role {
            Role::Initiator => &self.calling,
            Role::Responder => &self.answering,
        }
    }
}

/// Judges the proofs of peers.
pub trait Verifier: Sync {
    /// Whether `proof` says the truth: its signature is one of `claim`'s [statement](Claim::statement) by `proof.signer`, and
    /// that key may speak for that device, still. Asked once per handshake, and before anything is answered.
    fn verify(&self, claim: &Claim<'_>, proof: &IdentityProof<'_>) -> bool;
}

#[cfg(test)]
mod tests;
