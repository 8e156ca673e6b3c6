//! Selections carried out on the loopback interface, against a peer that serves both ports.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread::{self, JoinHandle};
use std::vec::Vec;

use udp_sec::error::CloseCode;
use udp_sec::handshake::Credentials;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::handshake::proof::{Claim, IdentityProof, Verifier};
use udp_sec::keys::StaticKeypair;
use udp_sec::limits::HANDSHAKE_BUDGET_WITH_FALLBACK;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::Config;

use super::{Destination, HostConnector, HostSelected, NotConnected, UdpSec};
use crate::backend::host::{HostClock, HostEndpoint, HostTcpListener, Peers, config};
use crate::select::{Event, Happened, Mode, Transport};
use crate::stream::{PeerIdentity, ReliableStream};
use crate::tcp;

const LONG: Duration = Duration::from_secs(30);

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

fn settings(seed: u8, application: &[u8]) -> Config {
    config(StaticKeypair::from_secret([seed; 32]), ApplicationProtocol::new(application).expect("short"))
}

/// The peer: two ports, each answered for as long as `Peer` lives, or deaf.
struct Peer {
    to: Destination,
    /// Echoes one byte over TCP, to a caller that proves itself.
    serving: Option<JoinHandle<()>>,
    /// Sees every connection that is attempted, if nobody serves.
    idle_tcp: Option<TcpListener>,
    _deaf: Option<UdpSocket>,
    udp_sec: Option<HostEndpoint>,
}

/// What becomes of datagrams.
enum Udp {
    Served(&'static [u8]),
    Silent,
}

fn peer(udp: Udp, tcp_is_served: bool) -> Peer {
    let keypair = StaticKeypair::from_secret([2; 32]);
    let callers = || Peers::Only(Vec::from([*StaticKeypair::from_secret([1; 32]).public()]));
    let (mut deaf, mut udp_sec) = (None, None);
    let udp_address = match udp {
        Udp::Served(application) => {
            let endpoint =
                HostEndpoint::bind(loopback(), settings(2, application), callers()).expect("a port");
            let address = endpoint.local_addr().expect("bound");
            let attending = endpoint.clone();
            thread::spawn(move || attending.attend(attending.now() + Duration::from_secs(2)));
            udp_sec = Some(endpoint);
            address
        }
        Udp::Silent => {
            let socket = UdpSocket::bind(loopback()).expect("a port");
            let address = socket.local_addr().expect("bound");
            deaf = Some(socket);
            address
        }
    };
    let (mut idle_tcp, mut serving) = (None, None);
    let tcp_address = if tcp_is_served {
        let config = tcp::Config::from(&settings(2, b"test/1"));
        let mut listener =
            HostTcpListener::bind(loopback(), config, callers(), HostClock::start()).expect("a port");
        let address = listener.local_addr().expect("bound");
        serving = Some(thread::spawn(move || {
            let mut stream = listener.accept(listener.now() + LONG).expect("a caller");
            let mut byte = [0];
            stream.read(&mut byte, stream.now() + LONG).expect("a byte");
            stream.write(&byte, stream.now() + LONG).expect("room");
            stream.finish().expect("open");
            let end = stream.read(&mut byte, stream.now() + LONG).expect("the caller ends, too");
            assert_eq!(end, 0);
        }));
        address
    } else {
        let listener = TcpListener::bind(loopback()).expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("bound");
        idle_tcp = Some(listener);
        address
    };
    let to = Destination { peer: *keypair.public(), udp_sec: udp_address, tcp: tcp_address };
    Peer { to, serving, idle_tcp, _deaf: deaf, udp_sec }
}

impl Peer {
    /// A call in `mode`, what it decided on the way, and how long it took.
    fn call(&self, mode: Mode, from: UdpSec) -> (Result<HostSelected, NotConnected>, Vec<Event>, Duration) {
        let connector = HostConnector::new(settings(1, b"test/1"), from);
        let clock = HostClock::start();
        let mut events = Vec::new();
        let outcome = connector.connect(&self.to, mode, |event| events.push(event));
        (outcome, events, clock.now().saturating_since(Instant::ZERO))
    }

    /// Whether anybody has connected to the TCP port that nobody serves.
    fn saw_tcp(&self) -> bool {
        self.idle_tcp.as_ref().is_some_and(|listener| listener.accept().is_ok())
    }
}

/// That the stream reaches the peer: one byte there and back.
fn assert_echoes(mut stream: HostSelected, peer: Peer) {
    assert_eq!(stream.peer().as_ref().map(PeerIdentity::key), Some(&peer.to.peer));
    let soon = stream.now() + LONG;
    stream.write(b"!", soon).expect("room");
    let mut byte = [0];
    stream.read(&mut byte, soon).expect("an answer");
    assert_eq!(&byte, b"!");
    stream.finish().expect("open");
    peer.serving.expect("somebody serves").join().expect("no panic");
}

#[test]
fn udp_sec_is_taken_where_it_answers_and_tcp_is_not_touched() {
    for mode in [Mode::Auto, Mode::UdpSec] {
        let peer = peer(Udp::Served(b"test/1"), false);
        let (outcome, events, _) = peer.call(mode, UdpSec::Anywhere);
        let stream = outcome.expect("it answers");
        assert_eq!(stream.transport(), Transport::UdpSec);
        assert_eq!(events, [Event::Selected(Transport::UdpSec)]);
        assert!(!peer.saw_tcp());
    }
}

#[test]
fn silence_leads_to_tcp_after_the_short_budget() {
    let peer = peer(Udp::Silent, true);
    let (outcome, events, took) = peer.call(Mode::Auto, UdpSec::Anywhere);
    assert_eq!(events, [Event::FellBack(Happened::Silence), Event::Selected(Transport::Tcp)]);
    assert!(took >= HANDSHAKE_BUDGET_WITH_FALLBACK && took < HANDSHAKE_BUDGET_WITH_FALLBACK * 2, "{took:?}");
    assert_echoes(outcome.expect("TCP answers"), peer);
}

#[test]
fn what_is_missing_here_leads_to_tcp_at_once() {
    let holder = UdpSocket::bind(loopback()).expect("a port");
    let held = UdpSec::From(holder.local_addr().expect("bound"));
    for (from, reason) in [(UdpSec::Disabled, Happened::Disabled), (held, Happened::CannotBind)] {
        let peer = peer(Udp::Served(b"test/1"), true);
        let (outcome, events, _) = peer.call(Mode::Auto, from);
        assert_eq!(events, [Event::FellBack(reason), Event::Selected(Transport::Tcp)]);
        assert_echoes(outcome.expect("TCP answers"), peer);
    }
}

#[test]
fn a_refusal_is_final() {
    for mode in [Mode::Auto, Mode::UdpSec] {
        let peer = peer(Udp::Served(b"another/1"), false);
        let (outcome, events, _) = peer.call(mode, UdpSec::Anywhere);
        let failed = outcome.expect_err("there is no such application there").why;
        assert_eq!(failed.reason, Happened::Refused(CloseCode::NoAppProtocol));
        assert_eq!(events, [Event::from(failed)]);
        assert!(!peer.saw_tcp());
        assert_eq!(peer.udp_sec.map(|endpoint| endpoint.sessions()), Some(0));
    }
}

/// Believes nobody.
struct Nobody;

impl Verifier for Nobody {
    fn verify(&self, _: &Claim<'_>, _: &IdentityProof<'_>) -> bool {
        false
    }
}

#[test]
fn a_peer_that_does_not_prove_itself_is_final_over_both_transports() {
    let credentials = Credentials { verifier: Some(&Nobody), ..Credentials::NONE };
    let connector = HostConnector::new(Config { credentials, ..settings(1, b"test/1") }, UdpSec::Anywhere);
    let reason = |mode, peer: &Peer| {
        let outcome = connector.connect(&peer.to, mode, |_| {});
        outcome.expect_err("it has shown nothing").why
    };
    for mode in [Mode::Auto, Mode::UdpSec] {
        let peer = peer(Udp::Served(b"test/1"), false);
        let failed = reason(mode, &peer);
        assert_eq!((failed.transport, failed.reason), (Transport::UdpSec, Happened::IdentityProofInvalid));
        assert!(!peer.saw_tcp());
    }
    // The peer's accept is given up with it: nothing has been proven to it, either.
    let mut over_tcp = peer(Udp::Silent, false);
    let listener = over_tcp.idle_tcp.take().expect("nobody serves");
    let config = tcp::Config::from(&settings(2, b"test/1"));
    let callers = Peers::Only(Vec::from([*StaticKeypair::from_secret([1; 32]).public()]));
    drop(listener);
    let mut listener =
        HostTcpListener::bind(over_tcp.to.tcp, config, callers, HostClock::start()).expect("the port again");
    let answering = thread::spawn(move || listener.accept(listener.now() + Duration::from_secs(3)).err());
    let failed = reason(Mode::Tcp, &over_tcp);
    assert_eq!((failed.transport, failed.reason), (Transport::Tcp, Happened::IdentityProofInvalid));
    assert!(answering.join().expect("no panic").is_some(), "no session began");
}

#[test]
fn tcp_that_fails_is_final() {
    let nobody = TcpListener::bind(loopback()).expect("a port").local_addr().expect("bound");
    let mut peer = peer(Udp::Served(b"test/1"), false);
    peer.to.tcp = nobody;
    for (mode, from) in [(Mode::Tcp, UdpSec::Anywhere), (Mode::Auto, UdpSec::Disabled)] {
        let (outcome, events, _) = peer.call(mode, from);
        let failed = outcome.expect_err("nobody listens").why;
        assert_eq!((failed.transport, failed.reason), (Transport::Tcp, Happened::ConnectionFailed));
        assert_eq!(events.last(), Some(&Event::from(failed)));
    }
    assert_eq!(peer.udp_sec.map(|endpoint| endpoint.sessions()), Some(0));
}

#[test]
fn quic_is_the_callers_own_stream_or_blocked() {
    let peer = peer(Udp::Served(b"test/1"), false);
    let (outcome, ..) = peer.call(Mode::Quic, UdpSec::Anywhere);
    assert_eq!(outcome.expect_err("none was brought").why.reason, Happened::Disabled);
    // The caller's own: any stream whose peer has been proven. Here one over another port.
    let connector = HostConnector::new(settings(1, b"test/1"), UdpSec::Anywhere);
    let own = |budget| {
        let endpoint = connector.bind(&peer.to, budget)?;
        endpoint.connect(peer.to.udp_sec, &peer.to.peer, Instant::MAX).map_err(Happened::from)
    };
    let mut events = Vec::new();
    let outcome = connector.connect_with(&peer.to, Mode::Quic, own, |event| events.push(event));
    assert_eq!(outcome.expect("it answers").transport(), Transport::Quic);
    assert_eq!(events, [Event::Selected(Transport::Quic)]);
}
