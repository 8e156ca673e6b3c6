//! RFC 9000 appendix A.3, beside a model that searches instead of computing.

use super::{HALF_WINDOW, WINDOW, expand, truncate};
use proptest::prelude::*;

/// Of all 64-bit numbers with this low half, the one closest to `expected`; of two equally close ones, the larger.
fn naive(largest: Option<u64>, low: u32) -> u64 {
    let expected = largest.map_or(0, |largest| u128::from(largest) + 1).min(u128::from(u64::MAX));
    let window = u128::from(WINDOW);
    let block = expected / window;
    (block.saturating_sub(2)..=block + 2)
        .map(|block| block * window + u128::from(low))
        .filter_map(|number| u64::try_from(number).ok())
        .min_by_key(|number| (u128::from(*number).abs_diff(expected), u64::MAX - number))
        .unwrap()
}

#[test]
fn example_of_the_rfc_in_32_bits() {
    assert_eq!(expand(Some(0xa82f_30ea), 0xa82f_9b32), 0xa82f_9b32);
    assert_eq!(truncate(0x1_0000_0002), 2);
}

#[test]
fn the_edges() {
    assert_eq!(expand(None, 0), 0);
    assert_eq!(expand(None, u32::MAX), u64::from(u32::MAX), "nothing lies below 0");
    assert_eq!(expand(Some(0), u32::MAX), u64::from(u32::MAX));
    assert_eq!(expand(Some(WINDOW - 1), 0), WINDOW);
    assert_eq!(expand(Some(WINDOW), u32::MAX), WINDOW - 1);
    assert_eq!(expand(Some(u64::MAX), u32::MAX), u64::MAX);
    assert_eq!(expand(Some(u64::MAX), 0), u64::MAX - (WINDOW - 1), "nothing lies above 2^64 - 1");
    // Exactly half a window ahead is ahead; one more is behind.
    let expected = 10 * WINDOW;
    assert_eq!(expand(Some(expected - 1), truncate(expected + HALF_WINDOW)), expected + HALF_WINDOW);
    assert_eq!(
        expand(Some(expected - 1), truncate(expected + HALF_WINDOW + 1)),
        expected + HALF_WINDOW + 1 - WINDOW
    );
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..4 * WINDOW,
        (u64::MAX - 4 * WINDOW)..=u64::MAX,
        (0..3_u64, 0..3_u64).prop_map(|(blocks, offset)| blocks * HALF_WINDOW + offset),
        (0..3_u64, 0..3_u64).prop_map(|(blocks, offset)| u64::MAX - blocks * HALF_WINDOW - offset),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn equals_the_model(largest in proptest::option::of(number()), low in number()) {
        prop_assert_eq!(expand(largest, truncate(low)), naive(largest, truncate(low)));
    }

    #[test]
    fn every_number_near_the_largest_comes_back(largest in number(), distance in 0..HALF_WINDOW - 1, ahead: bool) {
        let moved = if ahead { largest.checked_add(distance) } else { largest.checked_sub(distance) };
        if let Some(number) = moved {
            prop_assert_eq!(expand(Some(largest), truncate(number)), number);
        }
    }
}
