//! Plays random scenarios until the time is up, or plays one again. `scripts/soak.sh` is the front door.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use harness::{Outcome, Report, chaos, run};

const USAGE: &str = "usage: soak [--minutes M] [--from SEED] | --replay SEED";

/// What to do.
enum Command {
    Soak { minutes: u64, from: u64 },
    Replay(u64),
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Some(Command::Replay(seed)) => replay(seed),
        Some(Command::Soak { minutes, from }) => soak(minutes, from),
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Command> {
    let (mut minutes, mut from, mut replay) = (10, 0, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--minutes" => minutes = value,
            "--from" => from = value,
            "--replay" => replay = Some(value),
            _ => return None,
        }
    }
    Some(replay.map_or(Command::Soak { minutes, from }, Command::Replay))
}

/// Plays one scenario; a broken invariant ends the program where it breaks.
fn replay(seed: u64) -> ExitCode {
    let scenario = chaos::scenario(seed);
    println!("{scenario:#?}");
    let Report { outcome, done, ended, client, server, to_server, to_client, .. } = run(&scenario);
    println!("{outcome:?}, delivered after {done:?}, ended after {ended:?}");
    println!("initiator {client:#?}\nresponder {server:#?}");
    println!("to the responder {to_server}\nto the initiator {to_client}");
    ExitCode::SUCCESS
}

/// Sums over all runs.
#[derive(Default)]
struct Totals {
    /// Runs by how they ended.
    outcomes: BTreeMap<String, u64>,
    simulated_micros: u64,
    datagrams: u64,
    delivered: u64,
}

impl Totals {
    fn add(&mut self, report: &Report) {
        let name = match report.outcome {
            Outcome::Success => String::from("success"),
            Outcome::Failed(why) => why.to_string(),
        };
        *self.outcomes.entry(name).or_default() += 1;
        self.simulated_micros += report.ended.as_micros();
        self.datagrams += report.to_server.sent + report.to_client.sent;
        self.delivered +=
            report.client.stats.stream_bytes_received + report.server.stats.stream_bytes_received;
    }
}

#[allow(clippy::disallowed_methods, reason = "how long to go on is a matter of real time")]
fn soak(minutes: u64, from: u64) -> ExitCode {
    let started = Instant::now();
    let (next, broken) = (AtomicU64::new(from), AtomicBool::new(false));
    let totals = Mutex::new(Totals::default());
    let work = || {
        while !broken.load(Ordering::Relaxed) && started.elapsed().as_secs() < minutes * 60 {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let scenario = chaos::scenario(seed);
            match catch_unwind(AssertUnwindSafe(|| run(&scenario))) {
                Ok(report) => totals.lock().expect("no thread panics with it").add(&report),
                Err(_) => {
                    broken.store(true, Ordering::Relaxed);
                    eprintln!("an invariant broke in {scenario:?}");
                    eprintln!("to see it again: ./scripts/soak.sh --replay {seed}");
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });

    let seconds = started.elapsed().as_secs_f64().max(0.001);
    let totals = totals.into_inner().expect("all threads are done");
    let runs: u64 = totals.outcomes.values().sum();
    println!("{runs} runs, seeds {from} to {}, in {seconds:.0} s", next.load(Ordering::Relaxed) - 1);
    for (name, count) in &totals.outcomes {
        println!("{count:>9}  {name}");
    }
    println!("{} datagrams, {} stream bytes delivered in order", totals.datagrams, totals.delivered);
    let simulated = totals.simulated_micros as f64 / 1e6;
    println!("{:.1} hours simulated: {:.0} for each real hour", simulated / 3_600.0, simulated / seconds);
    if broken.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
