//! An echo server, and a client that sends it one line.
//!
//! ```text
//! cargo run --example echo --features std -- serve
//! cargo run --example echo --features std -- call ADDRESS KEY TEXT      (as the server printed them)
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::thread;

use getrandom::SysRng;
use nexus_net_adapter::backend::host::{HostEndpoint, HostStream, Peers, config};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve(),
        ["call", address, key, text] => call(address.parse()?, &parse_key(key)?, text),
        _ => Err("usage: echo serve | echo call ADDRESS KEY TEXT".into()),
    }
}

/// An endpoint with new keys on the loopback interface.
fn endpoint(peers: Peers) -> Outcome<HostEndpoint> {
    let keypair = StaticKeypair::generate(&mut SysRng)?;
    let config = config(keypair, ApplicationProtocol::new(b"echo/1")?);
    Ok(HostEndpoint::bind("127.0.0.1:0".parse()?, config, peers)?)
}

fn serve() -> Outcome<()> {
    let endpoint = endpoint(Peers::Any)?;
    let key: String = endpoint.public_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("echo call {} {key} TEXT", endpoint.local_addr()?);
    loop {
        let mut stream = endpoint.accept(Instant::MAX)?;
        thread::spawn(move || match echo(&mut stream) {
            Ok(()) => println!("echoed {} bytes", stream.stats().stream_bytes_received),
            Err(error) => eprintln!("{error}"),
        });
    }
}

/// Sends back whatever comes until the peer has finished, then finishes, too.
fn echo(stream: &mut HostStream) -> Result<(), StreamError> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer, Instant::MAX)? {
            0 => return stream.close(Instant::MAX),
            count => stream.write_all(&buffer[..count], Instant::MAX)?,
        }
    }
}

fn call(address: SocketAddr, key: &PublicKey, text: &str) -> Outcome<()> {
    let endpoint = endpoint(Peers::Only(vec![]))?;
    let deadline = endpoint.now() + Duration::from_secs(10);
    let mut stream = endpoint.connect(address, key, deadline)?;
    stream.write_all(text.as_bytes(), deadline)?;
    let mut answer = vec![0; text.len()];
    stream.read_full(&mut answer, deadline)?;
    println!("{}", String::from_utf8_lossy(&answer));
    Ok(stream.close(deadline)?)
}

fn parse_key(hex: &str) -> Outcome<PublicKey> {
    let digits = |index| hex.get(2 * index..2 * index + 2).ok_or("a key has 64 digits");
    let mut key = [0; 32];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits(index)?, 16)?;
    }
    Ok(PublicKey::from_bytes(key))
}
