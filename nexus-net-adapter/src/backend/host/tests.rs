//! Two endpoints on the loopback interface, in one process.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::vec;
use std::vec::Vec;

use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::Config;

use super::{HostEndpoint, HostStream, OpenError, Peers, config};
use crate::stream::{CloseReason, Interest, ReliableStream, StreamError};

const LOOPBACK: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 0);
/// Longer than anything here takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn keys(seed: u8) -> StaticKeypair {
    StaticKeypair::from_secret([seed; 32])
}

fn settings(seed: u8) -> Config {
    config(keys(seed), ApplicationProtocol::new(b"test/1").expect("short"))
}

fn endpoint(seed: u8, peers: Peers) -> HostEndpoint {
    HostEndpoint::bind(LOOPBACK, settings(seed), peers).expect("a free port")
}

fn soon(endpoint: &HostEndpoint) -> Instant {
    endpoint.now() + LONG
}

/// A client, a server and a session between them.
fn session() -> (HostEndpoint, HostStream, HostEndpoint, HostStream) {
    let client = endpoint(1, Peers::Only(vec![]));
    let server = endpoint(2, Peers::Only(vec![*keys(1).public()]));
    let address = server.local_addr().expect("bound");
    let accepting = {
        let server = server.clone();
        thread::spawn(move || server.accept(soon(&server)).expect("a session"))
    };
    let near = client.connect(address, keys(2).public(), soon(&client)).expect("a session");
    let far = accepting.join().expect("no panic");
    (client, near, server, far)
}

/// Bytes that look random and differ at every offset, so that a misplaced one shows.
fn pattern(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

fn read_to_end(stream: &mut HostStream) -> Result<Vec<u8>, StreamError> {
    let mut all = Vec::new();
    let mut buf = vec![0; 65_536];
    loop {
        let deadline = stream.now() + LONG;
        match stream.read(&mut buf, deadline)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buf[..count]),
        }
    }
}

fn write_and_finish(stream: &mut HostStream, data: &[u8]) {
    stream.write_all(data, stream.now() + LONG).expect("room");
    stream.finish().expect("open");
}

#[test]
fn ten_mebibytes_arrive_both_ways_at_once() {
    let (client, mut near, server, mut far) = session();
    assert_eq!(near.peer().map(|peer| *peer.key()), Some(*keys(2).public()));
    assert_eq!(far.peer().map(|peer| *peer.key()), Some(*keys(1).public()));
    let (there, back) = (pattern(10 << 20, 1), pattern(10 << 20, 2));
    let answering = {
        let (expected, answer) = (there.clone(), back.clone());
        let mut writer = far.clone();
        thread::spawn(move || {
            let writing = thread::spawn(move || write_and_finish(&mut writer, &answer));
            let received = read_to_end(&mut far).expect("all of it");
            assert!(received == expected, "what the server received differs");
            writing.join().expect("no panic");
            far.close(far.now() + LONG).expect("complete");
        })
    };
    let mut writer = near.clone();
    let writing = thread::spawn(move || write_and_finish(&mut writer, &there));
    let received = read_to_end(&mut near).expect("all of it");
    assert!(received == back, "what the client received differs");
    writing.join().expect("no panic");
    near.close(near.now() + LONG).expect("complete");
    answering.join().expect("no panic");
    drop(near);
    client.linger(soon(&client)).expect("silence");
    server.linger(soon(&server)).expect("silence");
}

#[test]
fn finishing_one_direction_leaves_the_other_open() {
    let (_client, mut near, _server, mut far) = session();
    write_and_finish(&mut near, b"question");
    assert_eq!(read_to_end(&mut far).expect("the question"), b"question");
    assert_eq!(near.write(b"more", near.now() + LONG), Err(StreamError::Finished));
    thread::scope(|scope| {
        scope.spawn(|| write_and_finish(&mut far, b"answer"));
        assert_eq!(read_to_end(&mut near).expect("the answer"), b"answer");
    });
    assert_eq!(near.read(&mut [0; 8], near.now() + LONG), Ok(0), "the end stays the end");
}

#[test]
fn a_reader_that_stalls_stops_the_writer_and_not_the_session() {
    let (_client, mut near, server, mut far) = session();
    let data = pattern(16 << 20, 3);
    let reading = thread::spawn(move || {
        // Takes part in the protocol, but reads nothing.
        assert_eq!(
            server.accept(server.now() + Duration::from_millis(600)).err(),
            Some(StreamError::TimedOut)
        );
        read_to_end(&mut far).expect("all of it")
    });
    let mut written = 0;
    let stalled_at = loop {
        match near.write(&data[written..], near.now() + Duration::from_millis(100)) {
            Ok(count) => written += count,
            Err(StreamError::TimedOut) => break written,
            Err(other) => panic!("{other}"),
        }
    };
    // Our send buffer and the peer's receive buffer are full, and nothing else holds bytes.
    assert_eq!(stalled_at, 8 << 20);
    assert_eq!(near.write(&data[written..], Instant::ZERO), Err(StreamError::WouldBlock));
    write_and_finish(&mut near, &data[written..]);
    near.flush(near.now() + LONG).expect("acknowledged");
    assert!(reading.join().expect("no panic") == data, "what arrived differs");
}

#[test]
fn waiting_tells_what_can_be_done() {
    let (_client, mut near, _server, mut far) = session();
    assert_eq!(near.wait(Interest::Readable, near.now()), Err(StreamError::WouldBlock));
    let brief = near.now() + Duration::from_millis(20);
    assert_eq!(near.wait(Interest::Readable, brief), Err(StreamError::TimedOut));
    assert!(near.now() >= brief, "it waited for as long as it was told to");
    assert_eq!(near.wait(Interest::Either, near.now()), Ok(()), "there is room to write");
    far.write_all(b"!", far.now() + LONG).expect("room");
    assert_eq!(near.wait(Interest::Readable, near.now() + LONG), Ok(()));
    assert_eq!(near.read(&mut [0; 8], near.now()), Ok(1));

    near.set_low_water(1000);
    thread::scope(|scope| {
        scope.spawn(move || read_to_end(&mut far));
        near.write_all(&pattern(2 << 20, 4), near.now() + LONG).expect("room");
        assert_eq!(near.wait(Interest::LowWater, near.now() + LONG), Ok(()));
        assert!(near.unsent() <= 1000, "{} bytes are unsent", near.unsent());
        near.finish().expect("open");
        near.flush(near.now() + LONG).expect("acknowledged");
    });
}

#[test]
fn flush_waits_for_acknowledgements() {
    let (_client, mut near, _server, far) = session();
    // Nobody drives the server, so nothing can be acknowledged.
    near.write_all(b"hello", near.now() + LONG).expect("room");
    assert_eq!(near.flush(near.now() + Duration::from_millis(50)), Err(StreamError::TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| far.clone().read(&mut [0; 8], far.now() + LONG));
        near.flush(near.now() + LONG).expect("acknowledged");
    });
}

#[test]
fn a_thread_of_its_own_keeps_sessions_going() {
    let (client, mut near, _server, mut far) = session();
    let data = pattern(1 << 20, 6);
    write_and_finish(&mut near, &data);
    // No thread calls on behalf of the client any more, but this one.
    let attending = thread::spawn(move || client.attend(client.now() + Duration::from_secs(2)));
    assert!(read_to_end(&mut far).expect("all of it") == data, "what arrived differs");
    attending.join().expect("no panic");
}

#[test]
fn a_waiting_thread_is_told_what_another_one_received() {
    let (client, mut near, _server, mut far) = session();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // Takes nearly all datagrams from under the reader, who waits at the socket.
        scope.spawn(|| {
            let give_up = soon(&client);
            while !done.load(Ordering::Relaxed) && client.now() < give_up {
                client.attend(Instant::ZERO);
            }
        });
        scope.spawn(|| {
            for number in 0..=255 {
                assert_eq!(near.read(&mut [0], near.now() + LONG), Ok(1), "byte {number}");
                near.write_all(&[number], near.now() + LONG).expect("room");
            }
            done.store(true, Ordering::Relaxed);
        });
        for number in 0..=255 {
            let mut answer = [0];
            far.write_all(&[number], far.now() + LONG).expect("room");
            assert_eq!(far.read(&mut answer, far.now() + LONG), Ok(1));
            assert_eq!(answer, [number]);
        }
    });
}

#[test]
fn a_peer_that_drops_its_stream_is_heard() {
    let (_client, mut near, _server, far) = session();
    drop(far);
    let aborted = Err(StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort)));
    assert_eq!(near.read(&mut [0; 8], near.now() + LONG), aborted);
    assert_eq!(near.write(b"!", near.now() + LONG), aborted.map(|_: usize| 0));
    assert_eq!(near.wait(Interest::Readable, near.now()), Ok(()), "the end meets every interest");
}

#[test]
fn a_peer_that_falls_silent_is_noticed() {
    let mut settings = settings(2);
    settings.parameters.idle_timeout = Duration::from_secs(1);
    let server = HostEndpoint::bind(LOOPBACK, settings, Peers::Any).expect("a free port");
    let client = endpoint(1, Peers::Only(vec![]));
    let address = server.local_addr().expect("bound");
    let accepting = {
        let server = server.clone();
        thread::spawn(move || server.accept(soon(&server)).expect("a session"))
    };
    let mut near = client.connect(address, keys(2).public(), soon(&client)).expect("a session");
    // From here on nobody drives the server.
    let _far = accepting.join().expect("no panic");
    let timed_out = Err(StreamError::Closed(CloseReason::IdleTimeout));
    assert_eq!(near.read(&mut [0; 8], near.now() + LONG), timed_out);
}

#[test]
fn the_wrong_key_gets_silence() {
    let server = endpoint(2, Peers::Any);
    let address = server.local_addr().expect("bound");
    let mut settings = settings(1);
    settings.handshake_budget = Duration::from_millis(600);
    let client = HostEndpoint::bind(LOOPBACK, settings, Peers::Only(vec![])).expect("a free port");
    let failed = thread::scope(|scope| {
        let waiting = scope.spawn(|| server.accept(server.now() + Duration::from_secs(2)).err());
        let failed = client.connect(address, keys(3).public(), soon(&client)).err();
        assert_eq!(waiting.join().expect("no panic"), Some(StreamError::TimedOut));
        failed
    });
    assert_eq!(failed, Some(OpenError::Failed(StreamError::Closed(CloseReason::HandshakeTimeout))));
    // At 0 ms and 250 ms; the next would leave at 750 ms.
    assert_eq!(server.rejects().get(Reject::BadMac1), 2);
    assert_eq!(server.sessions() + client.sessions(), 0);
}

#[test]
fn a_peer_that_is_not_allowed_gets_silence() {
    let server = endpoint(2, Peers::Only(vec![*keys(9).public()]));
    let client = endpoint(1, Peers::Only(vec![]));
    let address = server.local_addr().expect("bound");
    thread::scope(|scope| {
        scope.spawn(|| server.accept(server.now() + Duration::from_secs(2)));
        let failed = client.connect(address, keys(2).public(), client.now() + Duration::from_millis(300));
        assert_eq!(failed.err(), Some(OpenError::Failed(StreamError::TimedOut)));
    });
    // At 0 ms and 250 ms.
    assert_eq!(server.rejects().get(Reject::PeerNotAuthorized), 2);
    assert_eq!(server.sessions(), 0);
}

#[test]
fn a_busy_port_is_an_error() {
    let first = endpoint(1, Peers::Any);
    let address = first.local_addr().expect("bound");
    let second = HostEndpoint::bind(address, settings(2), Peers::Any);
    assert_eq!(second.err().map(|error| error.kind()), Some(std::io::ErrorKind::AddrInUse));
}

#[test]
fn an_ipv6_socket_speaks_ipv4_as_well() {
    let any_v6 = SocketAddr::from((core::net::Ipv6Addr::UNSPECIFIED, 0));
    let Ok(server) = HostEndpoint::bind(any_v6, settings(2), Peers::Any) else {
        // A system without IPv6.
        return;
    };
    let port = server.local_addr().expect("bound").port();
    let client = endpoint(1, Peers::Only(vec![]));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut far = server.accept(soon(&server)).expect("a session");
            assert_eq!(far.peer_addr().expect("known"), client.local_addr().expect("bound"));
            assert_eq!(read_to_end(&mut far).expect("all of it"), b"over IPv4");
            far.close(soon(&server)).expect("complete");
        });
        let address = SocketAddr::from((core::net::Ipv4Addr::LOCALHOST, port));
        let mut near = client.connect(address, keys(2).public(), soon(&client)).expect("a session");
        near.write_all(b"over IPv4", soon(&client)).expect("room");
        near.close(soon(&client)).expect("complete");
    });
}

#[test]
fn sixty_four_sessions_share_two_sockets() {
    let client = endpoint(1, Peers::Only(vec![]));
    let server = endpoint(2, Peers::Only(vec![*keys(1).public()]));
    let address = server.local_addr().expect("bound");
    thread::scope(|scope| {
        // Each accepted session is served by a thread of its own: an echo.
        scope.spawn(|| {
            for _ in 0..64 {
                let mut stream = server.accept(soon(&server)).expect("a session");
                scope.spawn(move || {
                    let data = read_to_end(&mut stream).expect("a request");
                    write_and_finish(&mut stream, &data);
                    stream.close(stream.now() + LONG).expect("complete");
                });
            }
        });
        for number in 0..64_u64 {
            let client = &client;
            scope.spawn(move || {
                let mut stream = client.connect(address, keys(2).public(), soon(client)).expect("a session");
                let data = pattern(100_000, number);
                write_and_finish(&mut stream, &data);
                assert!(read_to_end(&mut stream).expect("an answer") == data, "session {number}");
                stream.close(soon(client)).expect("complete");
            });
        }
    });
    client.linger(soon(&client)).expect("silence");
    assert_eq!(client.sessions() + server.sessions(), 0);
}

#[test]
fn one_thread_can_serve_both_sides() {
    // Nothing here waits: every call has a deadline in the past, as in a program with a loop of its own.
    let client = endpoint(1, Peers::Only(vec![]));
    let server = endpoint(2, Peers::Any);
    let address = server.local_addr().expect("bound");
    let connecting = {
        let client = client.clone();
        let key: PublicKey = *keys(2).public();
        thread::spawn(move || client.connect(address, &key, soon(&client)).expect("a session"))
    };
    let give_up = server.now() + LONG;
    let mut far = loop {
        match server.accept(Instant::ZERO) {
            Ok(stream) => break stream,
            Err(StreamError::WouldBlock) => assert!(server.now() < give_up, "no session"),
            Err(other) => panic!("{other}"),
        }
    };
    let mut near = loop {
        if connecting.is_finished() {
            break connecting.join().expect("no panic");
        }
        // The answer to the client's first packet has left with the last call, or leaves with this one.
        _ = far.read(&mut [0], Instant::ZERO);
    };
    let (data, mut received, mut written) = (pattern(1 << 20, 5), Vec::new(), 0);
    let mut buf = vec![0; 4096];
    while received.len() < data.len() {
        match near.write(&data[written..], Instant::ZERO) {
            Ok(count) => written += count,
            Err(error) => assert_eq!(error, StreamError::WouldBlock),
        }
        match far.read(&mut buf, Instant::ZERO) {
            Ok(count) => received.extend_from_slice(&buf[..count]),
            Err(error) => assert_eq!(error, StreamError::WouldBlock),
        }
        assert!(server.now() < give_up, "{} bytes so far", received.len());
    }
    assert!(received == data, "what arrived differs");
}

/// Nothing of an endpoint's size goes through the stack of whoever binds it.
#[test]
fn a_thread_with_a_small_stack_can_bind() {
    let binding = thread::Builder::new().stack_size(128 * 1024).spawn(|| {
        let endpoint = endpoint(1, Peers::Any);
        endpoint.local_addr().expect("bound").port()
    });
    let port = binding.expect("a thread").join().expect("no panic, and no overflow");
    assert_ne!(port, 0);
}

/// Nobody listens there, and ICMP says so after each Initiation: anybody may have said that. Whoever listens there later is
/// reached by a repeat.
#[test]
fn what_icmp_says_ends_no_attempt() {
    let place = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let client = endpoint(1, Peers::Only(vec![*keys(2).public()]));
    let deadline = soon(&client);
    let calling = std::thread::spawn(move || client.connect(place, keys(2).public(), deadline).map(drop));
    std::thread::sleep(std::time::Duration::from_millis(400));
    let server = HostEndpoint::bind(place, settings(2), Peers::Only(vec![*keys(1).public()])).expect("free");
    let accepted = server.accept(soon(&server)).map(drop);
    assert_eq!((calling.join().expect("no panic"), accepted), (Ok(()), Ok(())));
}
