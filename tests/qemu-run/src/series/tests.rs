//! The table and its figures.

use super::*;

fn row() -> Row {
    Row {
        name: "udp-sec-two-guests-loss5-seed1".to_owned(),
        loss: 5.0,
        seed: 1,
        passed: true,
        seconds: 7.25,
        bulk_us: Some(2_000_000),
        bulk_bytes: Some(1 << 20),
        packets_lost: Some(44),
        bytes_again: None,
        heap: Some(5_120),
        stack: Some(9_000),
    }
}

#[test]
fn goodput_is_bits_over_time() {
    assert_eq!(row().goodput(), Some(4_194_304));
    assert_eq!(Row { bulk_us: Some(0), ..row() }.goodput(), None);
    assert_eq!(Row { bulk_bytes: None, ..row() }.goodput(), None);
}

#[test]
fn the_table_shows_every_run_and_counts_those_that_passed() {
    let text = table(&[row(), Row { passed: false, bulk_us: None, ..row() }]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[1].contains("passed") && lines[1].contains("1 MiB") && lines[1].contains("4.19 Mb/s"),
        "{text}"
    );
    assert!(lines[2].contains("FAILED") && lines[2].contains(" - "), "{text}");
    assert_eq!(lines[3], "1 of 2 runs passed");
    assert_eq!(lines[0].len(), lines[1].len());
}

#[test]
fn the_stack_is_the_highest_of_all_phases() {
    let output = Output::parse(
        "FIGURE stack_handshake_bytes 14824\nFIGURE stack_transfer_bytes 7240\nFIGURE heap_bytes 99999",
    );
    assert_eq!(largest_stack(&output), Some(14_824));
    assert_eq!(largest_stack(&Output::default()), None);
}
