//! What an endpoint brings to its handshakes beside its static key, all of it optional.
//!
//! `docs/protocol.md` section 3, "Identity proofs" and "Noise".

use super::proof::{Claim, IdentityProof, IdentityProofs, Verifier};
use crate::error::Reject;
use crate::keys::{PreSharedKey, PublicKey, StaticKeypair};
use crate::session::Role;
use core::fmt;

/// Keys that are shared with single peers beforehand.
pub trait PreSharedKeys: Sync {
    /// The key that is shared with `peer`. Where there is one, no handshake with `peer` succeeds without it; where there
    /// is none, none with one.
    fn shared_with(&self, peer: &PublicKey) -> Option<PreSharedKey>;
}

/// Proofs to show, a judge of the peers' proofs, and pre-shared keys. References for the life of the program: they serve
/// every handshake, and what they refer to may change behind them.
#[derive(Clone, Copy, Default)]
pub struct Credentials {
    /// Shown to every peer.
    pub proofs: Option<&'static IdentityProofs>,
    /// If there is one, every peer has to show a proof that it accepts, whichever side called.
    pub verifier: Option<&'static dyn Verifier>,
    /// Looked at for every peer.
    pub pre_shared_keys: Option<&'static dyn PreSharedKeys>,
}

impl Credentials {
    /// Nothing beside the static key.
    pub const NONE: Self = Self { proofs: None, verifier: None, pre_shared_keys: None };

    /// The proof to show in `role`.
    pub(super) fn proof(&self, role: Role) -> Option<&'static IdentityProof<'static>> {
        self.proofs.map(|proofs| proofs.of(role))
    }

    /// Judges what the holder of `key`, who is `role`, has shown.
    pub(super) fn judge(
        &self,
        role: Role,
        key: &PublicKey,
        shown: Option<&IdentityProof<'_>>,
    ) -> Result<(), Reject> {
        let Some(verifier) = self.verifier else { return Ok(()) };
        let is_proven =
            shown.is_some_and(|proof| verifier.verify(&Claim { role, key, device: proof.device }, proof));
        if is_proven { Ok(()) } else { Err(Reject::IdentityProofInvalid) }
    }

    /// The key that is shared with `peer`.
    pub(super) fn shared_with(&self, peer: &PublicKey) -> Option<PreSharedKey> {
        self.pre_shared_keys?.shared_with(peer)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("proofs", &self.proofs)
            .field("verifies", &self.verifier.is_some())
            .field("shares_keys", &self.pre_shared_keys.is_some())
            .finish()
    }
}

/// Who calls: a static key, and what comes with it.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The static key.
    pub keypair: &'a StaticKeypair,
    /// What comes with it.
    pub credentials: Credentials,
}

impl<'a> From<&'a StaticKeypair> for Caller<'a> {
    /// The static key alone.
    fn from(keypair: &'a StaticKeypair) -> Self {
        Self { keypair, credentials: Credentials::NONE }
    }
}

#[cfg(test)]
mod tests;
