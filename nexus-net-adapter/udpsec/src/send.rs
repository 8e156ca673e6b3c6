//! `udpsec send`: one file to a peer that runs `udpsec recv`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nexus_net_adapter::backend::host::{HostEndpoint, HostStream};
use nexus_net_adapter::stream::ReliableStream;
use sha2::{Digest, Sha256};
use udp_sec::time::Instant;

use crate::file::{self, CHUNK, HASH_LEN, Hash};
use crate::network::{self, Calling};
use crate::progress::Progress;
use crate::stats::Transfer;

/// Send a file
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    calling: Calling,
    /// The file to send
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the figures of the transfer as JSON
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

/// Sends the file and waits until the peer has stored and verified it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (source, name, size) = open(&args.file)?;
    let (endpoint, stream) = args.calling.connect(file::APPLICATION)?;
    let outcome = deliver(args, &endpoint, stream, source, name, size);
    network::linger(&endpoint);
    outcome
}

fn deliver(
    args: &Args,
    endpoint: &HostEndpoint,
    mut stream: HostStream,
    mut source: File,
    name: &str,
    size: u64,
) -> Result<()> {
    let begun = endpoint.now();
    let progress = Progress::new(name, size);
    let sent = send(&mut stream, &mut source, name, size, &progress);
    let hash = sent.inspect_err(|_| {
        progress.abandon();
        stream.abort();
    })?;
    let elapsed = endpoint.now().saturating_since(begun);
    let transfer = Transfer { endpoint, stream: &stream, name, bytes: size, elapsed, hash: &hash };
    progress.finish(&transfer.verdict());
    let written = args.stats.as_deref().map_or(Ok(()), |path| transfer.write(path));
    stream.close(Instant::MAX).map_err(network::explain)?;
    written
}

fn open(path: &Path) -> Result<(File, &str, u64)> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let metadata = file.metadata().with_context(|| format!("{} cannot be read", path.display()))?;
    if !metadata.is_file() {
        bail!("{} is not a file; an archive of it could be sent", path.display());
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| anyhow!("{} has no name that can be sent as text", path.display()))?;
    Ok((file, name, metadata.len()))
}

fn send(
    stream: &mut HostStream,
    source: &mut File,
    name: &str,
    size: u64,
    progress: &Progress,
) -> Result<Hash> {
    stream.write_all(&file::header(name, size)?, Instant::MAX).map_err(network::explain)?;
    let mut hasher = Sha256::new();
    let mut source = source.take(size);
    let mut left = size;
    let mut buffer = vec![0; CHUNK];
    while left > 0 {
        let count = source.read(&mut buffer).with_context(|| format!("{name} cannot be read"))?;
        if count == 0 {
            bail!("{name} became shorter while it was sent; the peer has stored nothing");
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        hasher.update(bytes);
        stream.write_all(bytes, Instant::MAX).map_err(network::explain)?;
        progress.add(count);
        left = left.saturating_sub(count as u64);
    }
    let hash: Hash = hasher.finalize().into();
    stream.write_all(&hash, Instant::MAX).map_err(network::explain)?;
    stream.finish().map_err(network::explain)?;
    let mut stored = [0; HASH_LEN];
    let count = stream.read_full(&mut stored, Instant::MAX).map_err(network::explain)?;
    if count != HASH_LEN || stored != hash {
        bail!("the peer has not stored {name} as it was sent; its own error message says why");
    }
    Ok(hash)
}
