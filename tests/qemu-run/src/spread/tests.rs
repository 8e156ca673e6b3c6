//! Medians, ranges, and which runs go together.

use super::*;

fn run(loss: f64, seed: u64, bulk_us: u64, passed: bool) -> Row {
    Row {
        name: format!("udp-sec-two-guests-loss{loss}-seed{seed}"),
        loss,
        seed,
        passed,
        seconds: 9.0,
        bulk_us: Some(bulk_us),
        bulk_bytes: Some(1_000_000),
        packets_lost: Some(10 * seed),
        bytes_again: None,
        heap: Some(784),
        stack: Some(16_216),
    }
}

#[test]
fn the_median_is_the_middle_one_or_between_the_two() {
    let odd = Spread::of(vec![5.0, 1.0, 9.0]);
    assert_eq!(odd, Some(Spread { median: 5.0, least: 1.0, greatest: 9.0 }));
    let even = Spread::of(vec![10.0, 9.0, 1.0, 4.0]);
    assert_eq!(even, Some(Spread { median: 6.5, least: 1.0, greatest: 10.0 }));
    assert_eq!(Spread::of(Vec::new()), None);
}

#[test]
fn runs_that_differ_by_their_seed_are_one_row_without_those_that_failed() {
    let rows = [
        run(0.0, 1, 1_000_000, true),
        run(0.0, 2, 2_000_000, true),
        run(0.0, 3, 4_000_000, true),
        run(5.0, 1, 8_000_000, true),
        run(5.0, 2, 99_000_000, false),
    ];
    let text = table(&rows);
    let lines: Vec<String> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[1], "0 3/3 2.00 (1.00-4.00) 4.00 (2.00-8.00) 20 (10-30) - 784 16216");
    assert_eq!(lines[2], "5 1/2 8.00 1.00 10 - 784 16216");
    let json = to_json(&rows);
    assert_eq!(json[0]["bulk_seconds"], json!({ "median": 2.0, "least": 1.0, "greatest": 4.0 }));
    assert_eq!((&json[1]["count"], &json[1]["passed"]), (&json!(2), &json!(1)));
    assert_eq!(json[1]["retransmitted_kib"], Value::Null);
}

#[test]
fn one_run_of_each_has_no_medians() {
    assert_eq!(table(&[run(0.0, 1, 1, true), run(1.0, 1, 1, true)]), "");
}
