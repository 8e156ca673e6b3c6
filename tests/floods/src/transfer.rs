//! A session over loopback that is offered 200 Mbit/s, alone and while a flood goes to the receiver's socket.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration as Span;

use harness::attacker::keyed::{initiation, keys};
use nexus_net_adapter::backend::host::{HostClock, HostEndpoint, Peers, config};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::time::{Duration, Instant};

use crate::figure;

/// Bytes that are offered each millisecond: 200 Mbit/s.
const OFFERED: usize = 25_000;
/// What has to be left of the goodput without a flood.
const KEPT_MIN: f64 = 0.8;

/// What a flood consists of.
#[derive(Clone, Copy, Debug)]
enum Flood {
    Nothing,
    /// Initiations with a wrong `mac1`.
    WrongMac1,
    /// Datagrams of 0 to 15 bytes.
    Tiny,
}

impl Flood {
    /// Datagrams per second.
    const fn rate(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::WrongMac1 => 50_000,
            Self::Tiny => 100_000,
        }
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// Mbit/s of the stream.
    goodput: f64,
    /// Datagrams of the flood per second that left.
    flood: f64,
    /// Datagrams that the receiver has refused per second.
    refused: f64,
}

/// Prints medians of `rounds` interleaved rounds of `seconds` each; whether they are within their bounds.
pub(crate) fn measure(rounds: u64, seconds: u64) -> bool {
    let kinds = [Flood::Nothing, Flood::WrongMac1, Flood::Tiny];
    let mut outcomes = [const { Vec::new() }; 3];
    for round in 0..rounds {
        for (kind, outcomes) in kinds.iter().zip(&mut outcomes) {
            let outcome = run(*kind, Duration::from_secs(seconds));
            println!("round {round}, {kind:?}: {outcome:?}");
            outcomes.push(outcome);
        }
    }
    let medians = outcomes.map(|mut outcomes| {
        outcomes.sort_unstable_by(|a, b| a.goodput.total_cmp(&b.goodput));
        outcomes[outcomes.len() / 2]
    });
    let [alone, wrong, tiny] = medians;
    println!("alone: {:.1} Mbit/s of 200 offered", alone.goodput);
    let mut kept = true;
    for (what, under) in [("under wrong mac1s", wrong), ("under tiny datagrams", tiny)] {
        println!("{what}: {:.0} of them per second, {:.0} refused", under.flood, under.refused);
        let ratio = under.goodput / alone.goodput;
        kept &= figure(&format!("goodput {what}, of that without"), ratio, "", KEPT_MIN, ratio >= KEPT_MIN);
    }
    kept
}

fn endpoint(seed: u64) -> HostEndpoint {
    let application = ApplicationProtocol::new(b"harness/1").expect("a short name");
    let address = ([127, 0, 0, 1], 0).into();
    HostEndpoint::bind(address, config(keys(seed), application), Peers::Any).expect("a socket")
}

fn run(flood: Flood, span: Duration) -> Outcome {
    let (server, client) = (endpoint(1), endpoint(2));
    let to = server.local_addr().expect("a bound socket");
    let over = AtomicBool::new(false);
    let flooded = AtomicU64::new(0);
    thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let mut stream = server.accept(Instant::MAX).expect("the client");
            let (mut bytes, mut buffer) = (0_u64, vec![0; 256 << 10]);
            while let Ok(count @ 1..) = stream.read(&mut buffer, Instant::MAX) {
                bytes += count as u64;
            }
            bytes
        });
        let mut stream = client
            .connect(to, &server.public_key(), client.now() + Duration::from_secs(10))
            .expect("a session");
        scope.spawn(|| send_flood(flood, to, &over, &flooded));
        let clock = HostClock::start();
        let offered = offer(&mut stream, clock, span);
        let took = clock.now().saturating_since(Instant::ZERO).as_micros() as f64;
        over.store(true, Ordering::Relaxed);
        drop(stream);
        let bytes = receiver.join().expect("the receiver");
        assert!(bytes <= offered);
        Outcome {
            goodput: bytes as f64 * 8.0 / took,
            flood: flooded.load(Ordering::Relaxed) as f64 * 1e6 / took,
            refused: server.rejects().total() as f64 * 1e6 / took,
        }
    })
}

/// Writes 200 Mbit/s for `span`, or what is taken; the bytes taken.
fn offer(stream: &mut impl ReliableStream, clock: HostClock, span: Duration) -> u64 {
    let data = vec![7; OFFERED * 10];
    let mut taken = 0;
    while clock.now() < Instant::ZERO + span {
        let due = clock.now().as_micros() / 1_000 * OFFERED as u64;
        let len = usize::try_from(due.saturating_sub(taken)).unwrap_or(0).min(data.len());
        if len == 0 {
            thread::sleep(Span::from_micros(500));
            continue;
        }
        let deadline = stream.now() + Duration::from_millis(20);
        taken += stream.write(&data[..len], deadline).map_or(0, |count| count as u64);
    }
    taken
}

/// Sends the flood from a socket of its own until it is `over`.
fn send_flood(flood: Flood, to: SocketAddr, over: &AtomicBool, sent: &AtomicU64) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut datagram = initiation(&keys(10), keys(1).public(), 0).datagram().to_vec();
    let clock = HostClock::start();
    let mut count = 0_u64;
    while !over.load(Ordering::Relaxed) && flood.rate() > 0 {
        let due = clock.now().as_micros() * flood.rate() / 1_000_000;
        if count >= due {
            thread::sleep(Span::from_micros(200));
            continue;
        }
        count += 1;
        datagram[20..28].copy_from_slice(&count.to_le_bytes());
        let len = match flood {
            Flood::Tiny => (count % 16) as usize,
            Flood::WrongMac1 | Flood::Nothing => datagram.len(),
        };
        // A full queue is the flood's loss.
        _ = socket.send_to(&datagram[..len], to);
        sent.store(count, Ordering::Relaxed);
    }
}
