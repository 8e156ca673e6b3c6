//! Several sessions share a bottleneck: each gets about the same. `scripts/fairness.sh` sets them beside the kernel's TCP.

use harness::Profile;
use harness::network::{Access, Action, Network, Plan};
use harness::pool::HostStorage;
use harness::world::ms;
use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
const PLENTY: u64 = 1 << 40;
const BOTTLENECK: u64 = 10_000_000;

/// `HARNESS_SEEDS` seeds of each kind.
fn seeds() -> u64 {
    std::env::var("HARNESS_SEEDS").map_or(1, |seeds| seeds.parse().expect("HARNESS_SEEDS is a number"))
}

/// Bytes delivered to or from each of `flows` clients in a minute on a link of 10 Mbit/s, RTT 30 ms, a queue of 25.
/// They start within a second, and their ways there differ by a millisecond.
fn share(seed: u64, flows: usize, upload: bool) -> Vec<u64> {
    let access = |client: usize| {
        Access::both(LinkConfig::default().delay(ms(14) / 2).jitter(ms(1) / 10 * client as u64))
    };
    let mut plan = Plan::new(seed, Profile::Host, (1..=flows).map(access).collect());
    let link = LinkConfig::default().rate(BOTTLENECK).queue(25).delay(ms(16) / 2);
    plan.shared = Some([link.clone(), link]);
    for client in 1..=flows {
        let (up, down) = if upload { (PLENTY, 0) } else { (0, PLENTY) };
        let at = Duration::from_micros(seed * 7_919 % 1_000_000 * client as u64 / flows as u64);
        plan.at(at, Action::Call { from: client, to: 0, upload: up, download: down });
    }
    let mut network = Network::<HostStorage>::new(&plan);
    network.advance(Instant::ZERO + MINUTE);
    assert!(network.ended().is_empty(), "all go on");
    (1..=flows)
        .map(|client| if upload { network.received_from(client) } else { network.received(client) })
        .collect()
}

/// Jain's index in thousandths: (Σx)² / (n Σx²).
fn jain(shares: &[u64]) -> u64 {
    let sum: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    let squares: u128 = shares.iter().map(|share| u128::from(*share).pow(2)).sum();
    u64::try_from(1_000 * sum * sum / (shares.len() as u128 * squares)).expect("at most 1000")
}

#[test]
fn sessions_share_a_bottleneck_fairly_and_fill_it() {
    for flows in [2, 4] {
        for upload in [true, false] {
            for seed in 1..=seeds() {
                let shares = share(seed, flows, upload);
                let (index, sum) = (jain(&shares), shares.iter().sum::<u64>());
                println!("{flows} flows, upload {upload}, seed {seed}: {shares:?}, Jain 0.{index:03}");
                assert!(index >= 950, "{flows} flows, upload {upload}, seed {seed}: {shares:?}");
                assert!(sum * 8 >= BOTTLENECK * 60 * 8 / 10, "{sum} bytes leave the link idle");
            }
        }
    }
}
