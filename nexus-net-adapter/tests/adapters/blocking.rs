//! `std::io::{Read, Write}`, as code written for a `TcpStream` uses them.

use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::thread;

use nexus_net_adapter::io::BlockingIo;
use nexus_net_adapter::stream::{CloseReason, Interest, ReliableStream, StreamError};
use udp_sec::error::CloseCode;
use udp_sec::time::{Duration, Instant};

use crate::hosts::{HELD, LONG, endpoint, session, silence};
use crate::relay::Relay;
use crate::{BYTES, pattern};

#[test]
fn ten_mebibytes_at_5_percent_loss_with_a_reader_that_stalls() {
    let (client, server) = (endpoint(1), endpoint(2));
    let relay = Relay::to(server.local_addr().expect("bound"));
    let (near, far) = session(&client, &server, relay.address());
    let sent = pattern(BYTES, 1);
    let received = thread::scope(|scope| {
        let (stalled, resume) = std::sync::mpsc::channel();
        let reading = scope.spawn(move || {
            // Takes part in the protocol, but reads nothing until the writer has met the stall.
            let attendant = server.attend_in_background().expect("a thread");
            resume.recv().expect("the writer gets there");
            drop(attendant);
            let mut received = Vec::new();
            let mut reader = BufReader::new(BlockingIo::new(far));
            reader.read_to_end(&mut received).expect("all of it");
            reader.into_inner().into_inner().close(Instant::MAX).expect("complete");
            silence(&[&server]);
            received
        });
        let mut writer = BlockingIo::new(near);
        writer.set_timeout(Some(Duration::from_secs(2)));
        let mut written = 0;
        let error = loop {
            match writer.write(&sent[written..]) {
                Ok(count) => written += count,
                Err(error) => break error,
            }
        };
        assert_eq!(
            (written, error.kind()),
            (HELD, ErrorKind::TimedOut),
            "both buffers are full, nothing else is"
        );
        writer.set_timeout(Some(Duration::ZERO));
        assert_eq!(writer.write(b"!").map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
        stalled.send(()).expect("the reader is there");
        writer.set_timeout(None);
        let mut writer = BufWriter::new(writer);
        writer.write_all(&sent[written..]).expect("room");
        writer.flush().expect("nothing to wait for");
        writer.get_mut().get_mut().close(client.now() + LONG).expect("complete");
        drop(writer);
        silence(&[&client]);
        reading.join().expect("no panic")
    });
    assert!(received == sent, "what arrived differs");
    relay.finish();
}

#[test]
fn an_end_has_the_kind_that_tcp_would_report_and_its_reason() {
    let (client, server) = (endpoint(1), endpoint(2));
    let address = server.local_addr().expect("bound");
    let (near, mut far) = session(&client, &server, address);
    let mut near = BlockingIo::new(near);
    far.write_all(b"last words", Instant::MAX).expect("room");
    far.wait(Interest::Delivered, Instant::ZERO).ok();
    far.abort();
    let mut text = [0; 16];
    let error = loop {
        match near.read(&mut text) {
            Ok(count) => assert_eq!(&text[..count], b"last words"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let reason = error.get_ref().and_then(|source| source.downcast_ref::<StreamError>());
    assert_eq!(reason, Some(&StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort))));
    assert_eq!(near.write(b"!").map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    let mut far = BlockingIo::new(far);
    assert_eq!(far.write(b"!").map_err(|error| error.kind()), Err(ErrorKind::ConnectionAborted));
    assert_eq!(far.read(&mut text).map_err(|error| error.kind()), Err(ErrorKind::ConnectionAborted));

    let (mut near, _far) = session(&client, &server, address);
    near.finish().expect("open");
    assert_eq!(BlockingIo::new(near).write(b"!").map_err(|error| error.kind()), Err(ErrorKind::BrokenPipe));
}

#[test]
fn what_is_delivered_survives_the_stream() {
    let (client, server) = (endpoint(1), endpoint(2));
    let (near, far) = session(&client, &server, server.local_addr().expect("bound"));
    let sent = pattern(1 << 20, 2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = BlockingIo::new(near);
            io::copy(&mut &sent[..], &mut writer).expect("room");
            writer.get_mut().finish().expect("open");
            writer.get_mut().wait(Interest::Delivered, client.now() + LONG).expect("acknowledged");
            drop(writer);
            silence(&[&client]);
        });
        let mut received = Vec::new();
        BlockingIo::new(far).read_to_end(&mut received).expect("all of it");
        assert!(received == sent, "what arrived differs");
    });
}
