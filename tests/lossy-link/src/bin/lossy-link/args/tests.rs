//! Units, and what is refused.

use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

use super::*;

fn parse(options: &[&str]) -> Result<RelayArgs, clap::Error> {
    let fixed = ["lossy-link", "relay", "--listen", "127.0.0.1:0", "--to", "[::1]:9"];
    let Command::Relay(args) = Program::try_parse_from(fixed.iter().chain(options))?.command;
    Ok(args)
}

#[test]
fn units_of_people_become_units_of_the_engine() {
    let args = parse(&[
        "--loss",
        "0.1",
        "--burst",
        "3",
        "--rtt",
        "20.5",
        "--jitter",
        "0.25",
        "--rate",
        "100",
        "--queue",
        "208",
        "--reorder",
        "2",
        "--reorder-delay",
        "4",
        "--dup",
        "1.5",
        "--corrupt",
        "100",
        "--corrupt-offsets",
        "0..50",
        "--blackout",
        "5..7.5",
    ]);
    let expected = LinkConfig::default()
        .loss(ErrorModel::bursts(1_000, 3))
        .delay(Duration::from_micros(10_250))
        .jitter(Duration::from_micros(250))
        .rate(100_000_000)
        .queue(208)
        .reordering(20_000, Duration::from_millis(4))
        .duplication(15_000)
        .corruption(ErrorModel::bursts(1_000_000, 3))
        .corrupt_offsets(0..50)
        .blackout(Instant::from_micros(5_000_000)..Instant::from_micros(7_500_000));
    assert_eq!(args.unwrap().link.link(), expected);
}

#[test]
fn without_options_the_link_is_perfect() {
    let untouched = LinkConfig::default()
        .loss(ErrorModel::random(0))
        .corruption(ErrorModel::random(0))
        .reordering(0, Duration::from_millis(5));
    assert_eq!(parse(&[]).unwrap().link.link(), untouched);
}

#[test]
fn rebinds_are_put_in_order() {
    let args = parse(&["--rebind", "6,1", "--rebind", "0.5"]).unwrap();
    assert_eq!(args.rebinds(), [500_000, 1_000_000, 6_000_000].map(Instant::from_micros));
}

#[test]
fn nonsense_is_refused() {
    for options in [
        ["--loss", "101"],
        ["--loss", "-1"],
        ["--loss", "NaN"],
        ["--rate", "fast"],
        ["--blackout", "7..5"],
        ["--blackout", "-1..5"],
        ["--corrupt-offsets", "50"],
        ["--listen", "0.0.0.0:1"],
        ["--to", "example"],
    ] {
        assert!(parse(&options).is_err(), "{options:?}");
    }
    assert!(parse(&["--rebind-address"]).is_err());
}
