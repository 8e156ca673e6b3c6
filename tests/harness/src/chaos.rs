//! Scenarios drawn at random: every impairment at once, every profile, any size, any start of the clock.

use lossy_link::{ErrorModel, LinkConfig};
use rand_core::{Rng, SeedableRng};
use udp_sec::time::{Duration, Instant};

use crate::scenario::{Profile, Scenario};

/// The longest that a run may take, whatever befalls it.
pub const LIMIT: Duration = Duration::from_secs(4 * 3_600);

/// The scenario that `seed` stands for, its clock included.
#[must_use]
pub fn scenario(seed: u64) -> Scenario {
    let mut dice = Dice::new(seed);
    let start = match dice.below(3) {
        0 => Instant::ZERO,
        1 => Instant::from_micros(dice.0.next_u64() >> 1),
        _ => Instant::from_micros(u64::MAX - 2 * LIMIT.as_micros()),
    };
    scenario_at(seed, start)
}

/// The scenario that `seed` stands for, with a clock that begins at `start`.
#[must_use]
pub fn scenario_at(seed: u64, start: Instant) -> Scenario {
    // Another stream than the one that chose the start, so that the start changes nothing else.
    let mut dice = Dice::new(!seed);
    let mut scenario = Scenario::new(seed, 0);
    scenario.start = start;
    scenario.limit = LIMIT;
    scenario.profile = [Profile::Small, Profile::Medium, Profile::Host][dice.below(3) as usize];
    scenario.client_bytes = dice.size();
    scenario.server_bytes = if dice.below(2) == 0 { 0 } else { dice.size() };
    let rtt = Duration::from_micros(dice.skewed(1_000_000));
    scenario.to_server = dice.link(start, rtt);
    scenario.to_client = dice.link(start, rtt);
    scenario.idle_timeout = Duration::from_millis(1_000 + dice.skewed(119_000));
    scenario.ack_delay = Duration::from_millis(dice.below(100));
    scenario.ack_step = 1 + dice.below(64) as u8;
    scenario.keepalive = dice.below(2) == 0;
    if dice.below(2) == 0 {
        scenario.key_life.packets = 1 + dice.skewed(10_000);
    }
    scenario
}

struct Dice(chacha20::ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(chacha20::ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// Below `bound`, each power of two about as likely as the next: small values matter as much as large ones.
    fn skewed(&mut self, bound: u64) -> u64 {
        let shift = self.below(u64::from(bound.ilog2()) + 1);
        self.below((bound >> shift).max(1))
    }

    /// Bytes of one direction: up to 1 MiB, and now and then a boundary.
    fn size(&mut self) -> u64 {
        const BOUNDARIES: [u64; 7] = [0, 1, 1_157, 1_158, 8_192, 65_536, 65_537];
        match self.below(4) {
            0 => BOUNDARIES[self.below(7) as usize],
            _ => self.skewed(1 << 20),
        }
    }

    /// One direction of a path whose round trip is `rtt`; each impairment is there in half of the runs.
    fn link(&mut self, start: Instant, rtt: Duration) -> LinkConfig {
        let mut link = LinkConfig::default().delay(rtt / 2);
        if self.below(2) == 0 {
            link = link.jitter(Duration::from_micros(self.skewed(rtt.as_micros() + 1)));
        }
        if self.below(2) == 0 {
            // From 64 kbit/s to 100 Mbit/s, with room for 1 to 256 packets.
            link = link.rate(64_000 + self.skewed(100_000_000)).queue(1 + self.skewed(256) as usize);
        }
        link = link.loss(self.errors(300_000)).corruption(self.errors(100_000));
        if self.below(2) == 0 {
            link = link.duplication(self.skewed(200_000) as u32);
        }
        if self.below(2) == 0 {
            link = link.reordering(self.skewed(500_000) as u32, Duration::from_micros(self.skewed(100_000)));
        }
        if self.below(4) == 0 {
            let from = start + Duration::from_millis(self.below(5_000));
            link = link.blackout(from..from + Duration::from_millis(self.below(20_000)));
        }
        link
    }

    fn errors(&mut self, most: u64) -> ErrorModel {
        match self.below(4) {
            0 | 1 => ErrorModel::None,
            2 => ErrorModel::random(self.skewed(most) as u32),
            _ => ErrorModel::GilbertElliott {
                to_bad_ppm: self.skewed(100_000) as u32,
                to_good_ppm: 50_000 + self.skewed(500_000) as u32,
                good_ppm: 0,
                bad_ppm: 500_000,
            },
        }
    }
}
