//! Attackers of every kind that `docs/security.md` names, each at work for as long as it takes to show that nothing
//! gives way: with keys of a session, without keys on the path, and in floods.

mod acknowledgements;
mod closing;
mod credit;
mod frames;
mod gaps;
mod heap;
mod initiations;
mod key_updates;
mod observers;
mod paths;
mod sessions;

use std::env;

use harness::attacker::keyed::{Entropy, Lab, Peer, address, keys};
use udp_sec_recovery::endpoint::SessionId;

/// How often an attack is repeated: `often`, or what the environment variable `name` says. The figures of
/// `docs/testing.md` were measured with more.
fn times(name: &str, often: u64) -> u64 {
    env::var(name).map_or(often, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Packets of a flood within one session: `ATTACK_FRAMES`.
fn flood() -> u64 {
    times("ATTACK_FRAMES", 10_000)
}

/// An endpoint, and a peer with keys that has a session with it.
fn session(seed: u64) -> (Lab, Peer, SessionId) {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    lab.entropy = Entropy::new(seed);
    let (peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    (lab, peer, id)
}
