//! Endpoints and sessions on the loopback interface.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use nexus_net_adapter::backend::host::{HostEndpoint, HostStream, Peers, config};
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::Config;

/// Longer than anything here takes, even on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// What a session holds where the reader stalls: the writer's buffer and the reader's, 4 MiB each.
pub(crate) const HELD: usize = 8 << 20;

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) fn settings(seed: u8) -> Config {
    let application = ApplicationProtocol::new(b"adapters/1").expect("short");
    config(StaticKeypair::from_secret([seed; 32]), application)
}

pub(crate) fn endpoint(seed: u8) -> HostEndpoint {
    HostEndpoint::bind(loopback(), settings(seed), Peers::Any).expect("a free port")
}

/// A session from `client` to `server`, by way of `address`.
pub(crate) fn session(
    client: &HostEndpoint,
    server: &HostEndpoint,
    address: SocketAddr,
) -> (HostStream, HostStream) {
    thread::scope(|scope| {
        let accepting = scope.spawn(|| server.accept(server.now() + LONG).expect("a session"));
        let near = client.connect(address, &server.public_key(), Instant::MAX).expect("a session");
        (near, accepting.join().expect("no panic"))
    })
}

/// Waits until nothing is left of any session of either.
pub(crate) fn silence(endpoints: &[&HostEndpoint]) {
    for endpoint in endpoints {
        endpoint.linger(endpoint.now() + LONG).expect("silence");
        assert_eq!(endpoint.sessions(), 0);
    }
}
