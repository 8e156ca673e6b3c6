//! The arithmetic of the table.

use super::*;

#[test]
fn a_spread_is_median_and_ends() {
    let of = |values: &[f64]| {
        Spread::of(values.iter().copied()).map(|spread| (spread.median, spread.min, spread.max))
    };
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[3.0]), Some((3.0, 3.0, 3.0)));
    assert_eq!(of(&[9.0, 1.0, 2.0]), Some((2.0, 1.0, 9.0)));
    assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]), Some((3.0, 1.0, 9.0)));
}

#[test]
fn goodput_is_the_receivers_and_cpu_is_scaled_to_its_time() {
    let receiver = Side { bytes: 1 << 30, seconds: 2.0, cpu_seconds: 1.5 };
    let sender = Side { bytes: 2 << 30, seconds: 4.0, cpu_seconds: 3.0 };
    let run = Run { peer: "x", round: 1, loss_percent: None, seed: None, sender, receiver, relay: None };
    assert_eq!(run.goodput(), f64::from(1 << 30) * 4.0);
    assert_eq!(run.cpu_per_gib(receiver), 1.5);
    assert_eq!(run.cpu_per_gib(sender), 1.5);
}
