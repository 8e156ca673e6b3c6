//! `udpsec recv`: stores a file that a peer sends with `udpsec send`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nexus_net_adapter::stream::ReliableStream;
use sha2::{Digest, Sha256};
use udp_sec::time::Instant;

use crate::file::{self, CHUNK, HASH_LEN, Hash};
use crate::network::{self, Listening, Session, Settings};
use crate::progress::Progress;
use crate::stats::Transfer;

/// Receive a file
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    listening: Listening,
    /// The folder to store files in
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Go on receiving files, one after the other, until stopped
    #[arg(long)]
    keep: bool,
    /// Replace a file of the same name
    #[arg(long)]
    force: bool,
    /// Write the figures of the (last) transfer as JSON
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
}

/// A file on its way: under a temporary name until it is known to be right.
struct Arriving {
    name: String,
    size: u64,
    partial: PathBuf,
    target: PathBuf,
    file: File,
}

/// Receives one file, or one after the other.
pub(crate) async fn run(args: &Args) -> Result<()> {
    if !args.out.is_dir() {
        bail!("{} is not a folder; make it first, or choose another with --out", args.out.display());
    }
    let mut listener = args.listening.bind(&args.settings, file::APPLICATION)?;
    loop {
        let mut session = listener.accept(&args.settings).await?;
        let outcome = receive_one(args, &mut session);
        session.end();
        match outcome {
            Err(error) if args.keep => eprintln!("udpsec: {error:#}"),
            outcome if !args.keep => return outcome,
            _ => {}
        }
    }
}

fn receive_one(args: &Args, session: &mut Session) -> Result<()> {
    let begun = session.stream.now();
    let mut arriving = Arriving::begin(session, args).inspect_err(|_| session.stream.abort())?;
    let progress = Progress::new(&arriving.name, arriving.size);
    let stored = arriving.store(session, &progress);
    let hash = stored.inspect_err(|_| {
        progress.abandon();
        session.stream.abort();
        // What is left of it is of no use to anybody.
        _ = fs::remove_file(&arriving.partial);
    })?;
    session.write_all(&hash).map_err(network::explain)?;
    let elapsed = session.stream.now().saturating_since(begun);
    let (name, bytes) = (arriving.name.as_str(), arriving.size);
    let transfer = Transfer { session, name, bytes, elapsed, hash: &hash };
    progress.finish(&transfer.verdict());
    let written = args.stats.as_deref().map_or(Ok(()), |path| transfer.write(path));
    // The file is stored and verified. A sender that is gone before it has heard so will see an error of its own.
    _ = session.close();
    written
}

impl Arriving {
    fn begin(session: &mut Session, args: &Args) -> Result<Self> {
        let name_len = u16::from_le_bytes(read_array(session)?);
        let mut name = vec![0; usize::from(name_len)];
        read_exact(session, &mut name)?;
        let name = file::safe_name(&name)?.to_owned();
        let size = u64::from_le_bytes(read_array(session)?);
        let target = args.out.join(&name);
        if target.exists() && !args.force {
            bail!("{} exists; --force replaces it", target.display());
        }
        let partial = args.out.join(format!(".{name}.{}.partial", std::process::id()));
        let file =
            File::create(&partial).with_context(|| format!("{} cannot be written", args.out.display()))?;
        Ok(Self { name, size, partial, target, file })
    }

    fn store(&mut self, session: &mut Session, progress: &Progress) -> Result<Hash> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        let mut left = self.size;
        while left > 0 {
            let most = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            let room = buffer.get_mut(..most).unwrap_or_default();
            let count = session.stream.read(room, Instant::MAX).map_err(network::explain)?;
            if count == 0 {
                bail!("the peer ended before the file was complete; nothing was stored");
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            hasher.update(bytes);
            self.file.write_all(bytes).with_context(|| self.cannot_write())?;
            progress.add(count);
            left = left.saturating_sub(count as u64);
        }
        let hash: Hash = hasher.finalize().into();
        if read_array(session)? != hash {
            bail!("{} arrived otherwise than it was read by the sender; nothing was stored", self.name);
        }
        self.file.sync_all().with_context(|| self.cannot_write())?;
        rename(&self.partial, &self.target)?;
        Ok(hash)
    }

    fn cannot_write(&self) -> String {
        format!("{} could not be stored: is the disk full? Nothing of it was kept", self.target.display())
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("{} cannot be written", to.display()))
}

fn read_array<const N: usize>(session: &mut Session) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    read_exact(session, &mut bytes)?;
    Ok(bytes)
}

fn read_exact(session: &mut Session, bytes: &mut [u8]) -> Result<()> {
    let count = session.read_full(bytes).map_err(network::explain)?;
    if count != bytes.len() {
        bail!("the peer ended before the file was complete; nothing was stored");
    }
    Ok(())
}

const _: () = assert!(HASH_LEN == size_of::<Hash>());
