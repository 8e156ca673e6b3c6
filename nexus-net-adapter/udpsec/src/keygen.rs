//! `udpsec keygen` and `udpsec pubkey`: make a key, and tell others its public half if it has one.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use getrandom::SysRng;
use udp_sec::keys::StaticKeypair;
use zeroize::Zeroizing;

use crate::keys;

/// Make a key file, and print its public key
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to put the secret key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Make a key that two peers share (see `--psk` of the other commands): both need this file, nobody else may have it
    #[arg(long)]
    pre_shared: bool,
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
    const NO_ENTROPY: &str = "the system gives no random numbers; no key was made";
    if args.pre_shared {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice()).map_err(|_| anyhow!(NO_ENTROPY))?;
        keys::save(&args.out, &secret, args.force)?;
        eprintln!(
            "pre-shared key in {}; bring a copy to the peer where nobody can read it",
            args.out.display()
        );
        return Ok(());
    }
    let keypair = StaticKeypair::generate(&mut SysRng).map_err(|_| anyhow!(NO_ENTROPY))?;
    keys::save(&args.out, keypair.secret(), args.force)?;
    eprintln!("secret key in {}; the public key, for your peers:", args.out.display());
    println!("{}", keys::to_text(keypair.public()));
    Ok(())
}

/// Prints a public key.
pub(crate) fn run_pubkey(args: &PubkeyArgs) -> Result<()> {
    println!("{}", keys::to_text(keys::load(&args.key)?.public()));
    Ok(())
}
