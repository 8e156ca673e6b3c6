//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lossy_link::host::link_args::{LinkArgs, instant, loopback};
use udp_sec::time::Instant;

/// A link that loses packets.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Program {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Forward UDP datagrams between clients and one server through an emulated link each way.
    ///
    /// Each client gets a socket of its own toward the server, as behind a NAT. Prints "relay ready ADDRESS"
    /// when it listens, and its counters as one line of JSON when it ends (on SIGINT or SIGTERM).
    Relay(RelayArgs),
}

#[derive(Args)]
pub(crate) struct RelayArgs {
    /// Where clients send to; a loopback address. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
    /// The server; a loopback address.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub(crate) to: SocketAddr,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Move every client to a new port toward the server at these times, in seconds since the relay began.
    #[arg(long, value_name = "SECONDS", value_delimiter = ',')]
    rebind: Vec<f64>,
    /// With --rebind: to a new address as well (IPv4).
    #[arg(long, requires = "rebind")]
    pub(crate) rebind_address: bool,
    /// Also write the counters to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// End when standard input does, too.
    #[arg(long)]
    pub(crate) until_eof: bool,
}

impl RelayArgs {
    /// When to rebind, earliest first.
    pub(crate) fn rebinds(&self) -> Vec<Instant> {
        let mut times: Vec<Instant> = self.rebind.iter().copied().map(instant).collect();
        times.sort_unstable();
        times
    }
}

#[cfg(test)]
mod tests;
