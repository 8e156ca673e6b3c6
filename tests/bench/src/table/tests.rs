//! Grouping, medians and ratios.

use super::*;
use crate::report::Side;

fn run(peer: &'static str, loss_percent: Option<f64>, megabytes: u64) -> Run {
    let side = Side { bytes: megabytes * 1_000_000, seconds: 8.0, cpu_seconds: 1.0 };
    Run { peer, round: 1, loss_percent, seed: None, sender: side, receiver: side, relay: None }
}

#[test]
fn each_peer_of_each_cell_has_a_line_and_its_ratio_to_quinn() {
    let runs = [
        run("quinn", None, 400),
        run("ours", None, 1_000),
        run("quinn", None, 500),
        run("ours", None, 900),
        run("quinn", None, 900),
        run("ours", None, 100),
        run("quinn", Some(0.1), 40),
        run("ours", Some(0.1), 30),
    ];
    let summaries = summaries(&runs);
    let found: Vec<_> = summaries
        .iter()
        .map(|line| (line.peer, line.loss_percent, line.rounds, line.goodput_bits_per_second.median))
        .collect();
    let expected = [
        ("quinn", None, 3, 5e8),
        ("ours", None, 3, 9e8),
        ("quinn", Some(0.1), 1, 4e7),
        ("ours", Some(0.1), 1, 3e7),
    ];
    assert_eq!(found, expected);
    let ratios: Vec<_> = summaries.iter().map(|line| line.goodput_ratio).collect();
    assert_eq!(ratios, [Some(1.0), Some(1.8), Some(1.0), Some(0.75)]);
    let text = render(&summaries);
    assert_eq!(text.lines().count(), 5);
    assert!(
        text.contains("0.90 (0.10-1.00) Gbit/s") && text.contains("30.00 (30.00-30.00) Mbit/s"),
        "{text}"
    );
}

#[test]
fn without_quinn_there_is_no_ratio() {
    assert_eq!(summaries(&[run("ours", None, 1)])[0].goodput_ratio, None);
    assert!(summaries(&[]).is_empty());
}
