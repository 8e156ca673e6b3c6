//! A bulk transfer between two guests, over udp-sec and over smoltcp's TCP, in the same memory and over the same link,
//! with the same losses by index: every row with one seed, some of them at once, then with the next. All rows are
//! printed, and beside udp-sec what the simulator gives for its profile and that link.
//!
//! Reading order: [`row`] (what is compared), [`transfer`] (one of them, from start to end), [`simulator`], [`table`].

mod row;
mod simulator;
mod table;
mod transfer;

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use clap::Parser;

use row::{ROWS, Row};
use table::Outcome;

/// The options; `scripts/qemu-peers.sh` gives them.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// QEMU.
    #[arg(long)]
    qemu: PathBuf,
    /// The folder with the images, named as the rows want them.
    #[arg(long)]
    images: PathBuf,
    /// The Ethernet relay.
    #[arg(long)]
    relay: PathBuf,
    /// Where logs and results go.
    #[arg(long)]
    out: PathBuf,
    /// How many seeds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Transfers that run at once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    parallel: u64,
    /// Bytes of a transfer.
    #[arg(long, default_value_t = 2 << 20)]
    bytes: u64,
    /// Frames lost each way, in percent.
    #[arg(long, default_value_t = 5)]
    loss: u32,
    /// Seconds that a guest may take.
    #[arg(long, default_value_t = 300)]
    limit: u64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    let outcomes = play_all(&options);
    let simulated = simulator::run(&options);
    let text = table::text(&options, &outcomes, &simulated);
    fs::write(options.out.join("peers.txt"), &text)?;
    fs::write(options.out.join("peers.json"), table::json(&options, &outcomes, &simulated))?;
    print!("{text}");
    // That a peer does not get done in time is a result; that udp-sec does not is a failure.
    let failed = outcomes.iter().filter(|outcome| outcome.row.is_ours() && outcome.goodput.is_err()).count();
    anyhow::ensure!(failed == 0, "{failed} transfers over udp-sec failed");
    Ok(())
}

/// Every row with the first seed, then with the next; so many at once as the options say.
fn play_all(options: &Options) -> Vec<Outcome> {
    let jobs: Vec<_> = (1..=options.seeds).flat_map(|seed| ROWS.iter().map(move |row| (row, seed))).collect();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.parallel {
            scope.spawn(|| {
                while let Some((row, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = play(options, row, *seed);
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push(outcome);
                    }
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_default()
}

fn play(options: &Options, row: &'static Row, seed: u64) -> Outcome {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN);
    let outcome = match transfer::run(options, row, seed) {
        Ok((goodput, ram)) => Outcome { row, seed, load, goodput: Ok(goodput), ram },
        Err(why) => Outcome { row, seed, load, goodput: Err(format!("{why:#}")), ram: 0 },
    };
    println!("{outcome}");
    outcome
}
