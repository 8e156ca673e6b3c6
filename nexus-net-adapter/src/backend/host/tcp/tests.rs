//! Sessions over TCP of the system, on the loopback.

use core::net::SocketAddr;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::vec;
use std::vec::Vec;

use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};

use super::{HostTcpListener, HostTcpStream, TcpError, connect_tcp};
use crate::backend::host::{HANDSHAKES_MAX, HostClock, Peers};
use crate::stream::{CloseReason, Interest, ReliableStream, StreamError};
use crate::tcp::Config;

fn config(seed: u8) -> Config {
    let application = ApplicationProtocol::new(b"test/1").unwrap();
    Config::new(StaticKeypair::from_secret([seed; 32]), Parameters::new(application, 0))
}

fn listener(config: Config, peers: Peers) -> (HostTcpListener, SocketAddr) {
    let listener = HostTcpListener::bind("127.0.0.1:0".parse().unwrap(), config, peers, HostClock::start());
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn only(seed: u8) -> Peers {
    Peers::Only(vec![*config(seed).keypair.public()])
}

fn soon(clock: HostClock) -> Instant {
    clock.now() + Duration::from_secs(10)
}

fn call(config: &Config, address: SocketAddr, peer: u8) -> Result<HostTcpStream, TcpError> {
    let clock = HostClock::start();
    connect_tcp(address, config, self::config(peer).keypair.public(), clock, soon(clock))
}

fn write_all(stream: &mut HostTcpStream, mut data: &[u8]) {
    while !data.is_empty() {
        let deadline = stream.now() + Duration::from_secs(10);
        let count = stream.write(data, deadline).unwrap();
        data = &data[count..];
    }
}

fn read_to_end(stream: &mut HostTcpStream) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), vec![0; 30_000]);
    loop {
        let deadline = stream.now() + Duration::from_secs(10);
        match stream.read(&mut part, deadline).unwrap() {
            0 => return all,
            count => all.extend_from_slice(&part[..count]),
        }
    }
}

#[test]
fn ten_mebibytes_each_way_and_a_clean_end() {
    let data: Vec<u8> = (0..10 << 20).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (mut listener, address) = listener(config(2), only(1));
    let expected = data.clone();
    let echoing = thread::spawn(move || {
        let mut stream = listener.accept(listener.now() + Duration::from_secs(10)).unwrap();
        assert_eq!(stream.peer().unwrap().key(), config(1).keypair.public());
        let received = read_to_end(&mut stream);
        assert!(received == expected);
        // Only the other direction is finished.
        write_all(&mut stream, &received);
        stream.close(stream.now() + Duration::from_secs(10)).unwrap();
    });
    let mut stream = call(&config(1), address, 2).unwrap();
    assert_eq!(stream.peer().unwrap().key(), config(2).keypair.public());
    write_all(&mut stream, &data);
    stream.finish().unwrap();
    assert!(read_to_end(&mut stream) == data);
    stream.close(stream.now() + Duration::from_secs(10)).unwrap();
    assert_eq!(stream.unsent(), 0);
    echoing.join().unwrap();
}

#[test]
fn a_reader_that_does_not_read_is_back_pressure_with_bounded_queues() {
    let (mut listener, address) = listener(config(2), only(1));
    let caller = thread::spawn(move || call(&config(1), address, 2).unwrap());
    let mut reader = listener.accept(listener.now() + Duration::from_secs(10)).unwrap();
    let mut writer = caller.join().unwrap();
    let mut written = 0;
    loop {
        match writer.write(&[7; 10_000], Instant::ZERO) {
            Ok(count) => written += count,
            // The system may still be moving bytes between its two queues.
            Err(StreamError::WouldBlock) => {
                let later = writer.now() + Duration::from_millis(200);
                if writer.wait(Interest::LowWater, later) == Err(StreamError::TimedOut) {
                    break;
                }
            }
            Err(other) => panic!("{other}"),
        }
        assert!(written < 64 << 20, "the system's queues are bounded, and so are ours");
    }
    assert!(writer.unsent() <= super::BUFFER as u64);
    let mut part = vec![0; 1 << 16];
    let mut read = 0;
    while read < written {
        read += reader.read(&mut part, soon_of(&reader)).unwrap();
        let _ = writer.wait(Interest::LowWater, Instant::ZERO);
    }
    assert_eq!((read, reader.read(&mut part, Instant::ZERO)), (written, Err(StreamError::WouldBlock)));
    assert_eq!(writer.wait(Interest::LowWater, Instant::ZERO), Ok(()));
}

fn soon_of(stream: &HostTcpStream) -> Instant {
    stream.now() + Duration::from_secs(10)
}

#[test]
fn strangers_hold_nobody_up_and_learn_nothing() {
    let (mut listener, address) = listener(config(2), only(1));
    // One that says nothing, one that speaks another language, one with a key that is not allowed.
    let silent = TcpStream::connect(address).unwrap();
    let mut babbling = TcpStream::connect(address).unwrap();
    babbling.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let unknown = thread::spawn(move || call(&config(3), address, 2).map(|_| ()));
    let mistaken = thread::spawn(move || call(&config(1), address, 22).map(|_| ()));
    let honest = thread::spawn(move || call(&config(1), address, 2).map(|_| ()));
    let accepted = listener.accept(listener.now() + Duration::from_secs(10)).unwrap();
    assert_eq!(accepted.peer().unwrap().key(), config(1).keypair.public());
    assert_eq!(
        listener.accept(listener.now() + Duration::from_millis(300)).err(),
        Some(StreamError::TimedOut)
    );
    assert!(honest.join().unwrap().is_ok());
    for stranger in [unknown, mistaken] {
        let failed = stranger.join().unwrap();
        let silence = CloseReason::HandshakeTimeout;
        assert!(
            matches!(failed, Err(TcpError::Failed(StreamError::Closed(why))) if why == silence),
            "{failed:?}"
        );
    }
    let mut answer = Vec::new();
    // Closed, maybe with a reset, and without a byte.
    let _ = babbling.read_to_end(&mut answer);
    assert!(answer.is_empty());
    assert_eq!(listener.rejects().get(Reject::PeerNotAuthorized), 1);
    assert_eq!(listener.rejects().get(Reject::BadMac1), 1);
    assert_eq!(listener.rejects().get(Reject::OversizeDatagram), 1, "\"GE\" is a length that no record has");
    drop(silent);
}

#[test]
fn handshakes_are_bounded() {
    let (mut listener, address) = listener(config(2), only(1));
    let strangers: Vec<_> = (0..HANDSHAKES_MAX + 5).map(|_| TcpStream::connect(address).unwrap()).collect();
    let honest = thread::spawn(move || call(&config(1), address, 2).map(|_| ()));
    listener.accept(listener.now() + Duration::from_secs(10)).unwrap();
    assert!(honest.join().unwrap().is_ok());
    assert!(listener.rejects().get(Reject::HalfOpenLimit) >= 5);
    drop(strangers);
}

#[test]
fn a_refusal_arrives_and_a_killed_peer_is_no_clean_end() {
    let mut other = config(1);
    other.parameters.application = ApplicationProtocol::new(b"other/1").unwrap();
    let (mut listener, address) = listener(config(2), only(1));
    let refused = thread::spawn(move || call(&other, address, 2).map(|_| ()));
    assert!(listener.accept(listener.now() + Duration::from_millis(500)).is_err());
    let refusal = CloseReason::Refused(CloseCode::NoAppProtocol);
    let failed = refused.join().unwrap();
    assert!(
        matches!(failed, Err(TcpError::Failed(StreamError::Closed(why))) if why == refusal),
        "{failed:?}"
    );

    // The process on the other side is gone, and its system closes the connection for it: that is no end.
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    let caller = thread::spawn(move || call(&config(1), address, 2));
    let (mut plain, _) = port.accept().unwrap();
    plain.read_exact(&mut [0; 1202]).unwrap();
    drop(plain);
    let failed = caller.join().unwrap().err();
    let silence = CloseReason::HandshakeTimeout;
    assert!(
        matches!(failed, Some(TcpError::Failed(StreamError::Closed(why))) if why == silence),
        "{failed:?}"
    );
}

#[test]
fn an_aborted_session_is_told() {
    let (mut listener, address) = listener(config(2), only(1));
    let caller = thread::spawn(move || {
        let mut stream = call(&config(1), address, 2).unwrap();
        write_all(&mut stream, b"the last words");
        // Dropped here.
    });
    let mut stream = listener.accept(listener.now() + Duration::from_secs(10)).unwrap();
    caller.join().unwrap();
    let mut part = [0; 100];
    assert_eq!(stream.read(&mut part, soon_of(&stream)), Ok(14));
    let aborted = StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort));
    assert_eq!(stream.read(&mut part, soon_of(&stream)), Err(aborted));
    assert_eq!(stream.write(b"too late", soon_of(&stream)), Err(aborted));
}

#[test]
fn nobody_there_and_a_busy_port_are_said_at_once() {
    let (listener, address) = listener(config(2), only(1));
    let busy = HostTcpListener::bind(address, config(2), Peers::Any, HostClock::start());
    assert_eq!(busy.err().map(|error| error.kind()), Some(std::io::ErrorKind::AddrInUse));
    drop(listener);
    assert!(matches!(call(&config(1), address, 2), Err(TcpError::Connection(_))));
}
