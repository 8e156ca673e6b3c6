//! A priority keeps its meaning on a loaded link: a request of class 0 is answered in a few round trips while a
//! bulk stream of the lowest class fills the link. In virtual time.

use std::collections::VecDeque;

#[cfg(feature = "udp")]
use lossy_link::LinkConfig;
use nexus_net_adapter::mux::{Engine, MuxError, PriorityClass, Progress, Pump, Side, StreamId, StreamName};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::time::{Duration, Instant};

#[cfg(feature = "udp")]
use crate::network::Network;
use crate::session::BYTES;
#[cfg(feature = "tcp")]
use crate::stalling::{self, Conditions, SEGMENT};
use crate::tap::Tap;
#[cfg(feature = "tcp")]
use crate::tcp;

const RTT: Duration = Duration::from_millis(30);
const RATE: u64 = 10_000_000;
/// A request is sent so often, for so long, once the bulk stream has had the link for so long.
const REQUEST_EVERY: Duration = Duration::from_millis(100);
const MEASURED: Duration = Duration::from_secs(120);
const FILLED: Duration = Duration::from_secs(5);
const REQUEST: [u8; 64] = [0x5a; 64];

/// What the client and the server do with their streams.
struct Applications {
    bulk: StreamId,
    control: StreamId,
    next_request: Instant,
    /// When the unanswered requests were sent.
    unanswered: VecDeque<Instant>,
    answered_bytes: usize,
    latencies: Vec<Duration>,
    bulk_bytes: usize,
}

impl Applications {
    fn client(&mut self, now: Instant, engine: &mut Engine<Vec<u8>>) {
        while engine.write(self.bulk, &[0xb0; 4096]).is_ok() {}
        if now >= self.next_request {
            assert_eq!(engine.write(self.control, &REQUEST), Ok(REQUEST.len()));
            self.unanswered.push_back(now);
            self.next_request = now + REQUEST_EVERY;
        }
        self.answered_bytes += read(engine, self.control);
        while self.answered_bytes >= REQUEST.len() {
            self.answered_bytes -= REQUEST.len();
            let asked = self.unanswered.pop_front().expect("one answer a request");
            self.latencies.push(now.saturating_since(asked));
        }
    }

    fn server(&mut self, engine: &mut Engine<Vec<u8>>) {
        self.bulk_bytes += read(engine, self.bulk);
        let echoed = read(engine, self.control);
        if echoed > 0 {
            assert_eq!(engine.write(self.control, &vec![0x5a; echoed]), Ok(echoed));
        }
    }
}

fn read(engine: &mut Engine<Vec<u8>>, stream: StreamId) -> usize {
    let mut count = 0;
    loop {
        let waiting = match engine.peek(stream) {
            Ok((first, second)) => first.len() + second.len(),
            // The stream is not open here yet.
            Err(MuxError::WouldBlock { .. } | MuxError::Reject(_)) => return count,
            Err(error) => panic!("{stream}: {error}"),
        };
        assert!(waiting > 0, "{stream} ended");
        engine.consume(stream, waiting);
        count += waiting;
    }
}

/// What a run came to.
struct Outcome {
    /// Of the requests, in order of size.
    latencies: Vec<Duration>,
    /// Of the bulk stream, in bits a second.
    goodput: u64,
}

/// One run over `near` and `far`, in which requests begin `phase` later. `advance` lets time pass until something
/// happens on the network, or until the instant it is given.
fn run<A: ReliableStream, B: ReliableStream>(
    near: A,
    far: B,
    phase: Duration,
    advance: impl Fn(Instant),
) -> Outcome {
    let (near, _) = Tap::new(near);
    let mut near = Pump::<_, 65536>::begin(near).expect("proven");
    let mut far = Pump::<_, 65536>::begin(far).expect("proven");
    let engine = |side| Engine::new(side, near.peer(), vec![0; 2 * BYTES]);
    let mut engines = [Side::Initiator, Side::Responder].map(engine);
    let name = |name| StreamName::new(name).expect("short");
    let start = near.stream().now();
    let mut applications = Applications {
        bulk: engines[0].open(PriorityClass::LOWEST, name("bulk")).expect("room"),
        control: engines[0].open(PriorityClass::HIGHEST, name("control")).expect("room"),
        next_request: start + FILLED + phase,
        unanswered: VecDeque::new(),
        answered_bytes: 0,
        latencies: Vec::new(),
        bulk_bytes: 0,
    };
    while near.stream().now() < start + FILLED + MEASURED {
        applications.client(near.stream().now(), &mut engines[0]);
        let moved = near.run(&mut engines[0], Instant::ZERO).expect("the session goes on");
        applications.server(&mut engines[1]);
        let moved = moved.max(far.run(&mut engines[1], Instant::ZERO).expect("the session goes on"));
        if moved == Progress::Idle {
            advance(applications.next_request);
        }
    }
    applications.latencies.sort();
    let goodput = applications.bulk_bytes as u64 * 8 / (FILLED + MEASURED).as_millis() * 1000;
    Outcome { latencies: applications.latencies, goodput }
}

#[cfg(feature = "udp")]
fn over_udp_sec(phase: Duration) -> Outcome {
    let config = LinkConfig::default().delay(RTT / 2).rate(RATE).queue(25);
    let network = Network::new(&config, 2, 1);
    let devices = [0, 1].map(|at| network.endpoint(at));
    let (near, far) = network.session([0, 1], devices);
    run(near, far, phase, |latest| {
        let wakes = devices.map(|device| device.drive().wake_at);
        let next = wakes.into_iter().chain([network.next_arrival()]).flatten().min();
        network.advance_to(next.expect("a session always waits for something").min(latest));
    })
}

/// TCP as it is on such a link in the middle of its sawtooth: 12 segments wait, and one in 2000 is lost.
#[cfg(feature = "tcp")]
fn over_secure_tcp(phase: Duration) -> Outcome {
    let under_way = RATE / 8 * (RTT / 2).as_millis() / 1000;
    let window = under_way as usize + 12 * SEGMENT;
    let (near, far, clock) =
        stalling::ends(Conditions { delay: RTT / 2, rate: RATE, window, loss_ppm: 500 }, 1);
    let (near, far) = tcp::established(near, far);
    run(near, far, phase, |latest| clock.advance(latest))
}

/// Checks the outcomes of several runs that differ in when requests are sent.
fn check(run: impl Fn(Duration) -> Outcome + Sync) {
    std::thread::scope(|scope| {
        let run = &run;
        let runs = [0, 13, 29, 47, 71].map(|phase| scope.spawn(move || run(Duration::from_millis(phase))));
        for run in runs {
            let Outcome { latencies, goodput } = run.join().expect("no panic");
            let at = |percent: usize| latencies[latencies.len() * percent / 100];
            let (p50, p99, worst) = (at(50), at(99), latencies[latencies.len() - 1]);
            let count = latencies.len();
            println!("{count} requests: p50 {p50:?}, p99 {p99:?}, worst {worst:?}; bulk {goodput} bit/s");
            assert!(count >= 1190);
            assert!(p50 <= RTT * 2, "p50 {p50:?}");
            assert!(p99 <= RTT * 4, "p99 {p99:?}");
            assert!(goodput >= 8_500_000, "and the bulk stream has the rest: {goodput} bit/s");
        }
    });
}

#[cfg(feature = "udp")]
#[test]
fn a_request_is_answered_in_a_few_round_trips_while_bulk_fills_the_link() {
    check(over_udp_sec);
}

#[cfg(feature = "tcp")]
#[test]
fn a_request_is_answered_in_a_few_round_trips_while_bulk_fills_a_tcp_connection() {
    check(over_secure_tcp);
}
