//! Sessions over TCP without a network, room for whole sessions, and the network of `os_shim::lossy`.

use chacha20::ChaCha20Rng;
use nexus_net_adapter::backend::pipe::{Pipe, PipeEnd};
use nexus_net_adapter::tcp::{self, Memory, SecureTcpStream};
pub(crate) use os_shim::lossy::{World, address, below, device, keys, lossy_links, with_session};
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::time::Instant;

/// Bytes that the pipe holds in each direction: fewer than one record has.
pub(crate) const WINDOW: usize = 10_000;

pub(crate) type Piped<'p> = SecureTcpStream<PipeEnd<'p, WINDOW>, Vec<u8>>;

/// Both ends of a session over TCP without a network, the caller's first.
pub(crate) fn secure_tcp(pipe: &Pipe<WINDOW>) -> (Piped<'_>, Piped<'_>) {
    let config = |side| {
        let application = ApplicationProtocol::new(b"dsoftbus-mux/2").expect("short");
        tcp::Config::new(keys(side), Parameters::new(application, 0))
    };
    let memory = || Memory::new(vec![0; 1 << 15], vec![0; 1 << 15]).expect("enough");
    let (ours, theirs) = (config(0), config(1));
    let mut allowed = AllowList::<1>::new();
    allowed.add(*ours.keypair.public()).expect("room");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (near, far) = pipe.ends();
    let mut near =
        SecureTcpStream::connect(near, memory(), &ours, theirs.keypair.public(), &mut rng).expect("a key");
    let mut far = SecureTcpStream::accept(far, memory(), &theirs);
    while far.established(Instant::ZERO).is_err() || near.established(Instant::ZERO).is_err() {
        let _ = near.established(Instant::ZERO);
        let _ = far.answer(&theirs, &allowed, &mut rng, Instant::ZERO);
    }
    (near, far)
}

/// On a stack that holds whole sessions: those of two devices are too much for that of a test.
pub(crate) fn on_a_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(32 << 20).spawn_scoped(scope, run);
        thread.expect("a thread").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
