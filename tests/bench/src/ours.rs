//! udp-sec on its host backend, as an application uses it: a write of 64 KiB, a read of up to 64 KiB.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};

use getrandom::SysRng;
use nexus_net_adapter::backend::host::{HostEndpoint, Peers, config};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};

use crate::measure::Stopwatch;
use crate::report::Side;
use crate::{Failure, RecvArgs, SendArgs};

/// What the application gives and takes at a time.
const CHUNK: usize = 64 << 10;
/// Time for the handshake, and at the end for the close.
const PATIENCE: Duration = Duration::from_secs(10);

/// Receives for the given time.
pub(crate) fn receive(args: &RecvArgs) -> Result<Side, Failure> {
    let endpoint = endpoint()?;
    fs::write(&args.identity, endpoint.public_key().as_bytes())?;
    println!("ready {}", endpoint.local_addr()?);
    std::io::stdout().flush()?;

    let mut stream = endpoint.accept(endpoint.now() + PATIENCE)?;
    let stopwatch = Stopwatch::start();
    let deadline = endpoint.now() + seconds(args.seconds);
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    while endpoint.now() < deadline {
        match stream.read(&mut buffer, deadline) {
            Ok(0) => return Err("the sender ended the stream".into()),
            Ok(count) => bytes += count as u64,
            Err(StreamError::TimedOut) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let side = stopwatch.stop(bytes);
    stream.abort();
    drop(stream);
    endpoint.linger(endpoint.now() + PATIENCE)?;
    Ok(side)
}

/// Sends until the receiver closes.
pub(crate) fn send(args: &SendArgs) -> Result<Side, Failure> {
    let endpoint = endpoint()?;
    let identity: [u8; 32] = fs::read(&args.identity)?.try_into().map_err(|_| "not a public key")?;
    let peer = PublicKey::from_bytes(identity);
    let mut stream = endpoint.connect(args.to, &peer, endpoint.now() + PATIENCE)?;
    let stopwatch = Stopwatch::start();
    let deadline: Instant = endpoint.now() + seconds(args.seconds_max);
    let data = vec![0x5a; CHUNK];
    let mut bytes = 0;
    let ended = loop {
        match stream.write(&data, deadline) {
            Ok(count) => bytes += count as u64,
            Err(error) => break error,
        }
    };
    let side = stopwatch.stop(bytes);
    match ended {
        StreamError::Closed(_) => Ok(side),
        error => Err(format!("the receiver did not close in time: {error}").into()),
    }
}

fn endpoint() -> Result<HostEndpoint, Failure> {
    let keypair = StaticKeypair::generate(&mut SysRng).map_err(|_| "no entropy")?;
    let config = config(keypair, ApplicationProtocol::new(b"bench").map_err(|_| "not a protocol's name")?);
    Ok(HostEndpoint::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), config, Peers::Any)?)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6) as u64)
}
