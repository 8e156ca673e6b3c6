//! The two ends of a udp-sec session between two sockets of this host.

use std::net::SocketAddr;
use std::thread;

use nexus_net_adapter::backend::host::{HostEndpoint, HostStream, Peers, config};
use nexus_net_adapter::stream::{Interest, ReliableStream};
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::Duration;

fn endpoint(seed: u8, peer: u8) -> HostEndpoint {
    let keys = |seed| StaticKeypair::from_secret([seed; 32]);
    let application = ApplicationProtocol::new(b"dsoftbus-mux/2").expect("short");
    let peers = Peers::Only(vec![*keys(peer).public()]);
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    HostEndpoint::bind(loopback, config(keys(seed), application), peers).expect("a free port")
}

/// Both ends, the initiator's first.
pub(crate) fn pair() -> (HostStream, HostStream) {
    let (near, far) = (endpoint(1, 2), endpoint(2, 1));
    let soon = |endpoint: &HostEndpoint| endpoint.now() + Duration::from_secs(10);
    thread::scope(|scope| {
        let accepting = scope.spawn(|| {
            let mut stream = far.accept(soon(&far)).expect("a session");
            stream.wait(Interest::LowWater, soon(&far)).expect("a session");
            stream
        });
        let address = far.local_addr().expect("bound");
        let stream = near.connect(address, &far.public_key(), soon(&near)).expect("a session");
        (stream, accepting.join().expect("no panic"))
    })
}
