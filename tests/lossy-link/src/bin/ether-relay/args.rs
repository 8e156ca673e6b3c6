//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use lossy_link::host::link_args::{LinkArgs, loopback};

use crate::side::Side;

/// An emulated link between two virtual machines, A and B, on loopback addresses.
///
/// Each machine sends and receives raw Ethernet frames, one in each UDP datagram, as QEMU's `-netdev dgram` does.
/// What the link emulates is the IP packet: its rate counts the frame without the 14 bytes of Ethernet header (UDP
/// payload + 28 for IPv4), and corruption spares that header. Prints "relay ready A B" (the addresses it listens
/// on) and, at the end (SIGINT, SIGTERM), what it counted as one line of JSON.
#[derive(Parser)]
#[command(name = "ether-relay", version)]
pub(crate) struct Args {
    /// Where machine A sends its frames to; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) a: SocketAddr,
    /// Where machine A receives; frames from elsewhere are not taken for A's.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub(crate) a_peer: SocketAddr,
    /// Where machine B sends its frames to.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) b: SocketAddr,
    /// Where machine B receives.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub(crate) b_peer: SocketAddr,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Lets frames that are neither UDP nor TCP (ARP, ICMP) pass beside the link: with its delay, but never lost,
    /// held back or queued. Without this they suffer as all do.
    #[arg(long)]
    pub(crate) spare_control: bool,
    /// Drops every frame of this kind. May be given several times.
    #[arg(long, value_name = "KIND")]
    pub(crate) block: Vec<Block>,
    /// Writes every frame as its sender sent it, also those dropped then (pcap, LINKTYPE_ETHERNET).
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,
    /// Writes a line of JSON for each frame that did not pass; `frame` is its number in the pcap file, from 1.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Also writes the counts to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// Sends this many hostile frames to one machine, from its first frame on and as fast as it takes them: noise
    /// of any size, and altered copies of real frames. They go round the link, and are fixed by --seed and by
    /// the real frames seen. Prints "fuzz done N" behind the last one.
    #[arg(long, value_name = "FRAMES", default_value_t = 0)]
    pub(crate) fuzz: u64,
    /// Which machine gets them.
    #[arg(long, value_name = "SIDE", default_value = "a")]
    pub(crate) fuzz_to: Side,
    /// Writes the last thousand hostile frames, to see what hurt (pcap).
    #[arg(long, value_name = "FILE")]
    pub(crate) fuzz_pcap: Option<PathBuf>,
    /// Ends when standard input does, too.
    #[arg(long)]
    pub(crate) until_eof: bool,
}

/// What can be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Block {
    /// UDP over IPv4 or IPv6.
    Udp,
    /// TCP over IPv4 or IPv6.
    Tcp,
}
