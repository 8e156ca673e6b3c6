//! `udpsec`: the command-line tool. One file for each command, each with its arguments and its `run`.

use std::alloc::System;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use zeroizing_alloc::ZeroAlloc;

mod file;
mod forward;
mod keygen;
mod keys;
mod network;
mod pipe;
mod progress;
mod recv;
mod send;
mod sim;
mod stats;

/// Memory that is given back is wiped: what snow and `ring` keep of keys is behind pointers, and they wipe none of it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Files and pipes between two hosts over udp-sec: encrypted, authenticated, reliable, over UDP
#[derive(Parser, Debug)]
#[command(name = "udpsec", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Keygen(keygen::Args),
    Pubkey(keygen::PubkeyArgs),
    Listen(pipe::ListenArgs),
    Connect(pipe::ConnectArgs),
    Send(send::Args),
    Recv(recv::Args),
    Forward(forward::Args),
    Sim(sim::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("udpsec: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Keygen(args) => keygen::run(&args),
        Command::Pubkey(args) => keygen::run_pubkey(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Listen(args) => in_tasks(pipe::run_listen(&args)),
        Command::Connect(args) => in_tasks(pipe::run_connect(&args)),
        Command::Recv(args) => in_tasks(recv::run(&args)),
        Command::Forward(args) => in_tasks(forward::run(args)),
    }
}

/// Runs tasks in this thread until `work` is done.
fn in_tasks(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // Reading standard input cannot be interrupted, so that thread is not waited for.
    runtime.shutdown_background();
    outcome
}
