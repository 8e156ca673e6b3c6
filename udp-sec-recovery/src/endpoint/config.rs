//! What an endpoint is told once, when it is made.

use udp_sec::handshake::Credentials;
use udp_sec::handshake::params::Parameters;
use udp_sec::keys::StaticKeypair;
use udp_sec::limits::HANDSHAKE_BUDGET;
use udp_sec::time::Duration;

use crate::connection::KeyLife;
use crate::limits::UNPROVEN_PER_SECOND;

/// An endpoint's identity and promises.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our static keys.
    pub keypair: StaticKeypair,
    /// What comes with them: identity proofs, a judge of the peers' proofs, pre-shared keys.
    pub credentials: Credentials,
    /// What we offer in handshakes. The initial credit is set by the endpoint, to the receive buffer's capacity.
    pub parameters: Parameters,
    /// How long a handshake may take before it fails: 30 s, or 5 s where a fallback is allowed.
    pub handshake_budget: Duration,
    /// Sessions that one static key may have at once; a confirmed new one replaces the oldest.
    pub sessions_per_peer: usize,
    /// Whether idle sessions are kept alive.
    pub keepalive: bool,
    /// How long a key is used.
    pub key_life: KeyLife,
    /// Initiations per second, and at once, that may cost a Diffie-Hellman each although their source has proven nothing.
    /// Whoever comes beyond that is sent a cookie first, which costs an honest peer one round trip. 0 demands cookies
    /// always.
    pub unproven_per_second: u16,
}

impl Config {
    /// One session per peer, the full handshake budget, no keepalive: what a device wants.
    #[must_use]
    pub const fn new(keypair: StaticKeypair, parameters: Parameters) -> Self {
        Self {
            keypair,
            credentials: Credentials::NONE,
            parameters,
            handshake_budget: HANDSHAKE_BUDGET,
            sessions_per_peer: 1,
            keepalive: false,
            unproven_per_second: UNPROVEN_PER_SECOND,
            key_life: KeyLife::LONGEST,
        }
    }
}
