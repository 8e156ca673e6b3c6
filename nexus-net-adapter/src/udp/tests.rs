//! Two endpoints in one thread and in virtual time, over the in-memory link and over a socket that refuses.

use core::cell::Cell;
use std::boxed::Box;
use std::vec::Vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Path, Transmit};
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool};
use udp_sec_recovery::memory::Small;

use super::{Clock, Datagrams, Driver, Received, SendError, UdpSecEndpoint};
use crate::backend::memory::{VirtualClock, Wire, WireSocket};
use crate::stream::{CloseReason, Interest, ReliableStream, StreamError};

type Pool = InlinePool<Small, 2>;
type Peers = AllowList<2>;
type Device<'w, B> = UdpSecEndpoint<B, ChaCha20Rng, Pool, Peers, &'w VirtualClock, 2, 2>;

const DELAY: Duration = Duration::from_millis(10);

fn keys(seed: u8) -> StaticKeypair {
    StaticKeypair::from_secret([seed; 32])
}

/// The endpoint with key `seed`, which lets `peer` in.
fn device<B: Datagrams>(clock: &VirtualClock, socket: B, seed: u8, peer: u8) -> Device<'_, B> {
    let application = ApplicationProtocol::new(b"test/1").expect("short");
    let config = Config::new(keys(seed), Parameters::new(application, 0));
    let mut peers = Peers::new();
    peers.add(*keys(peer).public()).expect("room");
    let endpoint = Endpoint::new(config, Box::default(), Pool::new(), peers);
    UdpSecEndpoint::new(Driver::new(endpoint, socket, ChaCha20Rng::from_seed([seed; 32])), clock)
}

/// Lets the earliest of what the two wait for happen.
fn step<B: Datagrams, F: Datagrams, const N: usize>(
    clock: &VirtualClock,
    wire: &Wire<N>,
    near: &Device<'_, B>,
    far: &Device<'_, F>,
) {
    let due = [near.drive().wake_at, far.drive().wake_at, wire.next_arrival()];
    let next = due.into_iter().flatten().min().expect("a session always waits for something");
    clock.advance_to(next);
    near.drive();
    far.drive();
}

/// Two devices and the session that the first has opened with the second.
macro_rules! session {
    ($clock:ident, $wire:ident, $near:ident, $far:ident, $client:ident, $server:ident) => {
        let $clock = &VirtualClock::default();
        let $wire = &Wire::<64>::new(DELAY);
        let (near_socket, far_socket) = $wire.ends();
        let path = Path::to(far_socket.local_addr());
        let ($near, $far) = (device($clock, near_socket, 1, 2), device($clock, far_socket, 2, 1));
        #[allow(unused_mut, reason = "not every test writes on both sides")]
        let mut $client = $near.connect(path, keys(2).public()).expect("room");
        assert_eq!($client.peer(), None, "nothing is proven yet");
        assert_eq!($client.write(b"!", Instant::ZERO), Err(StreamError::WouldBlock));
        #[allow(unused_mut, reason = "not every test writes on both sides")]
        let mut $server = loop {
            match $far.accept(Instant::ZERO) {
                Ok(stream) => break stream,
                Err(error) => assert_eq!(error, StreamError::WouldBlock),
            }
            step($clock, $wire, &$near, &$far);
        };
    };
}

#[test]
fn streams_of_one_thread_carry_bytes_both_ways() {
    session!(clock, wire, near, far, client, server);
    // Initiation, response, first packet: one and a half round trips.
    assert_eq!(clock.now(), Instant::ZERO + DELAY * 3);
    assert_eq!(client.peer().map(|peer| *peer.key()), Some(*keys(2).public()));
    assert_eq!(server.peer().map(|peer| *peer.key()), Some(*keys(1).public()));

    let data: Vec<u8> = (0..100_000_u32).map(|index| (index * 7 / 3) as u8).collect();
    let (mut written, mut echoed, mut received) = (0, 0, Vec::new());
    let mut held = Vec::new();
    let mut buf = [0; 3000];
    while received.len() < data.len() {
        for _ in 0..16 {
            written += client.write(&data[written..], Instant::ZERO).unwrap_or(0);
            let read = server.read(&mut buf, Instant::ZERO).unwrap_or(0);
            held.extend_from_slice(&buf[..read]);
            echoed += server.write(&held[echoed..], Instant::ZERO).unwrap_or(0);
            let read = client.read(&mut buf, Instant::ZERO).unwrap_or(0);
            received.extend_from_slice(&buf[..read]);
        }
        step(clock, wire, &near, &far);
        assert!(clock.now() < Instant::ZERO + Duration::from_secs(10), "{} bytes so far", received.len());
    }
    assert!(received == data, "what came back differs");
    assert_eq!(wire.dropped(), 0);

    client.finish().expect("open");
    while server.read(&mut buf, Instant::ZERO) != Ok(0) {
        step(clock, wire, &near, &far);
    }
    server.finish().expect("open");
    while far.look(|driver| driver.ended(server.id())) != Ok(()) {
        step(clock, wire, &near, &far);
    }
    assert_eq!(client.read(&mut buf, Instant::ZERO), Ok(0));
}

#[test]
fn waiting_lets_virtual_time_pass_up_to_the_deadline() {
    session!(clock, _wire, _near, _far, client, server);
    let deadline = clock.now() + Duration::from_millis(1500);
    assert_eq!(client.wait(Interest::Readable, deadline), Err(StreamError::TimedOut));
    assert_eq!(clock.now(), deadline);
    assert_eq!(server.read(&mut [0; 8], clock.now()), Err(StreamError::WouldBlock));
    assert_eq!(clock.now(), deadline, "a deadline in the past does not wait");
}

#[test]
fn an_unanswered_handshake_ends_the_stream() {
    let clock = &VirtualClock::default();
    let wire = &Wire::<64>::new(DELAY);
    let (near_socket, far_socket) = wire.ends();
    let near = device(clock, near_socket, 1, 2);
    let mut client = near.connect(Path::to(far_socket.local_addr()), keys(2).public()).expect("room");
    assert_eq!(client.wait(Interest::Either, Instant::MAX), Ok(()), "the end meets every interest");
    assert_eq!(clock.now(), Instant::ZERO + Duration::from_secs(30), "the handshake's budget");
    let timed_out = StreamError::Closed(CloseReason::HandshakeTimeout);
    assert_eq!(client.read(&mut [0; 8], Instant::ZERO), Err(timed_out));
    assert_eq!(client.write(b"!", Instant::ZERO), Err(timed_out));
    assert_eq!(client.finish(), Err(timed_out));
}

#[test]
fn dropping_a_stream_gives_its_handshake_up() {
    let clock = &VirtualClock::default();
    let wire = &Wire::<64>::new(DELAY);
    let (near_socket, far_socket) = wire.ends();
    let near = device(clock, near_socket, 1, 2);
    let path = Path::to(far_socket.local_addr());
    // More than there are places, one after the other.
    for _ in 0..5 {
        drop(near.connect(path, keys(2).public()).expect("the place of the last one is free"));
    }
    assert_eq!(near.drive().wake_at, None, "nothing is under way");
}

/// A socket whose sends fail in the way that `mood` says.
struct Moody<'w, const N: usize> {
    inner: WireSocket<'w, N>,
    mood: &'w Cell<Option<SendError>>,
}

impl<const N: usize> Datagrams for Moody<'_, N> {
    fn buffer(&mut self) -> &mut [u8] {
        self.inner.buffer()
    }

    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        match self.mood.get() {
            Some(error) => Err(error),
            None => self.inner.send(now, transmit),
        }
    }

    fn receive(&mut self, now: Instant, deliver: impl FnMut(Path, &mut [u8])) -> Received {
        self.inner.receive(now, deliver)
    }
}

#[test]
fn what_the_socket_does_not_take_is_held_and_sent_later() {
    let clock = &VirtualClock::default();
    let wire = &Wire::<64>::new(DELAY);
    let (near_socket, far_socket) = wire.ends();
    let path = Path::to(far_socket.local_addr());
    let mood = Cell::new(Some(SendError::WouldBlock));
    let near = device(clock, Moody { inner: near_socket, mood: &mood }, 1, 2);
    let _client = near.connect(path, keys(2).public()).expect("room");
    let next = near.drive();
    assert!(next.blocked, "it waits for the socket");
    assert_eq!(next.wake_at, None, "and does not spin meanwhile");
    assert_eq!(wire.next_arrival(), None);

    mood.set(None);
    assert!(!near.drive().blocked);
    assert_eq!(wire.next_arrival(), Some(clock.now() + DELAY), "the initiation is on its way");
    let counts = near.look(|driver| driver.counts());
    assert_eq!((counts.sends, counts.too_large, counts.failed), (1, 0, 0));
    assert!(counts.held >= 1);
}

#[test]
fn a_path_below_1200_bytes_ends_its_handshakes_at_once_and_no_other() {
    let clock = &VirtualClock::default();
    let wire = &Wire::<64>::new(DELAY);
    let (near_socket, far_socket) = wire.ends();
    let path = Path::to(far_socket.local_addr());
    let mood = Cell::new(None);
    let near = device(clock, Moody { inner: near_socket, mood: &mood }, 1, 2);
    let elsewhere = Path::to("192.0.2.1:1".parse().expect("an address"));
    let mut other = near.connect(elsewhere, keys(2).public()).expect("room");
    mood.set(Some(SendError::TooLarge));
    let mut client = near.connect(path, keys(2).public()).expect("room");
    assert_eq!(near.look(|driver| driver.counts().too_large), 1);
    let no_path = StreamError::Closed(CloseReason::NoPath);
    assert_eq!(client.read(&mut [0; 8], Instant::ZERO), Err(no_path));
    assert_eq!(other.read(&mut [0; 8], Instant::ZERO), Err(StreamError::WouldBlock), "it goes on trying");
}

#[test]
fn a_send_that_fails_for_any_other_reason_changes_no_state() {
    let clock = &VirtualClock::default();
    let wire = &Wire::<64>::new(DELAY);
    let (near_socket, far_socket) = wire.ends();
    let path = Path::to(far_socket.local_addr());
    let mood = Cell::new(Some(SendError::Failed));
    let near = device(clock, Moody { inner: near_socket, mood: &mood }, 1, 2);
    let mut client = near.connect(path, keys(2).public()).expect("room");
    assert_eq!(near.look(|driver| driver.counts().failed), 1);
    assert_eq!(client.read(&mut [0; 8], Instant::ZERO), Err(StreamError::WouldBlock), "it goes on trying");
    clock.advance_to(Instant::ZERO + Duration::from_millis(250));
    mood.set(None);
    near.drive();
    assert!(wire.next_arrival().is_some(), "the repeat left");
}
