//! `qemu-run`: the command line, and what the runs are that it asks for.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use qemu_run::plan::{LinkPlan, Plan, Scene, Tools, Trouble, Without};
use qemu_run::profile::Profile;
use qemu_run::series::{self, MATRIX, MATRIX_SEEDS};
use qemu_run::stage::INTERRUPTED;
use signal_hook::consts::{SIGINT, SIGTERM};

/// Bytes of bulk for each hostile frame: the session has to last as long as they do.
const BYTES_PER_HOSTILE_FRAME: u64 = 48;

/// Bytes of bulk that last until memory is copied in the middle of them.
const BYTES_FOR_A_COPY: u64 = 512 << 10;

/// Boots the guests in QEMU, joins them by an emulated link, and judges them by their markers.
///
/// Exit code 0 only if every run was as it must be. Each run leaves a folder with its logs, a pcap file of the link,
/// the decoded defmt log, a picture, a summary and the evidence.
#[derive(Parser)]
#[command(name = "qemu-run", version)]
struct Args {
    /// What the run is about.
    #[arg(long, value_name = "NAME", default_value = "udp-sec")]
    profile: Profile,
    /// Two guests; otherwise one guest and this host: once the host listens, then the host calls.
    #[arg(long)]
    two_vm: bool,
    /// Frames lost each way, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    loss: f64,
    /// Round-trip time, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 20.0)]
    delay: f64,
    /// Frames held back by 5 ms so that others overtake them, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    reorder: f64,
    /// Rate of the link in Mbit/s, 0 for no limit.
    #[arg(long, value_name = "MBIT", default_value_t = 10.0)]
    rate: f64,
    /// Frames that may wait for the link.
    #[arg(long, value_name = "FRAMES", default_value_t = 25)]
    queue: u64,
    /// What is lost, and which bytes are sent; a repeated run takes the next ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Bytes of the bulk transfer.
    #[arg(long, default_value_t = 256 * 1024)]
    bytes: u64,
    /// Largest IP packet, in bytes.
    #[arg(long, default_value_t = 1_228)]
    mtu: u64,
    /// Why there is no udp-sec in the profiles fallback and strict.
    #[arg(long, value_name = "HOW", default_value = "blocked")]
    without: Without,
    /// Runs of each link, each with another seed; with several also the medians. [default: 1, with --matrix 3]
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Every loss of 0, 1, 5 and 10 % instead of --loss, with two guests, and a table.
    #[arg(long, conflicts_with = "loss")]
    matrix: bool,
    /// Kills the listener while the bulk is under way: later markers must then be absent.
    #[arg(long)]
    kill_peer: bool,
    /// Sends the listener so many hostile frames meanwhile; the bulk grows to last as long.
    #[arg(long, value_name = "FRAMES", default_value_t = 0, conflicts_with = "kill_peer")]
    fuzz: u64,
    /// Searches the memory of both guests for the secrets of their session, in the middle of it and afterwards.
    #[arg(long, conflicts_with_all = ["kill_peer", "fuzz", "loss", "matrix"])]
    secrets: bool,
    /// Shows the markers while they come, and then a table of the figures.
    #[arg(long)]
    watch: bool,
    /// Longest that a guest may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    limit: u64,
    #[command(flatten)]
    tools: ToolArgs,
}

/// Set by `scripts/qemu-test.sh`.
#[derive(clap::Args)]
#[command(next_help_heading = "Programs and places")]
struct ToolArgs {
    /// QEMU.
    #[arg(long, default_value = "qemu-system-riscv64")]
    qemu: PathBuf,
    /// The guest's ELF image.
    #[arg(long)]
    image: PathBuf,
    /// The frame relay.
    #[arg(long)]
    relay: PathBuf,
    /// The host end.
    #[arg(long)]
    host_end: PathBuf,
    /// The decoder and painter.
    #[arg(long)]
    report: PathBuf,
    /// Where runs get their folders.
    #[arg(long, default_value = "artifacts/qemu")]
    out: PathBuf,
    /// What the folders' names begin with.
    #[arg(long, default_value = "run")]
    stamp: String,
    /// The commit that was built, for the evidence.
    #[arg(long, default_value = "unknown")]
    commit: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("qemu-run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))?;
    }
    let tools = Tools {
        qemu: args.tools.qemu.clone(),
        image: args.tools.image.clone(),
        relay: args.tools.relay.clone(),
        host_end: args.tools.host_end.clone(),
        report: args.tools.report.clone(),
        out: args.tools.out.clone(),
        commit: args.tools.commit.clone(),
    };
    series::run_all(&plans(args)?, &tools, &args.tools.stamp, args.watch)
}

/// Every run that is asked for, in order.
fn plans(args: &Args) -> Result<Vec<Plan>> {
    let seeds = args.seeds.unwrap_or(if args.matrix { MATRIX_SEEDS } else { 1 });
    if seeds == 0 {
        bail!("--seeds 0 asks for nothing");
    }
    let losses = if args.matrix { MATRIX.to_vec() } else { vec![args.loss] };
    let mut plans = Vec::new();
    for loss in losses {
        for scene in scenes(args)? {
            plans.extend((args.seed..).take(seeds as usize).map(|seed| plan(args, scene, loss, seed)));
        }
    }
    Ok(plans)
}

/// Who takes part. What does not come to a session needs no host at the other end.
fn scenes(args: &Args) -> Result<Vec<Scene>> {
    let session = matches!(args.profile, Profile::UdpSec | Profile::Fallback);
    if (args.matrix || args.kill_peer || args.fuzz > 0) && args.profile != Profile::UdpSec {
        bail!("--matrix, --kill-peer and --fuzz are for the profile udp-sec");
    }
    if args.secrets && !session {
        bail!("--secrets is for profiles with a session");
    }
    Ok(if args.two_vm || args.matrix || args.kill_peer || args.fuzz > 0 || args.secrets || !session {
        vec![Scene::TwoGuests]
    } else {
        vec![Scene::HostListens, Scene::HostCalls]
    })
}

fn plan(args: &Args, scene: Scene, loss: f64, seed: u64) -> Plan {
    let trouble = match (args.kill_peer, args.fuzz) {
        (true, _) => Trouble::KillPeer,
        (false, 0) => Trouble::None,
        (false, frames) => Trouble::Fuzz(frames),
    };
    let least = if args.secrets { BYTES_FOR_A_COPY } else { 0 };
    Plan {
        profile: args.profile,
        scene,
        link: LinkPlan { loss, delay: args.delay, reorder: args.reorder, rate: args.rate, queue: args.queue },
        seed,
        bytes: args.bytes.max(args.fuzz.saturating_mul(BYTES_PER_HOSTILE_FRAME)).max(least),
        mtu: args.mtu,
        without: args.without,
        trouble,
        secrets: args.secrets,
        limit: Duration::from_secs(args.limit),
    }
}
