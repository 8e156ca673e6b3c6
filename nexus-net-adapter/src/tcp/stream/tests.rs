//! Streams over a pipe: deadlines, back-pressure, the two ends, and the smallest memory.

use core::cell::Cell;
use std::vec;
use std::vec::Vec;

use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::AllowList;
use udp_sec::time::{Duration, Instant};

use super::SecureTcpStream;
use crate::backend::pipe::{Pipe, PipeEnd};
use crate::stream::{CloseReason, Interest, ReliableStream, StreamError};
use crate::tcp::tests::{allow, config, memory, pattern, rng};
use crate::tcp::{Buffer, ByteStream, ByteStreamError, INBOUND_MIN, Memory, OUTBOUND_MIN, Readiness};

const NOW: Instant = Instant::ZERO;
const LOST: StreamError = StreamError::Closed(CloseReason::ConnectionLost);

type Stream<'p, const N: usize> = SecureTcpStream<PipeEnd<'p, N>, Vec<u8>>;

/// Before the first byte.
fn begun<const N: usize>(pipe: &Pipe<N>, inbound: usize, outbound: usize) -> (Stream<'_, N>, Stream<'_, N>) {
    let (near, far) = pipe.ends();
    let peer = *config(2).keypair.public();
    let client =
        SecureTcpStream::connect(near, memory(inbound, outbound), &config(1), &peer, &mut rng(3)).unwrap();
    (client, SecureTcpStream::accept(far, memory(inbound, outbound), &config(2)))
}

/// Both have proven themselves.
fn open<const N: usize>(pipe: &Pipe<N>, inbound: usize, outbound: usize) -> (Stream<'_, N>, Stream<'_, N>) {
    let (mut client, mut server) = begun(pipe, inbound, outbound);
    establish(&mut client, &mut server);
    (client, server)
}

fn establish<T: ByteStream, B: Buffer>(
    client: &mut SecureTcpStream<T, B>,
    server: &mut SecureTcpStream<T, B>,
) {
    for _ in 0..1000 {
        let _ = client.established(NOW);
        let _ = server.answer(&config(2), &allow(config(1).keypair.public()), &mut rng(4), NOW);
        if client.established(NOW).is_ok() && server.established(NOW).is_ok() {
            return;
        }
    }
    panic!("not established");
}

/// Moves `data` from one stream to the other, whose reader takes `pace` bytes at a time.
fn transfer<T: ByteStream, B: Buffer>(
    from: &mut SecureTcpStream<T, B>,
    to: &mut SecureTcpStream<T, B>,
    data: &[u8],
    pace: usize,
) {
    let (mut written, mut read, mut part) = (0, Vec::new(), vec![0; pace]);
    while read.len() < data.len() {
        match from.write(&data[written..], NOW) {
            Ok(count) => written += count,
            Err(why) => assert_eq!(why, StreamError::WouldBlock),
        }
        match to.read(&mut part, NOW) {
            Ok(count) => read.extend_from_slice(&part[..count]),
            Err(why) => assert_eq!(why, StreamError::WouldBlock),
        }
    }
    assert!(read == data);
}

#[test]
fn bytes_cross_the_narrowest_pipe_in_the_smallest_memory() {
    let pipe = Pipe::<7>::new();
    let (mut client, mut server) = open(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    transfer(&mut client, &mut server, &pattern(20_000), 100);
    transfer(&mut server, &mut client, &pattern(20_000), 1);
}

#[test]
fn bytes_cross_a_wide_pipe_in_large_records() {
    let pipe = Pipe::<100_000>::new();
    let (mut client, mut server) = open(&pipe, 1 << 16, 1 << 16);
    transfer(&mut client, &mut server, &pattern(10 << 20), 1 << 16);
}

/// A device lends arrays; nothing allocates but the handshake.
#[test]
fn memory_can_be_borrowed() {
    let pipe = Pipe::<4096>::new();
    let (near, far) = pipe.ends();
    let mut rooms = [([0; INBOUND_MIN], [0; OUTBOUND_MIN]), ([0; INBOUND_MIN], [0; OUTBOUND_MIN])];
    let [(in1, out1), (in2, out2)] = &mut rooms;
    let ours = Memory::new(&mut in1[..], &mut out1[..]).unwrap();
    let theirs = Memory::new(&mut in2[..], &mut out2[..]).unwrap();
    let peer = *config(2).keypair.public();
    let mut client = SecureTcpStream::connect(near, ours, &config(1), &peer, &mut rng(3)).unwrap();
    let mut server = SecureTcpStream::accept(far, theirs, &config(2));
    establish(&mut client, &mut server);
    transfer(&mut client, &mut server, &pattern(50_000), 777);
}

#[test]
fn a_deadline_is_kept_and_a_past_one_does_not_wait() {
    let pipe = Pipe::<100>::new();
    let (mut client, mut server) = open(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    assert_eq!(server.read(&mut [0], NOW), Err(StreamError::WouldBlock));
    assert_eq!(pipe.now(), NOW);
    let later = NOW + Duration::from_secs(2);
    assert_eq!(server.read(&mut [0], later), Err(StreamError::TimedOut));
    assert_eq!((pipe.now(), server.now()), (later, later));
    assert_eq!(server.wait(Interest::Readable, later + Duration::from_secs(1)), Err(StreamError::TimedOut));
    // Nobody reads: the pipe and the buffer fill, and writing is back-pressure.
    let mut written = 0;
    while let Ok(count) = client.write(&[1; 500], NOW) {
        written += count;
    }
    assert!(written <= OUTBOUND_MIN + 100);
    let deadline = pipe.now() + Duration::from_secs(1);
    assert_eq!(client.write(&[1], deadline), Err(StreamError::TimedOut));
    assert_eq!(client.wait(Interest::LowWater, NOW), Err(StreamError::WouldBlock));
    assert!(client.unsent() > 1000);
    let (mut read, mut part) = (0, [0; 64]);
    while read < written {
        let _ = client.wait(Interest::LowWater, NOW);
        read += server.read(&mut part, NOW).unwrap_or(0);
    }
    assert_eq!((client.wait(Interest::LowWater, NOW), client.unsent()), (Ok(()), 0));
}

/// A byte stream that refuses to send as often as it is told to.
struct Hesitant<'p> {
    end: PipeEnd<'p, 100_000>,
    refusals: &'p Cell<usize>,
}

impl ByteStream for Hesitant<'_> {
    fn now(&self) -> Instant {
        self.end.now()
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<usize, ByteStreamError> {
        self.end.receive(room)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, ByteStreamError> {
        match self.refusals.get() {
            0 => self.end.send(bytes),
            left => {
                self.refusals.set(left - 1);
                Err(ByteStreamError::WouldBlock)
            }
        }
    }

    fn finish(&mut self) {
        self.end.finish();
    }

    fn wait(&mut self, readiness: Readiness, until: Instant) {
        self.end.wait(readiness, until);
    }
}

/// Room that comes up between the last try to write and the wait is not slept through.
#[test]
fn what_leaves_last_makes_room_too() {
    let (pipe, refusals) = (Pipe::<100_000>::new(), Cell::new(0));
    let (near, far) = pipe.ends();
    let [near, far] = [near, far].map(|end| Hesitant { end, refusals: &refusals });
    let peer = *config(2).keypair.public();
    let room = || memory(INBOUND_MIN, OUTBOUND_MIN);
    let mut client = SecureTcpStream::connect(near, room(), &config(1), &peer, &mut rng(3)).unwrap();
    let mut server = SecureTcpStream::accept(far, room(), &config(2));
    establish(&mut client, &mut server);
    for hesitations in 0..4 {
        refusals.set(usize::MAX);
        while client.write(&[1; 500], NOW).is_ok() {}
        refusals.set(hesitations);
        let before = pipe.now();
        let deadline = before + Duration::from_secs(1);
        assert!(client.write(&[2; 500], deadline).is_ok(), "after {hesitations}");
        assert_eq!(pipe.now(), before, "nothing to wait for");
    }
}

#[test]
fn the_low_water_mark_is_respected() {
    let pipe = Pipe::<100>::new();
    let (mut client, mut server) = open(&pipe, INBOUND_MIN, 1 << 16);
    client.set_low_water(1_000);
    assert_eq!(client.write(&[1; 5_000], NOW), Ok(5_000));
    let mut part = [0; 50];
    while client.wait(Interest::LowWater, NOW).is_err() {
        assert!(client.unsent() > 1_000);
        let _ = server.read(&mut part, NOW);
    }
    assert!((900..=1_000).contains(&client.unsent()), "{}", client.unsent());
}

#[test]
fn half_a_close_and_then_the_other_half() {
    let pipe = Pipe::<4096>::new();
    let (mut client, mut server) = open(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    client.write(b"question", NOW).unwrap();
    client.finish().unwrap();
    client.finish().unwrap();
    assert_eq!(client.write(b"?", NOW), Err(StreamError::Finished));
    let mut part = [0; 100];
    assert_eq!((server.read(&mut part, NOW), server.read(&mut part, NOW)), (Ok(8), Ok(0)));
    assert_eq!(server.write(b"answer", NOW), Ok(6));
    assert_eq!(server.close(NOW), Err(StreamError::WouldBlock));
    assert_eq!((client.read(&mut part, NOW), client.read(&mut part, NOW)), (Ok(6), Ok(0)));
    assert_eq!((server.close(NOW), client.close(NOW)), (Ok(()), Ok(())));
    // The bytes below are finished as well, in both directions.
    drop(client);
    assert_eq!(server.read(&mut part, NOW), Ok(0));
}

#[test]
fn a_stream_dropped_is_an_abort_and_a_pipe_dropped_a_loss() {
    let pipe = Pipe::<4096>::new();
    let (client, mut server) = open(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    drop(client);
    let aborted = StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort));
    // The first write is taken before that is known; one that finds nobody there looks why.
    assert_eq!(server.write(b"x", NOW), Ok(1));
    assert_eq!((server.write(b"x", NOW), server.read(&mut [0], NOW)), (Err(aborted), Err(aborted)));

    // Nothing leaves of the abort, because the pipe is full: the peer reads what came, and then the loss.
    let pipe = Pipe::<60>::new();
    let (mut client, mut server) = open(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    client.write(b"first", NOW).unwrap();
    client.write(&[2; 500], NOW).unwrap();
    drop(client);
    let mut part = [0; 100];
    assert_eq!((server.read(&mut part, NOW), &part[..5]), (Ok(5), &b"first"[..]));
    assert_eq!((server.read(&mut part, NOW), server.reject()), (Err(LOST), None));
}

#[test]
fn who_is_not_let_in_hears_the_end_and_nothing_else() {
    let pipe = Pipe::<4096>::new();
    let (mut client, mut server) = begun(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    assert_eq!(client.established(NOW), Err(StreamError::WouldBlock));
    assert_eq!((client.peer(), client.write(b"x", NOW)), (None, Err(StreamError::WouldBlock)));
    let answer = server.answer(&config(2), &AllowList::<1>::new(), &mut rng(4), NOW);
    assert_eq!((answer, server.reject()), (Err(LOST), Some(Reject::PeerNotAuthorized)));
    // The end, while the called side still exists.
    let silence = StreamError::Closed(CloseReason::HandshakeTimeout);
    assert_eq!(client.established(NOW), Err(silence));
    assert_eq!((server.peer(), server.read(&mut [0], NOW)), (None, Err(LOST)));
}

/// The called side knows a name before the caller has proven that it is there now: no session begins on that.
#[cfg(feature = "mux")]
#[test]
fn test_reject_unauthenticated_session_over_tcp() {
    use crate::mux::{MuxReject, Pump};

    let pipe = Pipe::<4096>::new();
    let (mut client, mut server) = begun(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    assert_eq!(client.established(NOW), Err(StreamError::WouldBlock));
    assert_eq!(server.answer(&config(2), &allow(config(1).keypair.public()), &mut rng(4), NOW), Ok(()));
    assert_eq!(Pump::<_, 4096>::begin(server).err(), Some(MuxReject::UnauthenticatedSession));
    drop(client);

    let pipe = Pipe::<4096>::new();
    let (client, server) = open(&pipe, INBOUND_MIN, OUTBOUND_MIN);
    assert_eq!(Pump::<_, 4096>::begin(server).unwrap().peer().key(), config(1).keypair.public());
    assert_eq!(Pump::<_, 4096>::begin(client).unwrap().peer().key(), config(2).keypair.public());
}

#[test]
fn a_peer_that_says_nothing_costs_the_handshake_budget() {
    let pipe = Pipe::<4096>::new();
    let (near, _far) = pipe.ends();
    let mut budget = config(1);
    budget.handshake_budget = Duration::from_secs(5);
    let mut client = SecureTcpStream::connect(
        near,
        memory(INBOUND_MIN, OUTBOUND_MIN),
        &budget,
        config(2).keypair.public(),
        &mut rng(3),
    )
    .unwrap();
    let silence = StreamError::Closed(CloseReason::HandshakeTimeout);
    assert_eq!(client.established(Instant::MAX), Err(silence));
    assert_eq!(pipe.now(), NOW + Duration::from_secs(5));
}

/// Waiting includes what time makes due: a side that only waits answers, and gives up.
#[test]
fn waiting_keeps_a_session_alive_and_ends_a_dead_one() {
    let pipe = Pipe::<4096>::new();
    let (near, far) = pipe.ends();
    let mut keepalive = config(1);
    keepalive.keepalive = true;
    let room = || memory(INBOUND_MIN, OUTBOUND_MIN);
    let peer = *config(2).keypair.public();
    let mut client = SecureTcpStream::connect(near, room(), &keepalive, &peer, &mut rng(3)).unwrap();
    let mut server = SecureTcpStream::accept(far, room(), &config(2));
    establish(&mut client, &mut server);
    for minute in 1..10 {
        while pipe.now() < NOW + Duration::from_secs(60 * minute) {
            let next = pipe.now() + Duration::from_secs(5);
            assert!(client.wait(Interest::Readable, next).is_err());
            assert_eq!(server.wait(Interest::Readable, NOW), Err(StreamError::WouldBlock));
        }
    }
    let before = pipe.now();
    let idle = StreamError::Closed(CloseReason::IdleTimeout);
    assert_eq!(client.read(&mut [0], Instant::MAX), Err(idle));
    let waited = pipe.now().saturating_since(before);
    assert!(waited >= Duration::from_secs(20) && waited <= Duration::from_secs(41), "{waited:?}");
}
