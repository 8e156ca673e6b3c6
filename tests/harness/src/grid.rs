//! The integrity grid: every combination of loss, round-trip time, reordering, duplication and corruption that a
//! session must come through with its bytes in order, or with a named error, in bounded time.

use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::Duration;

use crate::scenario::Scenario;

/// Bytes sent in each run.
pub const BYTES: u64 = 256 << 10;

/// Losses, in percent of the datagrams of each direction.
pub const LOSSES: [u32; 8] = [0, 1, 2, 5, 10, 20, 30, 50];
/// Round-trip times, in milliseconds.
pub const RTTS: [u64; 4] = [1, 30, 100, 600];
/// Reordering, duplication and corruption, in percent of the datagrams of each direction.
pub const DISTURBANCES: [Disturbance; 12] = disturbances();

/// What befalls datagrams besides loss and delay, in percent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Disturbance {
    /// Datagrams held back by a quarter of the round-trip time, so that later ones overtake them.
    pub reordering: u32,
    /// Datagrams that arrive twice.
    pub duplication: u32,
    /// Datagrams with a byte changed.
    pub corruption: u32,
}

const fn disturbances() -> [Disturbance; 12] {
    let mut all = [Disturbance { reordering: 0, duplication: 0, corruption: 0 }; 12];
    let mut index = 0;
    while index < all.len() {
        all[index].reordering = [0, 10, 50][index / 4];
        all[index].duplication = [0, 10][index / 2 % 2];
        all[index].corruption = [0, 2][index % 2];
        index += 1;
    }
    all
}

/// One combination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Loss, in percent.
    pub loss: u32,
    /// Round-trip time, in milliseconds.
    pub rtt: u64,
    /// The rest.
    pub disturbance: Disturbance,
}

impl Cell {
    /// All cells: by loss, then by round-trip time, then by disturbance.
    pub fn all() -> impl Iterator<Item = Self> {
        LOSSES.into_iter().flat_map(|loss| {
            RTTS.into_iter().flat_map(move |rtt| {
                DISTURBANCES.into_iter().map(move |disturbance| Self { loss, rtt, disturbance })
            })
        })
    }

    /// The link of this cell, the same in both directions.
    #[must_use]
    pub fn link(&self) -> LinkConfig {
        let Disturbance { reordering, duplication, corruption } = self.disturbance;
        let rtt = Duration::from_millis(self.rtt);
        LinkConfig::default()
            .delay(rtt / 2)
            .loss(ErrorModel::random(ppm(self.loss)))
            .reordering(ppm(reordering), rtt / 4)
            .duplication(ppm(duplication))
            .corruption(ErrorModel::random(ppm(corruption)))
    }

    /// The run number `nth` of this cell: seeds differ between cells, too.
    #[must_use]
    pub fn scenario(&self, nth: u64) -> Scenario {
        let Disturbance { reordering, duplication, corruption } = self.disturbance;
        let parts =
            [u64::from(self.loss), self.rtt, reordering.into(), duplication.into(), corruption.into()];
        let cell = parts.iter().fold(0, |name: u64, part| name * 1_000 + part);
        Scenario::new(cell * 1_000 + nth, BYTES).link(self.link())
    }
}

/// Parts per million in `percent`.
const fn ppm(percent: u32) -> u32 {
    percent * 10_000
}
