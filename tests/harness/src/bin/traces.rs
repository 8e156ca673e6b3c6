//! Plays the runs that guests play, and prints their traces as a guest does: `diff` tells whether they are the same.

use std::process::ExitCode;

use harness::guest::Line;

const USAGE: &str = "usage: traces [first=SEED] [seeds=COUNT]";

fn main() -> ExitCode {
    let (mut first, mut seeds) = (1_u64, 100_u64);
    for argument in std::env::args().skip(1) {
        match argument.split_once('=').map(|(name, value)| (name, value.parse())) {
            Some(("first", Ok(value))) => first = value,
            Some(("seeds", Ok(value))) => seeds = value,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    (first..first.saturating_add(seeds)).for_each(|seed| println!("{}", Line::of(seed)));
    ExitCode::SUCCESS
}
