//! udp-sec beside quinn, on this machine: each side of a transfer is a process of its own, so that its CPU
//! time is its own.
//!
//! A receiver prints `ready ADDRESS`, takes one connection, counts what arrives during the given time from
//! the first byte on, prints a [`report::Side`] as JSON, and closes. A sender sends until the receiver
//! closes, and prints the same. `run` plays the rounds and makes the table; see `scripts/bench.sh`.

mod measure;
mod ours;
mod processes;
mod quinn_peer;
mod report;
mod rounds;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Whatever went wrong, in words for the person who runs the benchmark.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// udp-sec and its peers side by side.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play the rounds and print the tables.
    Run(rounds::RunArgs),
    /// Receive over udp-sec.
    OursRecv(RecvArgs),
    /// Send over udp-sec.
    OursSend(SendArgs),
    /// Receive over quinn.
    QuinnRecv(RecvArgs),
    /// Send over quinn.
    QuinnSend(SendArgs),
}

#[derive(Args)]
struct RecvArgs {
    /// How long to count.
    #[arg(long)]
    seconds: f64,
    /// Where to leave what the sender needs to know this receiver by.
    #[arg(long)]
    identity: PathBuf,
}

#[derive(Args)]
struct SendArgs {
    /// The receiver, or a relay in front of it.
    #[arg(long)]
    to: SocketAddr,
    /// What the receiver left.
    #[arg(long)]
    identity: PathBuf,
    /// Give up after this time.
    #[arg(long)]
    seconds_max: f64,
}

fn main() -> ExitCode {
    let result = match Program::parse().command {
        Command::Run(args) => rounds::run(&args),
        Command::OursRecv(args) => ours::receive(&args).and_then(|side| side.print()),
        Command::OursSend(args) => ours::send(&args).and_then(|side| side.print()),
        Command::QuinnRecv(args) => quinn_peer::receive(&args).and_then(|side| side.print()),
        Command::QuinnSend(args) => quinn_peer::send(&args).and_then(|side| side.print()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-peers: {error}");
            ExitCode::FAILURE
        }
    }
}
