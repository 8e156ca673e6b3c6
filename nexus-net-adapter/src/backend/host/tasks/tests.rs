//! Tasks on one thread, on their own executor: who is woken, when, and by whom.

use core::net::SocketAddr;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::thread::{self, Thread};
use std::vec;
use std::vec::Vec;

use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};

use crate::backend::host::{HostEndpoint, HostStream, OpenError, Peers, config};
use crate::stream::{CloseReason, Interest, PollReady, ReliableStream, StreamError};

const LOOPBACK: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 0);
const LONG: Duration = Duration::from_secs(60);

/// Wakes a thread, and counts how often.
struct Alarm {
    thread: Thread,
    rung: AtomicUsize,
}

impl Alarm {
    fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), rung: AtomicUsize::new(0) })
    }

    fn rung(&self) -> usize {
        self.rung.load(Ordering::SeqCst)
    }

    fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Runs `future` on this thread. A wake-up that is lost makes it hang, and so the test.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Alarm::new().waker();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => thread::park(),
        }
    }
}

fn endpoint(seed: u8) -> HostEndpoint {
    let keys = StaticKeypair::from_secret([seed; 32]);
    let application = ApplicationProtocol::new(b"test/1").expect("short");
    HostEndpoint::bind(LOOPBACK, config(keys, application), Peers::Any).expect("a free port")
}

/// Two endpoints and a session between them, opened by tasks.
fn session() -> (HostEndpoint, HostStream, HostEndpoint, HostStream) {
    let (client, server) = (endpoint(1), endpoint(2));
    let _attending = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    let accepting = {
        let server = server.clone();
        thread::spawn(move || block_on(server.accepted()))
    };
    let address = server.local_addr().expect("bound");
    let near = block_on(client.connected(address, &server.public_key())).expect("a session");
    (client, near, server, accepting.join().expect("no panic"))
}

#[test]
fn two_tasks_of_one_stream_are_woken_each_for_its_direction() {
    let (client, mut near, server, mut far) = session();
    let [reader, writer] = [Alarm::new(), Alarm::new()];
    assert!(near.poll_ready(Interest::Readable, &mut Context::from_waker(&reader.waker())).is_pending());
    while near.write(&[7; 65536], Instant::ZERO).is_ok() {}
    assert!(near.poll_ready(Interest::LowWater, &mut Context::from_waker(&writer.waker())).is_pending());

    let _attending = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    far.write_all(b"!", Instant::MAX).expect("room");
    while reader.rung() == 0 {
        thread::park();
    }
    assert_eq!(writer.rung(), 0, "the peer reads nothing, so there is no room");
    assert_eq!(near.read(&mut [0; 8], Instant::ZERO), Ok(1));
    let mut buffer = vec![0; 1 << 20];
    while writer.rung() == 0 {
        far.read(&mut buffer, Instant::MAX).expect("bytes");
    }
    // Who is not waiting is not woken, whatever happens.
    assert_eq!((reader.rung(), writer.rung()), (1, 1));
    assert_eq!(near.write(b"more", Instant::ZERO), Ok(4));
}

#[test]
fn the_end_of_the_session_wakes_both_directions() {
    let (client, mut near, _server, far) = session();
    let [reader, writer] = [Alarm::new(), Alarm::new()];
    assert!(near.poll_ready(Interest::Readable, &mut Context::from_waker(&reader.waker())).is_pending());
    while near.write(&[7; 65536], Instant::ZERO).is_ok() {}
    assert!(near.poll_ready(Interest::LowWater, &mut Context::from_waker(&writer.waker())).is_pending());
    let _attending = client.attend_in_background().expect("a thread");
    drop(far);
    while reader.rung() == 0 || writer.rung() == 0 {
        thread::park();
    }
}

#[test]
fn delivery_waits_for_the_peer_and_for_the_end_of_the_stream() {
    let (client, mut near, server, mut far) = session();
    let _client = client.attend_in_background().expect("a thread");
    near.write_all(b"hello", Instant::MAX).expect("room");
    near.finish().expect("open");
    let alarm = Alarm::new();
    let waker = alarm.waker();
    let mut context = Context::from_waker(&waker);
    // Nobody drives the peer.
    assert!(near.poll_ready(Interest::Delivered, &mut context).is_pending());
    assert_eq!(
        near.wait(Interest::Delivered, near.now() + Duration::from_millis(50)),
        Err(StreamError::TimedOut)
    );
    assert_eq!(alarm.rung(), 0);
    let _server = server.attend_in_background().expect("a thread");
    while alarm.rung() == 0 {
        thread::park();
    }
    assert_eq!(near.poll_ready(Interest::Delivered, &mut context), Poll::Ready(()));
    // What a program does that ends now: nothing is lost.
    drop(near);
    client.linger(client.now() + LONG).expect("silence");
    let mut text = vec![0; 8];
    assert_eq!(far.read(&mut text, Instant::MAX), Ok(5));
    assert_eq!(far.read(&mut text, Instant::MAX), Ok(0), "the end, and not an error");
}

#[test]
fn an_attendant_ends_with_its_handle_and_lets_the_endpoint_go() {
    let endpoint = endpoint(1);
    let address = endpoint.local_addr().expect("bound");
    for _ in 0..100 {
        let attendant = endpoint.attend_in_background().expect("a thread");
        drop(attendant);
    }
    // As a follower, too, while another thread waits at the socket.
    let waiting = {
        let endpoint = endpoint.clone();
        thread::spawn(move || endpoint.accept(endpoint.now() + Duration::from_millis(300)).err())
    };
    thread::sleep(std::time::Duration::from_millis(100));
    let began = endpoint.now();
    drop(endpoint.attend_in_background().expect("a thread"));
    assert!(
        endpoint.now().saturating_since(began) < Duration::from_millis(150),
        "it did not wait for the other"
    );
    assert_eq!(waiting.join().expect("no panic"), Some(StreamError::TimedOut));

    let attendant = endpoint.attend_in_background().expect("a thread");
    drop(endpoint);
    assert!(std::net::UdpSocket::bind(address).is_err(), "the endpoint lives on with its attendant");
    drop(attendant);
    std::net::UdpSocket::bind(address).expect("the port is free again");
}

/// A task that owns what it waits for, and that its waker alone keeps alive: waking it drops it, and so calls us.
struct Doomed {
    _stream: HostStream,
}

impl Wake for Doomed {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_may_drop_streams() {
    let (client, mut near, server, mut far) = session();
    let second = thread::spawn({
        let server = server.clone();
        move || server.accept(server.now() + LONG).expect("a session")
    });
    let address = server.local_addr().expect("bound");
    let other = client.connect(address, &server.public_key(), Instant::MAX).expect("a session");
    drop(second.join().expect("no panic"));
    let waker = Waker::from(Arc::new(Doomed { _stream: other }));
    assert!(near.poll_ready(Interest::Readable, &mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(client.sessions(), 2);
    far.write_all(b"!", Instant::MAX).expect("room");
    assert_eq!(near.wait(Interest::Readable, near.now() + LONG), Ok(()));
    // The same where a waker takes the place of another one, and where a session is forgotten.
    assert_eq!(near.read(&mut [0; 8], Instant::ZERO), Ok(1));
    let doomed = Waker::from(Arc::new(Doomed { _stream: near.clone() }));
    assert!(near.poll_ready(Interest::Readable, &mut Context::from_waker(&doomed)).is_pending());
    drop(doomed);
    assert!(near.poll_ready(Interest::Readable, &mut Context::from_waker(Waker::noop())).is_pending());
    drop(near);
    client.linger(client.now() + LONG).expect("silence");
}

#[test]
fn a_handshake_that_fails_wakes_its_task() {
    let mut settings =
        config(StaticKeypair::from_secret([1; 32]), ApplicationProtocol::new(b"test/1").expect("short"));
    settings.handshake_budget = Duration::from_millis(300);
    let client = HostEndpoint::bind(LOOPBACK, settings, Peers::Any).expect("a free port");
    let _attending = client.attend_in_background().expect("a thread");
    let deaf = std::net::UdpSocket::bind(LOOPBACK).expect("a free port");
    let nobody = StaticKeypair::from_secret([9; 32]);
    let failed = block_on(client.connected(deaf.local_addr().expect("bound"), nobody.public())).err();
    assert_eq!(failed, Some(OpenError::Failed(StreamError::Closed(CloseReason::HandshakeTimeout))));
    assert_eq!(client.sessions(), 0);
}

#[test]
fn a_thousand_turns_of_two_tasks_lose_no_wake_up() {
    let (client, mut near, server, mut far) = session();
    let _attending = [&client, &server].map(|endpoint| endpoint.attend_in_background().expect("a thread"));
    let echo = thread::spawn(move || {
        block_on(async {
            let mut byte = [0];
            while read(&mut far, &mut byte).await > 0 {
                far.write(&byte, Instant::ZERO).expect("room");
            }
            far.closed().await.expect("complete");
        });
    });
    let echoed: Vec<u8> = block_on(async {
        let mut echoed = Vec::new();
        for number in 0..1000_u32 {
            near.write(&[number as u8], Instant::ZERO).expect("room");
            let mut byte = [0];
            assert_eq!(read(&mut near, &mut byte).await, 1);
            echoed.extend(byte);
        }
        near.closed().await.expect("complete");
        echoed
    });
    assert!(echoed.iter().enumerate().all(|(number, byte)| *byte == number as u8));
    echo.join().expect("no panic");
    drop(near);
    client.linger(client.now() + LONG).expect("silence");
    server.linger(server.now() + LONG).expect("silence");
}

async fn read(stream: &mut HostStream, buf: &mut [u8]) -> usize {
    core::future::poll_fn(|context| {
        loop {
            match stream.read(buf, Instant::ZERO) {
                Err(StreamError::WouldBlock) => match stream.poll_ready(Interest::Readable, context) {
                    Poll::Ready(()) => {}
                    Poll::Pending => return Poll::Pending,
                },
                outcome => return Poll::Ready(outcome.expect("an open session")),
            }
        }
    })
    .await
}
