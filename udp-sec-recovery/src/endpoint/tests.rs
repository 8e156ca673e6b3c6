//! Ids: as the random source gives them, and nothing of ours in them.

use std::boxed::Box;
use std::vec::Vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;

use super::{Config, Endpoint, InlinePool};
use crate::memory::Small;

/// A million ids: no two equal, each bit set in half of them, and each bit independent of the same bit of the id before,
/// of every other bit of it, and of a counter. Five standard deviations are allowed.
#[test]
fn a_million_ids_are_distinct_and_have_no_serial_structure() {
    const IDS: usize = 1_000_000;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keypair = StaticKeypair::generate(&mut rng).unwrap();
    let parameters = Parameters::new(ApplicationProtocol::new(b"ids/1").unwrap(), 0);
    let endpoint: Endpoint<InlinePool<Small, 1>, AllowList<1>, 1, 1> =
        Endpoint::new(Config::new(keypair, parameters), Box::default(), InlinePool::new(), AllowList::new());
    let ids: Vec<u64> = (0..IDS).map(|_| endpoint.fresh_id(&mut rng).unwrap()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), IDS);

    // Five times half the root of a million.
    let assert_half = |what: &str, count: usize| assert!(count.abs_diff(IDS / 2) <= 2_500, "{what}: {count}");
    for bit in 0..64 {
        assert_half("set", ids.iter().filter(|id| *id >> bit & 1 == 1).count());
    }
    let pairs = || ids.windows(2).map(|pair| (pair[0], pair[1]));
    for turned in 0..64 {
        // Bit n of an id against bit n + `turned` of the next: all 64 at once, so the bound is for 64 million.
        let equal: u64 =
            pairs().map(|(one, next)| u64::from((one ^ next.rotate_right(turned)).count_zeros())).sum();
        assert!(equal.abs_diff(32 * (IDS as u64 - 1)) <= 20_000, "turned by {turned}: {equal}");
    }
    let counted =
        ids.iter().enumerate().map(|(count, id)| (*id ^ count as u64).count_ones() as usize).sum::<usize>();
    assert!(counted.abs_diff(32 * IDS) <= 20_000, "against a counter: {counted}");
}
