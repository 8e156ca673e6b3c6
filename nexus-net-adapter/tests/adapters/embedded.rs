//! `embedded_io`, on endpoints without a system, in virtual time.

use embedded_io::{Error, ErrorKind, Read, ReadReady, Write, WriteReady};
use nexus_net_adapter::io::BlockingIo;
use nexus_net_adapter::stream::{CloseReason, ReliableStream, StreamError};
use udp_sec::error::CloseCode;
use udp_sec::time::Duration;

use crate::{BYTES, network, pattern};

/// What a session holds where the reader stalls: both buffers.
const HELD: usize = 2 * 262_144;
/// A turn of one side: the other one stands still meanwhile.
const TURN: Duration = Duration::from_millis(1);

/// Two ends of a session at 5 % loss, whose calls wait for a turn at most.
fn session() -> [BlockingIo<network::Session>; 2] {
    let (near, far) = network::pair(5);
    [near, far].map(|stream| {
        let mut io = BlockingIo::new(stream);
        io.set_timeout(Some(TURN));
        io
    })
}

/// A call that takes more than a turn has done nothing.
fn in_turn(outcome: Result<usize, StreamError>) -> usize {
    match outcome {
        Err(StreamError::TimedOut) => 0,
        outcome => outcome.expect("an open session"),
    }
}

#[test]
fn ten_mebibytes_at_5_percent_loss_with_a_reader_that_stalls() {
    let [mut near, mut far] = session();
    let sent = pattern(BYTES, 3);
    let mut written = 0;
    // The reader takes part in the protocol, and no more, for 5 s: until everything is full, and for longer.
    for _ in 0..5_000 {
        written += in_turn(near.write(&sent[written..]));
        far.read_ready().expect("an open session");
    }
    assert_eq!(written, HELD, "both buffers are full, and nothing else is");
    assert_eq!(near.write_ready(), Ok(false));
    assert_eq!(near.write(b"!"), Err(StreamError::TimedOut));
    near.set_timeout(Some(Duration::ZERO));
    assert_eq!(near.write(b"!"), Err(StreamError::WouldBlock));
    near.set_timeout(Some(TURN));
    assert_eq!(far.read_ready(), Ok(true));

    let mut received = Vec::<u8>::new();
    let mut buffer = [0; 16 * 1024];
    while received.len() < BYTES {
        if written < BYTES {
            written += in_turn(near.write(&sent[written..]));
            if written == BYTES {
                near.get_mut().finish().expect("open");
            }
        } else {
            near.write_ready().expect("an open session");
        }
        let count = in_turn(far.read(&mut buffer));
        received.extend(&buffer[..count]);
    }
    assert!(received == sent, "what arrived differs");
    assert_eq!(far.read(&mut buffer), Ok(0), "the end");
    assert_eq!(near.write(b"!"), Err(StreamError::Finished));
}

#[test]
fn flushing_waits_until_the_peer_has_it() {
    let [mut near, mut far] = session();
    assert_eq!(near.write(b"hello"), Ok(5));
    // Nobody drives the peer meanwhile.
    assert_eq!(near.flush(), Err(StreamError::TimedOut));
    let mut turns = 0;
    while near.flush() == Err(StreamError::TimedOut) {
        far.read_ready().expect("an open session");
        turns += 1;
        assert!(turns < 10_000, "the acknowledgement comes");
    }
    let mut text = [0; 8];
    assert_eq!(far.read(&mut text), Ok(5));
    assert_eq!(near.write(b"lost"), Ok(4));
    near.get_mut().abort();
    assert_eq!(near.flush(), Err(StreamError::Closed(CloseReason::ByUs(CloseCode::AppAbort))));
}

#[test]
fn every_error_has_the_kind_that_tcp_would_report() {
    let code = CloseCode::AppAbort;
    for (error, kind) in [
        (StreamError::WouldBlock, ErrorKind::TimedOut),
        (StreamError::TimedOut, ErrorKind::TimedOut),
        (StreamError::Finished, ErrorKind::BrokenPipe),
        (StreamError::Closed(CloseReason::Complete), ErrorKind::BrokenPipe),
        (StreamError::Closed(CloseReason::ByPeer(code)), ErrorKind::ConnectionReset),
        (StreamError::Closed(CloseReason::ByUs(code)), ErrorKind::ConnectionAborted),
        (StreamError::Closed(CloseReason::Refused(code)), ErrorKind::ConnectionRefused),
        (StreamError::Closed(CloseReason::IdleTimeout), ErrorKind::TimedOut),
        (StreamError::Closed(CloseReason::HandshakeTimeout), ErrorKind::TimedOut),
        (StreamError::Closed(CloseReason::NoPath), ErrorKind::NotConnected),
        (StreamError::Closed(CloseReason::Superseded), ErrorKind::ConnectionReset),
        (StreamError::Closed(CloseReason::ConnectionLost), ErrorKind::ConnectionAborted),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
    }
}
