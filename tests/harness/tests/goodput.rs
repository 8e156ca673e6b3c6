//! How fast it is, as committed snapshots: any change of behaviour shows as a difference in `snapshots/`.
//! `HARNESS_UPDATE=1` rewrites them.

mod common;

use common::{assert_snapshot, on_two_threads, succeed};
use harness::world::ms;
use harness::{Report, Scenario};
use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

const BYTES: u64 = 1 << 20;
const SEEDS: u64 = 5;
/// Losses in parts per million, and how the table names them.
const LOSSES: [(u32, &str); 7] = [
    (0, "0%"),
    (1_000, "0.1%"),
    (5_000, "0.5%"),
    (10_000, "1%"),
    (20_000, "2%"),
    (50_000, "5%"),
    (100_000, "10%"),
];
const RTTS: [u64; 5] = [1, 10, 30, 100, 300];

/// 10 Mbit/s with a queue of 25 packets, losses both ways.
fn link(loss: u32, rtt: u64) -> LinkConfig {
    LinkConfig::default()
        .rate(10_000_000)
        .queue(25)
        .delay(Duration::from_micros(rtt * 500))
        .loss(ErrorModel::random(loss))
}

#[test]
fn goodput_by_loss_and_round_trip_time() {
    let runs: Vec<_> = LOSSES
        .iter()
        .flat_map(|(loss, _)| {
            RTTS.iter().flat_map(move |rtt| (0..SEEDS).map(move |seed| (*loss, *rtt, seed)))
        })
        .collect();
    let rates = on_two_threads(&runs, |&(loss, rtt, seed)| {
        succeed(&Scenario::new(seed, BYTES).link(link(loss, rtt))).goodput(BYTES) / 8
    });
    let mut text = format!("goodput in bytes/s of 1 MiB, handshake included: mean of {SEEDS} seeds\n");
    text += "10 Mbit/s, queue of 25 packets, the same loss both ways; 1 250 000 bytes/s with headers\n";
    text += "  loss";
    for rtt in RTTS {
        text += &format!(" {:>9}", format!("{rtt} ms"));
    }
    for (row, (_, name)) in rates.chunks(RTTS.len() * SEEDS as usize).zip(LOSSES) {
        text += &format!("\n{name:>6}");
        for cell in row.chunks(SEEDS as usize) {
            text += &format!(" {:>9}", cell.iter().sum::<u64>() / SEEDS);
        }
    }
    assert_snapshot("goodput.txt", &(text + "\n"));
}

/// Congestion control over time, ten lines a second.
fn trace(loss: u32) -> String {
    let mut scenario = Scenario::new(1, BYTES).link(link(loss, 30));
    scenario.sample_every = Some(ms(100));
    let report = succeed(&scenario);
    let mut text = String::from("     ms    cwnd ssthresh in-flight  srtt-us   rttvar delivered\n");
    for sample in &report.samples {
        let path = sample.path;
        let ssthresh = if path.ssthresh == u64::MAX { "-".into() } else { path.ssthresh.to_string() };
        text += &format!(
            "{:>7} {:>7} {:>8} {:>9} {:>8} {:>8} {:>9}\n",
            sample.at.as_millis(),
            path.window,
            ssthresh,
            path.in_flight,
            path.smoothed_rtt.as_micros(),
            path.rtt_variation.as_micros(),
            sample.delivered,
        );
    }
    text + &summary(&report)
}

fn summary(report: &Report) -> String {
    let stats = report.client.stats;
    format!(
        "done after {} ms; lost {}, spurious {}, reductions {}, undone {}, probe timeouts {}\n",
        report.done.map_or(0, Duration::as_millis),
        stats.packets_lost,
        stats.spurious_losses,
        stats.window_reductions,
        stats.reductions_undone,
        stats.probe_timeouts,
    )
}

#[test]
fn congestion_window_without_random_loss() {
    assert_snapshot("cwnd-clean.txt", &trace(0));
}

#[test]
fn congestion_window_at_2_percent_loss() {
    assert_snapshot("cwnd-2-percent-loss.txt", &trace(20_000));
}
