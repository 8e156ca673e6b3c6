//! `udpsec send`: one file to a peer that runs `udpsec recv`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nexus_net_adapter::stream::ReliableStream;
use sha2::{Digest, Sha256};

use crate::file::{self, CHUNK, HASH_LEN, Hash};
use crate::network::{self, Caller, Calling, Session, Settings};
use crate::progress::Progress;
use crate::stats::Transfer;

/// Send a file
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Settings,
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
    let caller = Caller::new(&args.settings, &args.calling, file::APPLICATION)?;
    let mut session = caller.call().map_err(|failure| failure.advice)?;
    let outcome = deliver(args, &mut session, source, name, size);
    session.end();
    outcome
}

fn deliver(args: &Args, session: &mut Session, mut source: File, name: &str, size: u64) -> Result<()> {
    let begun = session.stream.now();
    let progress = Progress::new(name, size);
    let sent = send(session, &mut source, name, size, &progress);
    let hash = sent.inspect_err(|_| {
        progress.abandon();
        session.stream.abort();
    })?;
    let elapsed = session.stream.now().saturating_since(begun);
    let transfer = Transfer { session, name, bytes: size, elapsed, hash: &hash };
    progress.finish(&transfer.verdict());
    let written = args.stats.as_deref().map_or(Ok(()), |path| transfer.write(path));
    session.close().map_err(network::explain)?;
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
    session: &mut Session,
    source: &mut File,
    name: &str,
    size: u64,
    progress: &Progress,
) -> Result<Hash> {
    session.write_all(&file::header(name, size)?).map_err(network::explain)?;
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
        session.write_all(bytes).map_err(network::explain)?;
        progress.add(count);
        left = left.saturating_sub(count as u64);
    }
    let hash: Hash = hasher.finalize().into();
    session.write_all(&hash).map_err(network::explain)?;
    session.stream.finish().map_err(network::explain)?;
    let mut stored = [0; HASH_LEN];
    let count = session.read_full(&mut stored).map_err(network::explain)?;
    if count != HASH_LEN || stored != hash {
        bail!("the peer has not stored {name} as it was sent; its own error message says why");
    }
    Ok(hash)
}
