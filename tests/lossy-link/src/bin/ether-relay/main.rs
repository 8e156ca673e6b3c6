//! `ether-relay`: the link emulator between two virtual machines, one raw Ethernet frame in each UDP datagram.
//!
//! Reading order: [`relay`] (the loop), [`frame`] (what a frame is, without believing it), [`traffic`] (what was
//! counted), [`record`] (pcap and log of drops), [`fuzz`] (hostile frames).

mod args;
mod checksum;
mod frame;
mod fuzz;
mod record;
mod relay;
mod side;
mod traffic;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

fn main() -> ExitCode {
    match relay::run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ether-relay: {error}");
            ExitCode::FAILURE
        }
    }
}
