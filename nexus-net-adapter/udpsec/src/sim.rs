//! `udpsec sim`: one transfer in virtual time, by flags. The same flags give the same run, to the last byte.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use harness::report::Sample;
use harness::{Outcome, Profile, Report, Scenario};
use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

/// Columns of a sparkline.
const WIDTH: usize = 60;

/// Play a transfer over an emulated link, in virtual time
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// KiB to send
    #[arg(long, default_value_t = 2048, value_name = "KIB")]
    kib: u64,
    /// Loss in each direction, in %
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
    loss: f64,
    /// The longest run of losses; 0: independent losses
    #[arg(long, default_value_t = 0, value_name = "N")]
    burst: u32,
    /// Round-trip time in ms
    #[arg(long, default_value_t = 30, value_name = "MS")]
    rtt: u64,
    /// Rate of the link in Mbit/s; 0: unlimited
    #[arg(long, default_value_t = 10, value_name = "MBIT")]
    rate: u64,
    /// Queue of the link in packets
    #[arg(long, default_value_t = 25, value_name = "N")]
    queue: usize,
    /// Datagrams that overtake others, in %
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
    reorder: f64,
    /// Datagrams that arrive twice, in %
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
    duplicate: f64,
    /// Datagrams that arrive damaged, in %
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
    corrupt: f64,
    /// Capacities of both ends
    #[arg(long, value_enum, default_value_t = Capacity::Host)]
    profile: Capacity,
    /// Seed of the first run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of runs, with consecutive seeds
    #[arg(long, default_value_t = 1, value_name = "N")]
    runs: u64,
    /// Write the first run's congestion window, bytes in flight and delivery over time
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Capacity {
    /// 8 KiB each way
    Small,
    /// 64 KiB each way
    Medium,
    /// 4 MiB each way
    Host,
}

/// Plays the runs and prints what came of them.
pub(crate) fn run(args: &Args) -> Result<()> {
    let link = args.link()?;
    if args.kib == 0 || args.runs == 0 {
        bail!("nothing to do: --kib and --runs must be at least 1");
    }
    let play = |seed| harness::run(&args.scenario(seed, &link));
    let reports: Vec<Report> = (0..args.runs).map(|nth| play(args.seed.wrapping_add(nth))).collect();
    let Some(first) = reports.first() else { return Ok(()) };
    print_run(args, first);
    if reports.len() > 1 {
        print_all(args, &reports);
    }
    if let Some(path) = &args.csv {
        write_csv(path, &first.samples)
            .with_context(|| format!("the trace could not be written to {}", path.display()))?;
        println!("trace written to {}", path.display());
    }
    match reports.iter().filter(|report| !report.is_success()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} runs did not deliver everything", reports.len()),
    }
}

impl Args {
    fn link(&self) -> Result<LinkConfig> {
        let [loss, reorder, duplicate, corrupt] = [
            ppm("--loss", self.loss)?,
            ppm("--reorder", self.reorder)?,
            ppm("--duplicate", self.duplicate)?,
            ppm("--corrupt", self.corrupt)?,
        ];
        let errors = |ppm| match (ppm, self.burst) {
            (0, _) => ErrorModel::None,
            (ppm, 0) => ErrorModel::random(ppm),
            (ppm, burst) => ErrorModel::bursts(ppm, burst),
        };
        let one_way = Duration::from_micros(self.rtt.saturating_mul(500));
        Ok(LinkConfig::default()
            .delay(one_way)
            .rate(self.rate.saturating_mul(1_000_000))
            .queue(self.queue)
            .loss(errors(loss))
            .corruption(errors(corrupt))
            .duplication(duplicate)
            .reordering(reorder, Duration::from_micros(self.rtt.saturating_mul(250))))
    }

    fn scenario(&self, seed: u64, link: &LinkConfig) -> Scenario {
        let profile = match self.profile {
            Capacity::Small => Profile::Small,
            Capacity::Medium => Profile::Medium,
            Capacity::Host => Profile::Host,
        };
        let mut scenario = Scenario::new(seed, self.bytes()).link(link.clone()).profile(profile);
        scenario.limit = Duration::from_secs(7 * 24 * 3_600);
        scenario.sample_every = Some(Duration::from_millis(1));
        scenario
    }

    const fn bytes(&self) -> u64 {
        self.kib.saturating_mul(1024)
    }
}

/// Parts per million from a percentage given as `flag`.
fn ppm(flag: &str, percent: f64) -> Result<u32> {
    if !(0.0..=100.0).contains(&percent) {
        bail!("{flag} takes a percentage from 0 to 100");
    }
    Ok((percent * 10_000.0).round() as u32)
}

fn print_run(args: &Args, report: &Report) {
    let stats = &report.client.stats;
    println!(
        "{} KiB over {} Mbit/s, RTT {} ms, loss {} %, queue {}, profile {:?}, seed {}\n",
        args.kib, args.rate, args.rtt, args.loss, args.queue, args.profile, args.seed,
    );
    let row = |name: &str, value: String| println!("  {name:<16} {value}");
    match report.outcome {
        Outcome::Success => row("outcome", "everything delivered".into()),
        Outcome::Failed(why) => row("outcome", format!("failed: {why}")),
    }
    if let Some(done) = report.done {
        row("time", format!("{:.3} s", seconds(done)));
        row("goodput", format!("{:.3} Mbit/s", report.goodput(args.bytes()) as f64 / 1e6));
    }
    row("datagrams", format!("{} sent, {} received", stats.datagrams_sent, stats.datagrams_received));
    let [to, back] = [&report.to_server, &report.to_client];
    row(
        "on the link",
        format!(
            "{} + {} lost, {} + {} dropped by the queue, {} + {} damaged",
            to.lost, back.lost, to.queue_dropped, back.queue_dropped, to.corrupted, back.corrupted
        ),
    );
    row("losses declared", format!("{}, {} of them spurious", stats.packets_lost, stats.spurious_losses));
    row(
        "sent again",
        format!("{} B lost, {} B in probes", stats.stream_bytes_retransmitted, stats.stream_bytes_probed),
    );
    row(
        "window",
        format!(
            "{} reductions, {} undone, {} probe timeouts",
            stats.window_reductions, stats.reductions_undone, stats.probe_timeouts
        ),
    );
    let trace: String = report.trace.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    row("trace", format!("{trace} (the same flags give the same trace)"));
    println!();
    print_sparkline("congestion window", &report.samples, |sample| sample.path.window);
    print_sparkline("bytes in flight", &report.samples, |sample| sample.path.in_flight);
    println!();
}

fn print_all(args: &Args, reports: &[Report]) {
    let mut goodputs: Vec<f64> = reports
        .iter()
        .filter(|report| report.is_success())
        .map(|report| report.goodput(args.bytes()) as f64 / 1e6)
        .collect();
    goodputs.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (goodputs.first(), goodputs.last()) else { return };
    let mean = goodputs.iter().sum::<f64>() / goodputs.len() as f64;
    println!(
        "{} of {} runs delivered everything; goodput, Mbit/s: mean {mean:.3}, least {least:.3}, most {most:.3}\n",
        goodputs.len(),
        reports.len(),
    );
}

/// The largest value in each of [`WIDTH`] equal spans of time, as bars.
fn print_sparkline(name: &str, samples: &[Sample], value: impl Fn(&Sample) -> u64) {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Some(end) = samples.last().map(|sample| sample.at.as_micros().max(1)) else { return };
    let mut highest = [0; WIDTH];
    for sample in samples {
        let column = sample.at.as_micros().saturating_mul(WIDTH as u64 - 1) / end;
        if let Some(cell) = highest.get_mut(column as usize) {
            *cell = value(sample).max(*cell);
        }
    }
    let most = highest.iter().copied().max().unwrap_or(0);
    // Slow start's first overshoot would flatten all that follows: the highest few columns share the full bar.
    let mut sorted = highest;
    sorted.sort_unstable();
    let full = sorted.get(WIDTH * 9 / 10).copied().unwrap_or(most).max(1);
    // A span in which nothing happened keeps the value before it.
    let mut last = 0;
    let bars: String = highest
        .iter()
        .map(|cell| {
            last = if *cell == 0 { last } else { *cell };
            BARS.get((last * 7 / full).min(7) as usize).copied().unwrap_or(' ')
        })
        .collect();
    println!("  {name:<17} {bars}  at most {most} B");
}

fn write_csv(path: &PathBuf, samples: &[Sample]) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "time_us,window_bytes,ssthresh_bytes,in_flight_bytes,smoothed_rtt_us,delivered_bytes")?;
    for sample in samples {
        let path = &sample.path;
        let ssthresh = if path.ssthresh == u64::MAX { String::new() } else { path.ssthresh.to_string() };
        writeln!(
            file,
            "{},{},{ssthresh},{},{},{}",
            sample.at.as_micros(),
            path.window,
            path.in_flight,
            path.smoothed_rtt.as_micros(),
            sample.delivered,
        )?;
    }
    file.flush()
}

fn seconds(span: Duration) -> f64 {
    span.as_micros() as f64 / 1e6
}
