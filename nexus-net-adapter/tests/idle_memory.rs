//! What an idle session costs a host: the pages it has touched, as the system counts them.
//!
//! A process of its own, because resident memory is counted per process.
#![cfg(all(feature = "std", target_os = "linux"))]

use std::net::SocketAddr;
use std::thread;

use nexus_net_adapter::backend::host::{HostEndpoint, HostStream, Peers, SESSIONS_PER_PEER, config};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::Duration;

/// The most that one side of an idle session may have resident, in bytes.
const IDLE_SESSION_MAX: usize = 24 << 10;
/// Sessions made before the count begins: they touch what all sessions share.
const FIRST: usize = 8;

fn endpoint(seed: u8) -> HostEndpoint {
    let config = config(
        StaticKeypair::from_secret([seed; 32]),
        ApplicationProtocol::new(b"test/1").expect("a short name"),
    );
    HostEndpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0)), config, Peers::Any).expect("a free port")
}

/// Both streams of a new session, over which a few bytes have gone each way.
fn session(client: &HostEndpoint, server: &HostEndpoint) -> (HostStream, HostStream) {
    let soon = || client.now() + Duration::from_secs(20);
    let address = server.local_addr().expect("bound");
    thread::scope(|scope| {
        let accepting = scope.spawn(|| {
            let mut far = server.accept(server.now() + Duration::from_secs(20)).expect("a session");
            let mut greeting = [0; 5];
            far.read_full(&mut greeting, far.now() + Duration::from_secs(20)).expect("a greeting");
            far.write_all(&greeting, far.now() + Duration::from_secs(20)).expect("room");
            far.flush(far.now() + Duration::from_secs(20)).expect("acknowledged");
            far
        });
        let mut near = client.connect(address, &server.public_key(), soon()).expect("a session");
        near.write_all(b"hello", soon()).expect("room");
        near.read_full(&mut [0; 5], soon()).expect("an answer");
        while !accepting.is_finished() {
            // The server waits for the acknowledgement of its answer.
            client.attend(client.now() + Duration::from_millis(1));
        }
        (near, accepting.join().expect("no panic"))
    })
}

fn resident_bytes() -> usize {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").expect("Linux");
    let line = rollup.lines().find(|line| line.starts_with("Rss:")).expect("a line for it");
    let kibibytes: usize = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kibibytes << 10
}

#[test]
fn an_idle_session_stays_within_its_pages() {
    let (client, server) = (endpoint(1), endpoint(2));
    let mut streams: Vec<_> = (0..FIRST).map(|_| session(&client, &server)).collect();
    let before = resident_bytes();
    let counted = SESSIONS_PER_PEER - FIRST;
    streams.extend((0..counted).map(|_| session(&client, &server)));
    // Both sides live in this process.
    let each = (resident_bytes() - before) / (2 * counted);
    println!("{each} bytes resident per idle session");
    assert!(each <= IDLE_SESSION_MAX, "{each} bytes resident per idle session");
    assert!(each > 1 << 10, "{each} bytes is less than the keys and counters take: the count is wrong");
}
