//! The rounds: peers in turn, so that what else the machine does falls on all of them alike.

use std::path::PathBuf;
use std::{env, fs, process};

use clap::{Args, ValueEnum};

use crate::Failure;
use crate::processes::Process;
use crate::report::{Run, Side};
use crate::table;

/// The link of the loss part.
const RATE_MBIT: u32 = 100;
const RTT_MS: u32 = 20;
const QUEUE_PACKETS: u32 = 208;
/// How much longer than the transfer a sender may take, handshake and close included.
const GRACE_SECONDS: f64 = 15.0;

#[derive(Args)]
pub(crate) struct RunArgs {
    /// What to measure.
    #[arg(long, value_delimiter = ',', default_value = "bulk,loss")]
    parts: Vec<Part>,
    /// Who takes part, in this order within each round.
    #[arg(long, value_delimiter = ',', default_value = "quinn,ours")]
    peers: Vec<Peer>,
    /// Rounds of each measurement; medians of fewer than 5 say little.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each bulk transfer.
    #[arg(long, default_value_t = 5.0)]
    bulk_seconds: f64,
    /// Seconds of each transfer under loss.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Loss in percent, each way, of the cells of the loss part.
    #[arg(long, value_delimiter = ',', default_value = "0.1,1,5")]
    cells: Vec<f64>,
    /// The lossy-link program.
    #[arg(long)]
    relay: PathBuf,
    /// Where the results go, as JSON.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Bulk,
    Loss,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Peer {
    Quinn,
    Ours,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Quinn => "quinn",
            Self::Ours => "ours",
        }
    }
}

/// Plays all rounds, prints the table and writes everything to the file.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let bulk = args.parts.contains(&Part::Bulk).then_some(None);
    let losses = args.cells.iter().map(|&cell| Some(cell)).filter(|_| args.parts.contains(&Part::Loss));
    let cells: Vec<Option<f64>> = bulk.into_iter().chain(losses).collect();
    let mut runs = Vec::new();
    for &loss in &cells {
        for round in 1..=args.rounds {
            for peer in &args.peers {
                let run = transfer(args, *peer, loss, round)?;
                eprintln!("{:<10} round {round}  {}", table::cell_name(loss), table::run_line(&run));
                runs.push(run);
            }
        }
    }
    let summaries = table::summaries(&runs);
    println!("\n{}", table::render(&summaries));
    let results = serde_json::json!({ "summaries": summaries, "runs": runs });
    if let Some(folder) = args.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&args.out, serde_json::to_string_pretty(&results)? + "\n")?;
    println!("written to {}", args.out.display());
    Ok(())
}

/// One transfer: receiver, relay where the cell has losses, sender.
fn transfer(args: &RunArgs, peer: Peer, loss_percent: Option<f64>, round: u32) -> Result<Run, Failure> {
    let this = env::current_exe()?;
    let identity = env::temp_dir().join(format!("bench-peers-{}.identity", process::id()));
    let identity = identity.to_string_lossy();
    let seconds = if loss_percent.is_some() { args.seconds } else { args.bulk_seconds };
    let receive =
        [format!("{}-recv", peer.name()), format!("--seconds={seconds}"), format!("--identity={identity}")];
    let mut receiver = Process::start(&this, &receive)?;
    let mut to = receiver.expect_line("ready ")?;
    // The same losses for every peer: the seed is the round's.
    let seed = loss_percent.map(|_| u64::from(round));
    let mut relay = None;
    if let Some(percent) = loss_percent {
        let process = relay.insert(start_relay(args, &to, percent, round)?);
        to = process.expect_line("relay ready ")?;
    }
    let send = [
        format!("{}-send", peer.name()),
        format!("--to={to}"),
        format!("--identity={identity}"),
        format!("--seconds-max={}", seconds + GRACE_SECONDS),
    ];
    let sender = Process::start(&this, &send)?;
    let receiver: Side = serde_json::from_str(&receiver.finish()?)?;
    let sender: Side = serde_json::from_str(&sender.finish()?)?;
    let relay: Option<serde_json::Value> =
        relay.map(|relay| Ok::<_, Failure>(serde_json::from_str(&relay.finish()?)?)).transpose()?;
    fs::remove_file(&*identity)?;
    // A relay that drops on its own account has not measured the peer.
    let own_drops = relay.as_ref().map(|relay| (&relay["socket_drops"], &relay["send_failures"]));
    if own_drops.is_some_and(|(socket, _)| socket.as_u64() != Some(0)) {
        return Err(format!("the relay could not keep up: {own_drops:?}").into());
    }
    Ok(Run { peer: peer.name(), round, loss_percent, seed, sender, receiver, relay })
}

fn start_relay(args: &RunArgs, to: &str, loss_percent: f64, round: u32) -> Result<Process, Failure> {
    let options = [
        String::from("relay"),
        String::from("--until-eof"),
        String::from("--listen=127.0.0.1:0"),
        format!("--to={to}"),
        format!("--loss={loss_percent}"),
        format!("--rtt={RTT_MS}"),
        format!("--rate={RATE_MBIT}"),
        format!("--queue={QUEUE_PACKETS}"),
        format!("--seed={round}"),
    ];
    Process::start(&args.relay, &options)
}
