//! tokio's `AsyncRead` and `AsyncWrite` over udp-sec, on both kinds of runtime.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use nexus_net_adapter::backend::host::{HostEndpoint, HostStream};
use nexus_net_adapter::io::AsyncIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::hosts::{HELD, endpoint, silence};
use crate::relay::Relay;
use crate::{BYTES, pattern};

/// Every runtime that there is.
pub(crate) fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.worker_threads(2).enable_all().build().expect("a runtime"))
}

type Io = AsyncIo<HostStream>;

/// A session from `client` to `server`, by way of `address`.
async fn session(client: &HostEndpoint, server: &HostEndpoint, address: SocketAddr) -> (Io, Io) {
    let accepting = {
        let server = server.clone();
        tokio::spawn(async move { server.accepted().await })
    };
    let near = client.connected(address, &server.public_key()).await.expect("a session");
    (AsyncIo::new(near), AsyncIo::new(accepting.await.expect("no panic")))
}

#[test]
fn ten_mebibytes_at_5_percent_loss_with_a_reader_that_stalls() {
    let [_, runtime] = runtimes();
    let (client, server) = (endpoint(1), endpoint(2));
    let attendants = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    let relay = Relay::to(server.local_addr().expect("bound"));
    runtime.block_on(async {
        let (mut near, mut far) = session(&client, &server, relay.address()).await;
        let sent = pattern(BYTES, 4);
        let mut written = 0;
        while let Ok(count) = timeout(Duration::from_secs(2), near.write(&sent[written..])).await {
            written += count.expect("an open session");
        }
        assert_eq!(written, HELD, "both buffers are full, and nothing else is");

        let expected = sent.clone();
        let reading = tokio::spawn(async move {
            let mut received = Vec::new();
            far.read_to_end(&mut received).await.expect("all of it");
            assert!(received == expected, "what arrived differs");
            far.shutdown().await.expect("delivered");
            far.into_inner().closed().await.expect("complete");
        });
        near.write_all(&sent[written..]).await.expect("room");
        near.shutdown().await.expect("delivered");
        near.into_inner().closed().await.expect("complete");
        reading.await.expect("no panic");
    });
    drop(attendants);
    silence(&[&client, &server]);
    relay.finish();
}

/// Echoes until the end; then the stream is dropped, as it would be with TCP.
async fn echo(stream: HostStream) {
    let (mut reader, mut writer) = tokio::io::split(AsyncIo::new(stream));
    tokio::io::copy(&mut reader, &mut writer).await.expect("an open session");
    writer.shutdown().await.expect("delivered");
}

#[test]
fn sixty_four_sessions_echo_at_once() {
    for runtime in runtimes() {
        let (client, server) = (endpoint(1), endpoint(2));
        let attendants =
            [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
        let address = server.local_addr().expect("bound");
        runtime.block_on(async {
            let serving = {
                let server = server.clone();
                tokio::spawn(async move {
                    let echoes: Vec<_> = {
                        let mut echoes = Vec::new();
                        for _ in 0..64 {
                            echoes.push(tokio::spawn(echo(server.accepted().await)));
                        }
                        echoes
                    };
                    for echo in echoes {
                        echo.await.expect("no panic");
                    }
                })
            };
            let callers = (0..64).map(|seed| {
                let (client, key) = (client.clone(), server.public_key());
                tokio::spawn(async move {
                    let stream = client.connected(address, &key).await.expect("a session");
                    let (mut reader, mut writer) = tokio::io::split(AsyncIo::new(stream));
                    let sent = pattern(256 << 10, seed);
                    let writing = {
                        let sent = sent.clone();
                        tokio::spawn(async move {
                            writer.write_all(&sent).await.expect("room");
                            writer.shutdown().await.expect("delivered");
                        })
                    };
                    let mut received = Vec::new();
                    reader.read_to_end(&mut received).await.expect("all of it");
                    assert!(received == sent, "what came back differs");
                    writing.await.expect("no panic");
                })
            });
            for caller in callers.collect::<Vec<_>>() {
                caller.await.expect("no panic");
            }
            serving.await.expect("no panic");
        });
        drop(attendants);
        silence(&[&client, &server]);
    }
}

#[test]
fn dropping_a_task_midway_ends_its_session_and_leaks_nothing() {
    for runtime in runtimes() {
        let (client, server) = (endpoint(1), endpoint(2));
        let attendants =
            [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
        let address = server.local_addr().expect("bound");
        runtime.block_on(async {
            for _ in 0..8 {
                let (mut near, mut far) = session(&client, &server, address).await;
                // Stuck in a write, because nobody reads; one more is stuck in a handshake.
                let writing = tokio::spawn(async move { near.write_all(&vec![7; 2 * HELD]).await });
                let calling = {
                    let (client, nobody) = (client.clone(), endpoint(9).public_key());
                    tokio::spawn(async move { client.connected(address, &nobody).await.map(drop) })
                };
                assert_eq!(far.read(&mut [0; 1]).await.expect("open"), 1);
                writing.abort();
                calling.abort();
                assert!(writing.await.expect_err("given up").is_cancelled());
                assert!(calling.await.expect_err("given up").is_cancelled());
                let mut rest = Vec::new();
                let error = far.read_to_end(&mut rest).await.expect_err("not the end of the stream");
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            }
        });
        drop(attendants);
        silence(&[&client, &server]);
    }
}

#[test]
fn a_receiver_may_drop_its_stream_when_it_has_everything() {
    let [runtime, _] = runtimes();
    let (client, server) = (endpoint(1), endpoint(2));
    let attendants = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    let address = server.local_addr().expect("bound");
    runtime.block_on(async {
        for _ in 0..50 {
            let (mut near, mut far) = session(&client, &server, address).await;
            let receiving = tokio::spawn(async move {
                let mut received = Vec::new();
                far.read_to_end(&mut received).await.expect("all of it");
                received.len()
            });
            near.write_all(&[7; 100_000]).await.expect("room");
            near.shutdown().await.expect("delivered, whatever became of the stream after that");
            drop(near);
            assert_eq!(receiving.await.expect("no panic"), 100_000);
        }
    });
    drop(attendants);
    silence(&[&client, &server]);
}

#[test]
fn a_stream_that_is_always_ready_lets_other_tasks_run() {
    let [runtime, _] = runtimes();
    let (client, server) = (endpoint(1), endpoint(2));
    let _attendants = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    let address = server.local_addr().expect("bound");
    runtime.block_on(async {
        let (mut near, mut far) = session(&client, &server, address).await;
        near.write_all(&vec![7; 1 << 20]).await.expect("room");
        near.shutdown().await.expect("delivered");
        // All of it is there: the reader never has to wait, and gives way all the same.
        let other = tokio::spawn(async {});
        let mut reads = 0;
        while !other.is_finished() {
            assert_eq!(far.read(&mut [0; 1]).await.expect("open"), 1);
            reads += 1;
        }
        assert!(reads < 1000, "after {reads} reads");
    });
}

#[cfg(feature = "embedded-io")]
#[test]
fn the_async_traits_of_embedded_io_move_bytes_too() {
    let [runtime, _] = runtimes();
    let (client, server) = (endpoint(1), endpoint(2));
    let _attendants = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    let address = server.local_addr().expect("bound");
    runtime.block_on(async {
        let (mut near, mut far) = session(&client, &server, address).await;
        let sent = pattern(2 * HELD, 5);
        let expected = sent.clone();
        let reading = tokio::spawn(async move {
            let mut received = vec![0; expected.len()];
            embedded_io_async::Read::read_exact(&mut far, &mut received).await.expect("all of it");
            assert!(received == expected, "what arrived differs");
        });
        embedded_io_async::Write::write_all(&mut near, &sent).await.expect("room");
        embedded_io_async::Write::flush(&mut near).await.expect("delivered");
        reading.await.expect("no panic");
    });
}
