//! tokio's traits over secure TCP: woken by the reactor, and by the session's own timer.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration as SystemDuration;

use nexus_net_adapter::backend::host::{HostClock, HostTcpListener, HostTcpStream, Peers, connect_tcp};
use nexus_net_adapter::backend::tokio::TokioTcp;
use nexus_net_adapter::io::AsyncIo;
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use nexus_net_adapter::tcp::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use udp_sec::time::{Duration, Instant};

use crate::hosts::{LONG, loopback, settings};
use crate::tasks::runtimes;
use crate::{BYTES, pattern};

/// Both ends of a session, opened by threads; `config` changes the settings of both.
fn session(config: impl Fn(&mut Config)) -> (HostTcpStream, HostTcpStream) {
    let clock = HostClock::start();
    let [ours, theirs] = [1, 2].map(|seed| {
        let mut settings = Config::from(&settings(seed));
        config(&mut settings);
        settings
    });
    let key = *theirs.keypair.public();
    let mut listener = HostTcpListener::bind(loopback(), theirs, Peers::Any, clock).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let accepting = thread::spawn(move || listener.accept(clock.now() + LONG).expect("a session"));
    let near = connect_tcp(address, &ours, &key, clock, clock.now() + LONG).expect("a session");
    (near, accepting.join().expect("no panic"))
}

fn io(stream: HostTcpStream) -> AsyncIo<TokioTcp> {
    AsyncIo::new(TokioTcp::new(stream).expect("a runtime"))
}

#[test]
fn ten_mebibytes_each_way_at_once_after_a_stall() {
    for runtime in runtimes() {
        let (near, far) = session(|_| ());
        runtime.block_on(async {
            let (mut near, far) = (io(near), io(far));
            let sent = pattern(BYTES, 6);
            let mut written = 0;
            while let Ok(count) =
                timeout(SystemDuration::from_millis(300), near.write(&sent[written..])).await
            {
                written += count.expect("an open session");
            }
            assert!(written < BYTES, "the system's buffers and ours hold less than {BYTES}");

            let echo = tokio::spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(far);
                tokio::io::copy(&mut reader, &mut writer).await.expect("an open session");
                writer.shutdown().await.expect("delivered");
            });
            let (mut reader, mut writer) = tokio::io::split(near);
            let rest = sent[written..].to_vec();
            let writing = tokio::spawn(async move {
                writer.write_all(&rest).await.expect("room");
                writer.shutdown().await.expect("delivered");
            });
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await.expect("all of it");
            assert!(received == sent, "what came back differs");
            writing.await.expect("no panic");
            echo.await.expect("no panic");
        });
    }
}

#[test]
fn a_peer_that_falls_silent_is_noticed_and_a_kept_alive_one_is_not() {
    let [runtime, _] = runtimes();
    let (near, far) = session(|config| config.parameters.idle_timeout = Duration::from_secs(1));
    runtime.block_on(async {
        // The other end exists, and nobody works for it.
        let error = io(near).read(&mut [0; 1]).await.expect_err("not the end of the stream");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.get_ref().is_some_and(|source| source.is::<StreamError>()), "and not for a deadline");
    });
    drop(far);

    let (near, far) = session(|config| {
        config.parameters.idle_timeout = Duration::from_secs(1);
        config.keepalive = true;
    });
    runtime.block_on(async {
        let (mut near, mut far) = (io(near), io(far));
        // Two tasks that wait, and nothing else, for longer than the timeout.
        let waiting = tokio::spawn(async move { far.read(&mut [0; 1]).await });
        assert!(timeout(SystemDuration::from_millis(2500), near.read(&mut [0; 1])).await.is_err());
        near.write_all(b"!").await.expect("still open");
        assert_eq!(waiting.await.expect("no panic").expect("still open"), 1);
    });
}

#[test]
fn a_reader_that_gives_up_takes_no_wake_up_from_the_writer() {
    let [runtime, _] = runtimes();
    let (near, mut far) = session(|_| ());
    runtime.block_on(async {
        let (mut reader, mut writer) = tokio::io::split(io(near));
        let writing = tokio::spawn(async move { writer.write_all(&vec![7; BYTES]).await });
        // It asked last, tried to send, and is gone before there is room.
        assert!(timeout(SystemDuration::from_millis(300), reader.read(&mut [0; 1])).await.is_err());
        let reading = thread::spawn(move || {
            let (mut buffer, mut count) = (vec![0; 1 << 16], 0);
            while count < BYTES {
                count += far.read(&mut buffer, Instant::MAX).expect("bytes");
            }
            far
        });
        writing.await.expect("no panic").expect("room");
        drop(reading.join().expect("no panic"));
        assert!(reader.read(&mut [0; 1]).await.is_err(), "the peer has given up");
    });
}

#[test]
fn outside_a_runtime_it_is_an_error() {
    let (near, _far) = session(|_| ());
    assert_eq!(TokioTcp::new(near).err().map(|error| error.kind()), Some(ErrorKind::Other));
}
