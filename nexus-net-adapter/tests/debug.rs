//! What `Debug` shows of a host's endpoints and streams: nothing of a secret. The packet layer's own types, which they hold,
//! are looked at in `tests/secrets`.
#![cfg(all(feature = "std", feature = "tcp", target_os = "linux"))]

use nexus_net_adapter::backend::host::{
    HostClock, HostConnector, HostEndpoint, HostTcpListener, Peers, UdpSec,
};
use nexus_net_adapter::tcp;
use secrets::debug::Shown;
use secrets::needles::Needle;
use secrets::recorder::Recorder;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::Config;

fn parameters() -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"debug/1").expect("a short name"), 1 << 16)
}

/// The entropy of a host is the system's: the keys that can be looked for are the static ones.
#[test]
fn no_type_of_a_host_shows_a_secret() {
    let mut random = Recorder::new(5);
    let [client, server] = [(); 2].map(|()| StaticKeypair::generate(&mut random).expect("infallible"));
    let [of_client, of_server] = [&client, &server].map(|own| Config::new(own.clone(), parameters()));
    let local = ([127, 0, 0, 1], 0).into();
    let deadline = HostClock::start().now() + Duration::from_secs(60);
    let mut shown = Shown::default();
    shown.add("HostConnector", &HostConnector::new(of_client.clone(), UdpSec::Anywhere));
    let records = tcp::Config::new(server.clone(), parameters());
    let listener = HostTcpListener::bind(local, records, Peers::Any, HostClock::start());
    shown.add("HostTcpListener", &listener.expect("a port"));
    let calling = HostEndpoint::bind(local, of_client, Peers::Any).expect("a port");
    let listening = HostEndpoint::bind(local, of_server, Peers::Any).expect("a port");
    let address = listening.local_addr().expect("bound");
    std::thread::scope(|scope| {
        let accepted = scope.spawn(|| listening.accept(deadline).expect("somebody calls"));
        let stream = calling.connect(address, server.public(), deadline).expect("somebody listens");
        shown.add("HostStream", &stream);
        shown.add("HostStream", &accepted.join().expect("accepts"));
    });
    shown.add("HostEndpoint", &calling);
    shown.add("HostEndpoint", &listening);
    let needles: Vec<_> = random.drawn.iter().map(|secret| Needle::new("static secret", *secret)).collect();
    assert_eq!(needles.len(), 2);
    shown.assert_hide(&needles);
}
