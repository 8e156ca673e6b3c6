//! A mux session is lost and another one takes its place: how often that is tried, what becomes of the streams of the
//! old one, and that nothing of them appears in the new one.
#![cfg(all(feature = "mux", feature = "std"))]

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use nexus_net_adapter::backend::host::{HostEndpoint, HostStream, Peers, config};
use nexus_net_adapter::mux::{
    End, Engine, Event, MuxError, PriorityClass, Pump, ResetCode, Side, StreamId, StreamName, StreamState,
};
use nexus_net_adapter::reconnect::{self, Reconnect, Schedule};
use nexus_net_adapter::select::Happened;
use nexus_net_adapter::stream::{CloseReason, ReliableStream};
use udp_sec::error::CloseCode;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::Config;

const SCHEDULE: Schedule =
    Schedule { attempts: 8, first_wait: Duration::from_millis(10), longest_wait: Duration::from_millis(40) };
/// Of one attempt.
const BUDGET: Duration = Duration::from_millis(250);
/// Nothing here may take longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first byte of everything that is sent on the session of this number; the rest repeats it.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
/// Bytes that the peer reads of the first session before it dies.
const READ: usize = 100_000;

fn settings(seed: u8) -> Config {
    let application = ApplicationProtocol::new(b"test/1").expect("short");
    let config = config(StaticKeypair::from_secret([seed; 32]), application);
    Config { handshake_budget: BUDGET, ..config }
}

fn bind(seed: u8, address: SocketAddr) -> HostEndpoint {
    HostEndpoint::bind(address, settings(seed), Peers::Any).expect("a free port")
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// One side of a mux session.
struct Mux {
    pump: Box<Pump<HostStream, 65536>>,
    engine: Engine<Vec<u8>>,
}

impl Mux {
    fn begin(stream: HostStream, side: Side) -> Self {
        let pump = Box::new(Pump::begin(stream).expect("the peer is known"));
        let engine = Engine::new(side, pump.peer(), vec![0; 4 * 256 * 1024]);
        Self { pump, engine }
    }

    /// Moves what can be moved, and waits a moment if that is nothing.
    fn run(&mut self) -> Result<(), End> {
        let soon = self.pump.stream().now() + Duration::from_millis(5);
        self.pump.run(&mut self.engine, soon).map(|_| ())
    }

    fn open(&mut self, name: &str) -> StreamId {
        let name = StreamName::new(name).expect("short");
        self.engine.open(PriorityClass::HIGHEST, name).expect("room")
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.engine.poll_event()).collect()
    }

    /// Writes as many copies of `byte` as there is room for.
    fn fill(&mut self, stream: StreamId, byte: u8) {
        match self.engine.write(stream, &[byte; 4096]) {
            Ok(_) | Err(MuxError::WouldBlock { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// What the peer does when it has read enough.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    /// It gives the session up, and is gone.
    Abort,
    /// It stops, as a suspended program does, until it hears from the test again.
    Freeze,
}

/// The peer of the first session: echoes the first stream until it dies, and returns its address.
fn doomed_peer(death: Death) -> (SocketAddr, thread::JoinHandle<HostEndpoint>, Sender<()>) {
    let endpoint = bind(2, loopback());
    let address = endpoint.local_addr().expect("bound");
    let (wake, woken): (_, Receiver<()>) = channel();
    let running = thread::spawn(move || {
        let stream = endpoint.accept(endpoint.now() + PATIENCE).expect("a caller");
        let mut mux = Mux::begin(stream, Side::Responder);
        let read = echo(&mut mux, READ, FIRST);
        assert!(read >= READ);
        match death {
            Death::Abort => mux.pump.abort(),
            Death::Freeze => woken.recv().expect("the test goes on"),
        }
        endpoint
    });
    (address, running, wake)
}

/// Echoes the first stream that is opened until `enough` bytes were read, all of which are `byte`, or to its end.
fn echo(mux: &mut Mux, enough: usize, byte: u8) -> usize {
    let (mut read, mut open, mut buffer) = (0, None, [0; 4096]);
    while read < enough {
        mux.run().expect("the session goes on");
        for event in mux.events() {
            if let Event::Opened { stream, .. } = event {
                open = Some(stream);
            }
        }
        let Some(stream) = open else { continue };
        while let Ok(len) = mux.engine.read(stream, &mut buffer) {
            if len == 0 {
                mux.engine.close(stream).expect("open");
                return read;
            }
            assert!(buffer[..len].iter().all(|read| *read == byte), "bytes of another session");
            // What does not fit is not echoed.
            _ = mux.engine.write(stream, &buffer[..len]);
            read += len;
        }
    }
    read
}

/// The calling side.
struct Caller {
    endpoint: HostEndpoint,
    address: SocketAddr,
    reconnect: Reconnect,
}

impl Caller {
    fn to(address: SocketAddr) -> Self {
        Self { endpoint: bind(1, loopback()), address, reconnect: Reconnect::new(SCHEDULE) }
    }

    fn call(&self) -> Result<HostStream, Happened> {
        let peer = *StaticKeypair::from_secret([2; 32]).public();
        self.endpoint.connect(self.address, &peer, self.endpoint.now() + PATIENCE).map_err(Happened::from)
    }

    /// Tries again after a loss, as often as it is worth it. Shows every event to `watch` before it is acted on.
    fn call_again(&mut self, mut watch: impl FnMut(reconnect::Event)) -> Option<HostStream> {
        let mut failure = None;
        loop {
            let event = self.reconnect.on_failure(failure, u32::MAX);
            watch(event);
            let reconnect::Event::Waiting { wait, .. } = event else { return None };
            thread::sleep(std::time::Duration::from_micros(wait.as_micros()));
            match self.call() {
                Ok(stream) => {
                    watch(self.reconnect.on_success());
                    return Some(stream);
                }
                Err(happened) => failure = Some(happened),
            }
        }
    }
}

/// Runs the first session until it is lost. What came back is left in the engine, unread.
fn lose(caller: &Caller) -> (Mux, StreamId, End) {
    let mut mux = Mux::begin(caller.call().expect("the peer is there"), Side::Initiator);
    let stream = mux.open("of the first session");
    let mut silent_runs = 0;
    loop {
        if mux.engine.state(stream) == Some(StreamState::Open) {
            mux.fill(stream, FIRST);
        }
        let before = mux.pump.stream().now();
        let outcome = mux.run();
        // A tick for each run that had nothing to move; nobody is asked or given up before there are three or nine.
        silent_runs +=
            u32::from(mux.pump.stream().now().saturating_since(before) >= Duration::from_millis(5));
        if silent_runs > 0 && silent_runs % 8 == 0 {
            silent_runs = 0;
            _ = mux.engine.tick();
        }
        if let Err(end) = outcome {
            return (mux, stream, end);
        }
    }
}

/// The streams of a lost session are reset, whatever is tried on them, and only what had come can be read.
fn assert_reset(mux: &mut Mux, stream: StreamId, end: End) {
    assert!(mux.events().contains(&Event::Reset(stream, ResetCode::SESSION_ENDED)));
    assert_eq!(mux.engine.state(stream), Some(StreamState::Reset));
    assert_eq!(mux.engine.write(stream, b"more"), Err(MuxError::Ended(end)));
    assert_eq!(
        mux.engine.open(PriorityClass::HIGHEST, StreamName::new("new").expect("short")),
        Err(MuxError::Ended(end))
    );
    let mut buffer = [0; 4096];
    while let Ok(len) = mux.engine.read(stream, &mut buffer) {
        assert!(len > 0, "half of a stream ended as if it were whole");
        assert!(buffer[..len].iter().all(|byte| *byte == FIRST));
    }
    assert_eq!(mux.run(), Err(end));
}

/// A new session with an engine of its own carries what is written to it, and nothing else.
fn assert_fresh(stream: HostStream) {
    let mut mux = Mux::begin(stream, Side::Initiator);
    let stream = mux.open("of the second session");
    let (mut answer, mut buffer) = (0, [0; 4096]);
    mux.engine.write(stream, &[SECOND; 30_000]).expect("room");
    mux.engine.close(stream).expect("open");
    loop {
        mux.run().expect("the session goes on");
        match mux.engine.read(stream, &mut buffer) {
            Ok(0) => break,
            Ok(len) => {
                assert!(buffer[..len].iter().all(|byte| *byte == SECOND), "bytes of another session");
                answer += len;
            }
            Err(MuxError::WouldBlock { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(answer, 30_000);
}

/// The peer of the second session.
fn second_peer(endpoint: HostEndpoint) {
    let stream = endpoint.accept(endpoint.now() + PATIENCE).expect("a caller");
    let mut mux = Mux::begin(stream, Side::Responder);
    assert_eq!(echo(&mut mux, usize::MAX, SECOND), 30_000);
    // The end of the caller's program ends the session.
    while mux.run().is_ok() {}
}

fn waiting(attempt: u32, wait: u64) -> reconnect::Event {
    reconnect::Event::Waiting { attempt, of: SCHEDULE.attempts, wait: Duration::from_millis(wait) }
}

/// `events` without the small part of each wait that is rounded away.
fn rounded(events: &[reconnect::Event]) -> Vec<reconnect::Event> {
    let round = |event: &reconnect::Event| match *event {
        reconnect::Event::Waiting { attempt, wait, .. } => waiting(attempt, wait.as_micros().div_ceil(1000)),
        event => event,
    };
    events.iter().map(round).collect()
}

#[test]
fn a_peer_that_dies_and_comes_back_gets_a_new_session_and_no_old_bytes() {
    let (address, peer, _wake) = doomed_peer(Death::Abort);
    let mut caller = Caller::to(address);
    let (mut mux, stream, end) = lose(&caller);
    assert_eq!(end, End::Closed(CloseReason::ByPeer(CloseCode::AppAbort)));
    drop(peer.join().expect("no panic"));
    let (mut events, mut second) = (Vec::new(), None);
    let session = caller.call_again(|event| {
        events.push(event);
        // Two attempts are in vain.
        if events.len() == 3 {
            let endpoint = bind(2, address);
            second = Some(thread::spawn(move || second_peer(endpoint)));
        }
    });
    let restored = reconnect::Event::Restored { attempts: 3 };
    assert_eq!(rounded(&events), [waiting(1, 10), waiting(2, 20), waiting(3, 40), restored]);
    assert_fresh(session.expect("the peer is back"));
    second.expect("started").join().expect("no panic");
    assert_reset(&mut mux, stream, end);
}

#[test]
fn a_peer_that_falls_silent_and_wakes_up_gets_a_new_session_and_no_old_bytes() {
    let (address, peer, wake) = doomed_peer(Death::Freeze);
    let mut caller = Caller::to(address);
    let (mut mux, stream, end) = lose(&caller);
    assert_eq!(end, End::Silent);
    let (mut events, mut second) = (Vec::new(), None);
    let mut peer = Some(peer);
    let session = caller.call_again(|event| {
        events.push(event);
        if events.len() == 2 {
            wake.send(()).expect("it waits");
            let endpoint = peer.take().expect("once").join().expect("no panic");
            second = Some(thread::spawn(move || second_peer(endpoint)));
        }
    });
    let restored = reconnect::Event::Restored { attempts: 2 };
    assert_eq!(rounded(&events), [waiting(1, 10), waiting(2, 20), restored]);
    assert_fresh(session.expect("the peer is awake"));
    second.expect("started").join().expect("no panic");
    assert_reset(&mut mux, stream, end);
}

#[test]
fn a_peer_that_stays_away_is_given_up_after_eight_attempts() {
    let (address, peer, _wake) = doomed_peer(Death::Abort);
    let mut caller = Caller::to(address);
    let (mut mux, stream, end) = lose(&caller);
    drop(peer.join().expect("no panic"));
    let deaf = UdpSocket::bind(address).expect("the peer is gone");
    deaf.set_nonblocking(true).expect("a socket");
    let mut events = Vec::new();
    assert!(caller.call_again(|event| events.push(event)).is_none());
    let mut expected: Vec<_> = [10, 20, 40, 40, 40, 40, 40, 40]
        .into_iter()
        .zip(1..)
        .map(|(wait, attempt)| waiting(attempt, wait))
        .collect();
    expected.push(reconnect::Event::GivenUp { attempts: 8 });
    assert_eq!(rounded(&events), expected);
    let heard = || std::iter::from_fn(|| deaf.recv(&mut [0; 2048]).ok()).count();
    assert!(heard() >= 8, "each attempt reached the wire");
    caller.endpoint.attend(caller.endpoint.now() + BUDGET * 2);
    assert_eq!(heard(), 0, "and nothing after the last");
    assert_reset(&mut mux, stream, end);
}
