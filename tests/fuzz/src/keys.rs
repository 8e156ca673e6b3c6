//! Keys, parameters and random sources of the targets: the same in every run.

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};

pub(crate) const ALICE: u8 = 1;
pub(crate) const BOB: u8 = 2;

/// The keys of somebody.
pub(crate) fn keys(who: u8) -> StaticKeypair {
    StaticKeypair::from_secret([who; 32])
}

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub(crate) fn parameters() -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"fuzz/1").expect("a short name"), 1 << 20)
}

pub(crate) fn allow(peer: &PublicKey) -> AllowList<4> {
    let mut allowed = AllowList::new();
    allowed.add(*peer).expect("an empty list");
    allowed
}
