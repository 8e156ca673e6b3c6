//! Sessions over the system's sockets, each end in a thread that waits in the system.

use std::sync::mpsc;
use std::thread;

use chacha20::ChaCha20Rng;
use nexus_net_adapter::backend::host::net::HostNet;
use nexus_net_adapter::net::{NetSocketAddrV4, NetStack, PolledStack, TcpListener, TickRate};
use nexus_net_adapter::stream::ReliableStream;
use nexus_net_adapter::tcp::{Config, Memory, SecureTcpStream};
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};

use crate::world::{pattern, port};

const LEN: usize = 4 << 20;

fn config(seed: u8) -> Config {
    let application = ApplicationProtocol::new(b"test/1").expect("short");
    Config::new(StaticKeypair::from_secret([seed; 32]), Parameters::new(application, 0))
}

fn polled() -> PolledStack<HostNet, HostNet> {
    let net = HostNet::new();
    PolledStack::new(net.clone(), net, TickRate::MICROS)
}

fn memory() -> Memory<Vec<u8>> {
    Memory::new(vec![0; 1 << 16], vec![0; 1 << 16]).expect("enough")
}

fn soon(stack: &PolledStack<HostNet, HostNet>) -> Instant {
    stack.now() + Duration::from_secs(20)
}

#[test]
fn a_session_crosses_between_threads_that_wait_in_the_system() {
    let (tell, address) = mpsc::channel::<NetSocketAddrV4>();
    let called = thread::spawn(move || {
        let stack = polled();
        let mut listener =
            stack.open(|stack| stack.tcp_listen(port([127, 0, 0, 1], 0), 1)).expect("a free port");
        tell.send(listener.local_addr()).expect("somebody waits");
        let bytes = stack.accept(&mut listener, soon(&stack)).expect("a connection");
        let mut peers = AllowList::<1>::new();
        peers.add(*config(1).keypair.public()).expect("room");
        let mut stream = SecureTcpStream::accept(bytes, memory(), &config(2));
        stream
            .answer(&config(2), &peers, &mut ChaCha20Rng::seed_from_u64(2), soon(&stack))
            .expect("a caller");
        stream.established(soon(&stack)).expect("a peer");
        let mut read = vec![0; LEN];
        let mut count = 0;
        while count < LEN {
            count += stream.read(&mut read[count..], soon(&stack)).expect("bytes");
        }
        stream.close(soon(&stack)).expect("in order");
        read
    });
    let stack = polled();
    let address = address.recv().expect("an address");
    let bytes = stack.connect(address, soon(&stack)).expect("a way");
    let peer = *config(2).keypair.public();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut stream = SecureTcpStream::connect(bytes, memory(), &config(1), &peer, &mut rng).expect("entropy");
    stream.established(soon(&stack)).expect("a peer");
    let data = pattern(LEN);
    let mut written = 0;
    while written < LEN {
        written += stream.write(&data[written..], soon(&stack)).expect("room");
    }
    stream.close(soon(&stack)).expect("in order");
    assert!(called.join().expect("no panic") == data);
}
