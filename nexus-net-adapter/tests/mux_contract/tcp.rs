//! Sessions over byte streams: a pipe in virtual time, and TCP of the system.

use chacha20::ChaCha20Rng;
use nexus_net_adapter::backend::pipe::{Pipe, PipeEnd};
use nexus_net_adapter::stream::ReliableStream;
use nexus_net_adapter::tcp::{ByteStream, Config, Memory, SecureTcpStream};
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};

use crate::stalling::{self, Conditions, StallingEnd};

/// Bytes that the pipe holds in each direction: fewer than one record has.
const WINDOW: usize = 10_000;

fn config(seed: u8) -> Config {
    let application = ApplicationProtocol::new(b"dsoftbus-mux/2").expect("short");
    let keypair = StaticKeypair::from_secret([seed; 32]);
    Config { keepalive: true, ..Config::new(keypair, Parameters::new(application, 0)) }
}

fn memory() -> Memory<Vec<u8>> {
    Memory::new(vec![0; 1 << 16], vec![0; 1 << 16]).expect("enough")
}

type Piped = SecureTcpStream<PipeEnd<'static, WINDOW>, Vec<u8>>;

/// Both ends of a session over a pipe.
pub(crate) fn pipe() -> (Piped, Piped) {
    // Streams of a test may live as long as they like.
    let pipe: &'static Pipe<WINDOW> = Box::leak(Box::default());
    let (near, far) = pipe.ends();
    established(near, far)
}

/// Both ends of a session over TCP of which `percent` of the segments are lost.
pub(crate) fn lossy(percent: u32) -> (Lossy, Lossy) {
    let loss_ppm = percent * 10_000;
    let delay = Duration::from_millis(5);
    let conditions = Conditions { delay, rate: 100_000_000, window: 1 << 16, loss_ppm };
    let (near, far, _) = stalling::ends(conditions, percent.into());
    established(near, far)
}

type Lossy = SecureTcpStream<StallingEnd, Vec<u8>>;

pub(crate) fn established<T: ByteStream>(
    near: T,
    far: T,
) -> (SecureTcpStream<T, Vec<u8>>, SecureTcpStream<T, Vec<u8>>) {
    let (ours, theirs) = (config(1), config(2));
    let mut allowed = AllowList::<1>::new();
    allowed.add(*ours.keypair.public()).expect("room");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut near = SecureTcpStream::connect(near, memory(), &ours, theirs.keypair.public(), &mut rng)
        .expect("a keypair and entropy");
    let mut far = SecureTcpStream::accept(far, memory(), &theirs);
    let soon = |stream: &SecureTcpStream<T, _>| stream.now() + Duration::from_millis(1);
    while far.established(Instant::ZERO).is_err() || near.established(Instant::ZERO).is_err() {
        let _ = near.established(soon(&near));
        let _ = far.answer(&theirs, &allowed, &mut rng, soon(&far));
        let _ = far.established(soon(&far));
    }
    (near, far)
}

/// Both ends of a session over TCP on the loopback.
#[cfg(feature = "std")]
pub(crate) fn loopback() -> (Loopback, Loopback) {
    use nexus_net_adapter::backend::host::{HostClock, HostTcp};
    use std::net::{TcpListener, TcpStream};

    let port = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let near = TcpStream::connect(port.local_addr().expect("bound")).expect("listening");
    let (far, _) = port.accept().expect("connected");
    let clock = HostClock::start();
    let [near, far] = [near, far].map(|socket| HostTcp::new(socket, clock).expect("a connection"));
    established(near, far)
}

#[cfg(feature = "std")]
type Loopback = SecureTcpStream<nexus_net_adapter::backend::host::HostTcp, Vec<u8>>;
