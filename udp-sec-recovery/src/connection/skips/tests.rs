//! Skipped packet numbers: rare, ever rarer, unpredictable, and never taken for packets.

use std::vec::Vec;

use super::*;

/// The numbers skipped among the first `count`, with `random` as the source.
fn skipped(count: u64, mut random: impl FnMut() -> u64) -> (Vec<u64>, Skips) {
    let mut skips = Skips::new(random());
    let mut found = Vec::new();
    for number in 0..count {
        if skips.is_due(number) {
            skips.on_skipped(number, random());
            found.push(number);
        }
    }
    (found, skips)
}

#[test]
fn one_in_each_period_and_the_periods_double() {
    let mut state = 1u64;
    let (found, _) = skipped(10_000_000, || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 8
    });
    assert!((1..256).contains(&found[0]), "never number 0");
    let gaps: Vec<u64> = found.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (index, gap) in gaps.iter().enumerate() {
        let period = (FIRST_PERIOD << index.min(9)).min(LAST_PERIOD);
        assert!((period..period + (2 * period).min(LAST_PERIOD)).contains(gap), "gap {index} is {gap}");
    }
    assert!(gaps.iter().filter(|gap| **gap >= LAST_PERIOD).count() > 10, "periods reach their limit");
}

#[test]
fn a_range_with_a_skipped_number_is_noticed() {
    let (found, skips) = skipped(5_000, || 7);
    let last = *found.last().expect("some were skipped");
    assert!(skips.any_in(&(last..=last)));
    assert!(skips.any_in(&(0..=u64::MAX)));
    assert!(!skips.any_in(&(last + 1..=u64::MAX)));
}

#[test]
fn skipped_numbers_are_counted_between_packets() {
    let (found, skips) = skipped(5_000, || 7);
    assert_eq!(skips.between(0, 5_000), found.len() as u64);
    assert_eq!(skips.between(found[0], found[1]), 0);
    assert_eq!(skips.between(found[0] - 1, found[1]), 1);
}
