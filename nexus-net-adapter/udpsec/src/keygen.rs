//! `udpsec keygen` and `udpsec pubkey`: make a key, and tell others its public half.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use getrandom::SysRng;
use udp_sec::keys::StaticKeypair;

use crate::keys;

/// Make a key file, and print its public key
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to put the secret key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a key that is there; whoever knew its public half will refuse the new one
    #[arg(long)]
    force: bool,
}

/// Print the public key of a key file
#[derive(clap::Args, Debug)]
pub(crate) struct PubkeyArgs {
    /// The key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Makes a key.
pub(crate) fn run(args: &Args) -> Result<()> {
    let keypair = StaticKeypair::generate(&mut SysRng)
        .map_err(|_| anyhow!("the system gives no random numbers; no key was made"))?;
    keys::save(&args.out, &keypair, args.force)?;
    eprintln!("secret key in {}; the public key, for your peers:", args.out.display());
    println!("{}", keys::to_text(keypair.public()));
    Ok(())
}

/// Prints a public key.
pub(crate) fn run_pubkey(args: &PubkeyArgs) -> Result<()> {
    println!("{}", keys::to_text(keys::load(&args.key)?.public()));
    Ok(())
}
