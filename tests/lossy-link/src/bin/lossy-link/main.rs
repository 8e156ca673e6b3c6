//! `lossy-link relay`: the link emulator between real UDP sockets, on loopback addresses only.

mod args;
mod relay;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Command, Program};

fn main() -> ExitCode {
    let Command::Relay(args) = Program::parse().command;
    match relay::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lossy-link: {error}");
            ExitCode::FAILURE
        }
    }
}
