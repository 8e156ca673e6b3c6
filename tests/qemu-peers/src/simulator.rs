//! The same transfer over the same link in the simulator, for each profile of udp-sec.

use harness::scenario::Scenario;
use harness::world;
use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

use crate::Options;
use crate::row::{ROWS, Row};

/// Runs of which the mean is taken.
const SEEDS: u64 = 100;

/// The mean goodput in bit/s for a row of ours.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// Which row.
    pub(crate) row: &'static Row,
    /// Bits per second.
    pub(crate) goodput: u64,
}

/// Simulates every row of udp-sec.
pub(crate) fn run(options: &Options) -> Vec<Simulated> {
    let ours = ROWS.iter().filter(|row| row.is_ours());
    ours.map(|row| {
        let times = (1..=SEEDS).filter_map(|seed| {
            let link = LinkConfig::default()
                .delay(Duration::from_micros(u64::from(crate::transfer::RTT_MS) * 500))
                .rate(u64::from(crate::transfer::RATE_MBIT) * 1_000_000)
                .queue(crate::transfer::QUEUE as usize)
                .loss(ErrorModel::random(options.loss * 10_000));
            let scenario = Scenario::new(seed, options.bytes).profile(row.profile).link(link);
            let report = world::run(&scenario);
            // As in the guests: without the handshake.
            let begun = report.client.established?.saturating_since(scenario.start);
            let micros = report.done?.saturating_sub(begun).as_micros().max(1);
            report.is_success().then_some(options.bytes * 8_000_000 / micros)
        });
        let goodputs: Vec<u64> = times.collect();
        let goodput = goodputs.iter().sum::<u64>().checked_div(goodputs.len() as u64).unwrap_or(0);
        Simulated { row, goodput }
    })
    .collect()
}
