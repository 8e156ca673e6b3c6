//! `udpsec`: the command-line tool. One file for each command, each with its arguments and its `run`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod file;
mod keygen;
mod keys;
mod network;
mod pipe;
mod progress;
mod recv;
mod send;
mod sim;
mod stats;

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
    Sim(sim::Args),
}

fn main() -> ExitCode {
    let outcome = match &Cli::parse().command {
        Command::Keygen(args) => keygen::run(args),
        Command::Pubkey(args) => keygen::run_pubkey(args),
        Command::Listen(args) => pipe::run_listen(args),
        Command::Connect(args) => pipe::run_connect(args),
        Command::Send(args) => send::run(args),
        Command::Recv(args) => recv::run(args),
        Command::Sim(args) => sim::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("udpsec: {error:#}");
            ExitCode::FAILURE
        }
    }
}
