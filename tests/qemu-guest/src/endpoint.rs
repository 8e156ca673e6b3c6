//! What both ends of a run are to udp-sec and to secure TCP: keys, peers, parameters.

use ladder::APPLICATION;
use nexus_net_adapter::udp::{Driver, UdpSecEndpoint};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::{Config, Endpoint, Tables};

use crate::devices::Entropy;
use crate::link::{Link, Time};
use crate::sessions::{OneSession, Profile, SESSION_BYTES};

/// Sessions and handshakes that an endpoint has tables for.
const TABLE: usize = 2;
/// How long a peer may be silent.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// What an endpoint leaves where it lies: kilobytes, which are not to pass through the stack.
pub struct Memory {
    tables: Tables<TABLE, TABLE>,
    sessions: OneSession,
    session: Profile,
}

impl Memory {
    /// For an endpoint without a session.
    pub const fn new() -> Self {
        Self { tables: Tables::new(), sessions: OneSession::new(), session: Profile::new() }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// Who may be a peer: one.
pub type Peer = AllowList<1>;
/// An endpoint.
pub type UdpSecDevice = UdpSecEndpoint<Link, Entropy, &'static mut OneSession, Peer, Time, TABLE, TABLE>;
/// A session of it.
pub type UdpSecStream = nexus_net_adapter::udp::UdpSecStream<
    'static,
    Link,
    Entropy,
    &'static mut OneSession,
    Peer,
    Time,
    TABLE,
    TABLE,
>;

/// What an endpoint takes besides its session. Bytes.
pub const ENDPOINT_BYTES: usize = size_of::<UdpSecDevice>() + size_of::<Memory>() - SESSION_BYTES;

/// What the handshake says of us.
pub fn parameters() -> Parameters {
    let application = ApplicationProtocol::new(APPLICATION).expect("a short name");
    Parameters { idle_timeout: IDLE_TIMEOUT, ..Parameters::new(application, 0) }
}

/// Lets `peer` in, and nobody else.
pub fn only(peer: &PublicKey) -> Peer {
    let mut peers = Peer::new();
    peers.add(*peer).expect("room for one");
    peers
}

/// An endpoint with `keypair` for sessions with `peer`, whose keys seal `key_life` packets each.
pub fn device(
    memory: &'static mut Memory,
    keypair: StaticKeypair,
    peer: &PublicKey,
    budget: Duration,
    key_life: u64,
    link: Link,
    time: Time,
) -> UdpSecDevice {
    let mut config = Config::new(keypair, parameters());
    config.handshake_budget = budget;
    config.key_life.packets = key_life;
    let Memory { tables, sessions, session } = memory;
    assert!(sessions.lend(session).is_ok(), "one endpoint has this memory");
    let endpoint = Endpoint::new(config, tables, sessions, only(peer));
    UdpSecEndpoint::new(Driver::new(endpoint, link, Entropy), time)
}
