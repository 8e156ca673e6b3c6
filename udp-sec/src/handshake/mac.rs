//! `mac1`: proof that an initiation's sender knows whom it is calling, for the price of two hashes.
//!
//! `docs/protocol.md` section 3. A scanner that does not know the responder's public key gets silence, and never makes
//! it compute a Diffie-Hellman.

use crate::crypto::hash;
use crate::keys::PublicKey;
use crate::limits::{KEY_LEN, MAC_LEN, NOISE_INITIATION_LEN, PREFIX_LEN};
use crate::wire::Initiation;

const LABEL: &[u8] = b"udp-sec v1 mac1";

/// The `mac1` key of one responder. Not a secret: it follows from the public key.
#[derive(Clone)]
pub(super) struct Mac1Key([u8; KEY_LEN]);

impl Mac1Key {
    pub(super) fn new(responder: &PublicKey) -> Self {
        Self(hash::hash(&[LABEL, responder.as_bytes()]))
    }

    /// `mac1` over everything before it.
    pub(super) fn compute(
        &self,
        prefix: &[u8; PREFIX_LEN],
        noise: &[u8; NOISE_INITIATION_LEN],
    ) -> [u8; MAC_LEN] {
        hash::keyed_hash(&self.0, &[prefix, noise])
    }

    /// Whether the initiation's `mac1` is right.
    pub(super) fn verify(&self, initiation: &Initiation<'_>) -> bool {
        let expected = self.compute(&initiation.prefix(), initiation.noise());
        hash::constant_time_eq(&expected, initiation.mac1())
    }
}
