//! Plays random plans until the time is up or the seeds are through, or plays one again. `scripts/soak.sh` is the front
//! door.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use harness::chaos;
use harness::network::{self, NetworkReport};

const USAGE: &str = "usage: soak [--seconds S] [--seeds N] [--seed FIRST] [--jobs J] | --replay SEED\n  0 seeds or seconds: no bound";

/// A run counts as work done when it delivers so much for each [`SPAN_MICROS`] simulated.
const BYTES_PER_SPAN: u128 = 100 << 10;
const SPAN_MICROS: u128 = 30_000_000;
const YEAR_SECONDS: f64 = 365.25 * 86_400.0;

/// What to do.
struct Orders {
    seconds: u64,
    seeds: u64,
    first: u64,
    jobs: u64,
    replay: Option<u64>,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Some(Orders { replay: Some(seed), .. }) => replay(seed),
        Some(orders) => soak(&orders),
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Orders> {
    let jobs = std::thread::available_parallelism().map_or(1, |jobs| jobs.get() as u64);
    let mut orders = Orders { seconds: 600, seeds: 0, first: 0, jobs, replay: None };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--seconds" => orders.seconds = value,
            "--seeds" => orders.seeds = value,
            "--seed" => orders.first = value,
            "--jobs" => orders.jobs = value,
            "--replay" => orders.replay = Some(value),
            _ => return None,
        }
    }
    (orders.seconds > 0 || orders.seeds > 0).then_some(orders)
}

/// Plays one plan; a broken invariant ends the program where it breaks.
fn replay(seed: u64) -> ExitCode {
    let plan = chaos::plan(seed);
    println!("{plan:#?}");
    let report = network::run(&plan);
    for end in &report.ended {
        println!("{end:?}");
    }
    println!("{} bytes, {} datagrams, {:?}", report.delivered, report.datagrams, report.lasted);
    println!("trace {}", hex(&report.trace));
    ExitCode::SUCCESS
}

/// Sums over all runs.
#[derive(Default)]
struct Totals {
    runs: u64,
    /// Talks by how they ended at their caller.
    ends: BTreeMap<String, u64>,
    simulated_micros: u128,
    /// The same for the runs that delivered enough.
    counted_micros: u128,
    datagrams: u64,
    delivered: u64,
    /// Of the seeds whose runs broke an invariant.
    broken: Vec<u64>,
    /// All traces together, whatever their order.
    digest: u64,
}

impl Totals {
    fn add(&mut self, report: &NetworkReport) {
        self.runs += 1;
        for end in report.ended.iter().filter(|end| end.caller) {
            let name = end.why.map_or_else(|| String::from("restarted"), |why| why.to_string());
            *self.ends.entry(name).or_default() += 1;
        }
        let micros = u128::from(report.lasted.as_micros());
        self.simulated_micros += micros;
        if u128::from(report.delivered) * SPAN_MICROS >= BYTES_PER_SPAN * micros {
            self.counted_micros += micros;
        }
        self.datagrams += report.datagrams;
        self.delivered += report.delivered;
        let head = report.trace.first_chunk().expect("a trace has 32 bytes");
        self.digest = self.digest.wrapping_add(u64::from_le_bytes(*head));
    }
}

#[allow(clippy::disallowed_methods, reason = "how long to go on is a matter of real time")]
fn soak(orders: &Orders) -> ExitCode {
    let started = Instant::now();
    let next = AtomicU64::new(orders.first);
    let totals = Mutex::new(Totals::default());
    let bounded = |bound: u64, value: u64| bound == 0 || value < bound;
    let work = || {
        while bounded(orders.seconds, started.elapsed().as_secs()) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !bounded(orders.seeds, seed - orders.first) {
                return;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| network::run(&chaos::plan(seed))));
            let mut totals = totals.lock().expect("no thread panics with it");
            match outcome {
                Ok(report) => totals.add(&report),
                Err(_) => {
                    totals.broken.push(seed);
                    eprintln!("an invariant broke; to see it again: ./scripts/soak.sh --replay {seed}");
                }
            }
        }
    };
    std::thread::scope(|scope| (0..orders.jobs).for_each(|_| drop(scope.spawn(work))));
    let totals = totals.into_inner().expect("all threads are done");
    print_totals(&totals, orders.first, started.elapsed().as_secs_f64().max(0.001));
    if totals.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_totals(totals: &Totals, first: u64, seconds: f64) {
    println!(
        "{} runs from seed {first} in {seconds:.0} s, traces add up to {:016x}",
        totals.runs, totals.digest
    );
    for (name, count) in &totals.ends {
        println!("{count:>9}  talks: {name}");
    }
    println!("{} datagrams, {} bytes delivered in order", totals.datagrams, totals.delivered);
    let years = |micros: u128| micros as f64 / 1e6 / YEAR_SECONDS;
    let (all, counted) = (years(totals.simulated_micros), years(totals.counted_micros));
    println!(
        "{all:.4} years simulated, {counted:.4} of them with at least 100 KiB in each 30 s: {:.2} years for each hour",
        counted * 3_600.0 / seconds
    );
    match totals.broken.as_slice() {
        [] => println!("no invariant broke"),
        broken => println!("invariants broke in {} runs, seeds {broken:?}", broken.len()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
