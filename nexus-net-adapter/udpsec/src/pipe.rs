//! `udpsec listen` and `udpsec connect`: a two-way pipe between two terminals or programs, like netcat.

use std::io::{Read, Write};
use std::thread;

use anyhow::{Context, Result};
use nexus_net_adapter::backend::host::{HostEndpoint, HostStream};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::time::Instant;

use crate::network::{self, Calling, Listening};

const APPLICATION: &[u8] = b"udpsec-pipe/1";

/// Wait for a peer, then join its stream to standard input and output
#[derive(clap::Args, Debug)]
pub(crate) struct ListenArgs {
    #[command(flatten)]
    listening: Listening,
}

/// Call a peer that listens, then join its stream to standard input and output
#[derive(clap::Args, Debug)]
pub(crate) struct ConnectArgs {
    #[command(flatten)]
    calling: Calling,
}

/// Waits for one peer and serves it.
pub(crate) fn run_listen(args: &ListenArgs) -> Result<()> {
    let endpoint = args.listening.bind(APPLICATION)?;
    let stream = endpoint.accept(Instant::MAX).map_err(network::explain)?;
    eprintln!("connected with {}", stream.peer_addr()?);
    attend(&endpoint);
    let outcome = join(stream);
    network::linger(&endpoint);
    outcome
}

/// Calls a peer.
pub(crate) fn run_connect(args: &ConnectArgs) -> Result<()> {
    let (endpoint, stream) = args.calling.connect(APPLICATION)?;
    attend(&endpoint);
    let outcome = join(stream);
    network::linger(&endpoint);
    outcome
}

/// Keeps the session going while both ends of the pipe are blocked: a terminal may be silent for hours, and a program
/// may take its time to read.
fn attend(endpoint: &HostEndpoint) {
    let endpoint = endpoint.clone();
    thread::spawn(move || {
        loop {
            endpoint.attend(Instant::MAX);
        }
    });
}

/// Copies both ways until both are at their end.
fn join(mut stream: HostStream) -> Result<()> {
    let mut sending = stream.clone();
    // Reading standard input cannot be interrupted, so this thread is not waited for where the peer ends first.
    let sender = thread::spawn(move || send_input(&mut sending));
    let mut output = std::io::stdout().lock();
    let mut buffer = vec![0; 65_536];
    loop {
        match stream.read(&mut buffer, Instant::MAX) {
            Ok(0) => break,
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                let written = output.write_all(bytes).and_then(|()| output.flush());
                if let Err(error) = written {
                    stream.abort();
                    return Err(error).context("standard output is closed");
                }
            }
            Err(error) => return Err(network::explain(error)),
        }
    }
    if let Ok(sent) = sender.join() {
        sent?;
    }
    stream.close(Instant::MAX).map_err(network::explain)
}

/// Sends standard input to its end, then finishes our direction.
fn send_input(stream: &mut HostStream) -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut buffer = vec![0; 65_536];
    loop {
        let count = input.read(&mut buffer).context("standard input cannot be read")?;
        if count == 0 {
            break;
        }
        let sent = stream.write_all(buffer.get(..count).unwrap_or_default(), Instant::MAX);
        match sent {
            Err(StreamError::Closed(_)) => return Ok(()),
            sent => sent.map_err(network::explain)?,
        }
    }
    stream.finish().map_err(network::explain)
}
