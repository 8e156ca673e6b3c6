//! Estimates against the arithmetic of RFC 9002 section 5.

use proptest::prelude::*;

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn sampled(samples: &[(u64, u64)]) -> RttEstimator {
    let mut rtt = RttEstimator::new();
    for (latest, ack_delay) in samples {
        rtt.on_sample(MS(*latest), MS(*ack_delay), Instant::from_micros(7));
    }
    rtt
}

#[test]
fn first_probe_timeout_is_999_ms_before_any_sample() {
    let rtt = RttEstimator::new();
    assert!(!rtt.has_sample());
    assert_eq!(rtt.smoothed(), MS(333));
    assert_eq!(rtt.pto_base(Duration::ZERO), MS(999));
    assert_eq!(rtt.pto_base(MS(25)), MS(1024));
    assert_eq!(rtt.loss_delay(), Duration::from_micros(374_625));
}

#[test]
fn first_sample_replaces_the_assumption_and_ignores_the_delay() {
    let rtt = sampled(&[(100, 20)]);
    assert!(rtt.has_sample());
    assert_eq!(
        (rtt.min(), rtt.latest(), rtt.smoothed(), rtt.variation()),
        (MS(100), MS(100), MS(100), MS(50))
    );
    assert_eq!(rtt.first_sample_at(), Some(Instant::from_micros(7)));
}

#[test]
fn second_sample_follows_the_formula_of_appendix_a7() {
    // adjusted 140 - 20 = 120; variation 3/4 * 50 + 1/4 * |100 - 120|; smoothed 7/8 * 100 + 1/8 * 120.
    let rtt = sampled(&[(100, 0), (140, 20)]);
    assert_eq!(rtt.variation(), Duration::from_micros(42_500));
    assert_eq!(rtt.smoothed(), Duration::from_micros(102_500));
    assert_eq!(rtt.pto_base(MS(25)), Duration::from_micros(102_500 + 170_000 + 25_000));
    assert_eq!(rtt.loss_delay(), Duration::from_micros(157_500));
}

#[test]
fn reported_delay_never_takes_a_sample_below_the_minimum() {
    let honest = sampled(&[(100, 0), (110, 10)]);
    assert_eq!(honest.smoothed(), MS(100));
    let lying = sampled(&[(100, 0), (110, 11)]);
    assert_eq!(lying.smoothed(), Duration::from_micros(101_250));
    assert_eq!(lying.min(), MS(100));
}

#[test]
fn minimum_takes_the_sample_without_the_delay() {
    assert_eq!(sampled(&[(100, 0), (90, 25), (95, 0)]).min(), MS(90));
}

#[test]
fn persistent_congestion_takes_the_newest_sample_as_the_minimum() {
    let mut rtt = sampled(&[(100, 0), (300, 0)]);
    rtt.reset_min();
    assert_eq!(rtt.min(), MS(300));
}

#[test]
fn handshake_sample_counts_and_precedes_every_packet() {
    let rtt = RttEstimator::with_handshake_sample(MS(40));
    assert_eq!((rtt.smoothed(), rtt.variation(), rtt.min()), (MS(40), MS(20), MS(40)));
    assert_eq!(rtt.first_sample_at(), Some(Instant::ZERO));
}

#[test]
fn spans_have_a_floor_of_one_millisecond() {
    let mut rtt = RttEstimator::with_handshake_sample(Duration::ZERO);
    assert_eq!(rtt.loss_delay(), MS(1));
    assert_eq!(rtt.pto_base(Duration::ZERO), MS(1));
    for _ in 0..100 {
        rtt.on_sample(Duration::from_micros(60), Duration::ZERO, Instant::ZERO);
    }
    assert_eq!(rtt.loss_delay(), MS(1));
    assert_eq!(rtt.pto_base(Duration::ZERO), Duration::from_micros(60) + MS(1));
}

#[test]
fn steady_samples_are_reached_exactly_from_either_side() {
    for start in [1, 1_000_003] {
        let mut rtt = RttEstimator::with_handshake_sample(Duration::from_micros(start));
        for _ in 0..400 {
            rtt.on_sample(Duration::from_micros(30_001), Duration::ZERO, Instant::ZERO);
        }
        assert_eq!(rtt.smoothed(), Duration::from_micros(30_001));
        assert_eq!(rtt.variation(), Duration::ZERO);
    }
}

#[test]
fn a_peer_that_lies_about_its_delay_moves_the_average_by_no_more_than_the_cap() {
    let mut rtt = RttEstimator::with_handshake_sample(MS(100));
    for sample in 0..10_000u64 {
        let lie = if sample % 2 == 0 { MS(25) } else { Duration::ZERO };
        rtt.on_sample(MS(100) + MS(sample % 50), lie, Instant::ZERO);
        assert!(rtt.smoothed() >= MS(100) && rtt.smoothed() <= MS(149), "{rtt:?}");
    }
}

/// Ten acknowledgements at once, after 13 s in which the peer stood still: together no more than 8 × 32 ms.
#[test]
fn a_pause_is_no_round_trip() {
    let mut rtt = RttEstimator::new();
    let thaw = Instant::ZERO + MS(60_000);
    for nth in 0..100 {
        rtt.on_sample(MS(30), Duration::ZERO, Instant::ZERO + MS(40 * nth));
    }
    let before = rtt.pto_base(Duration::ZERO);
    assert!(before < MS(32));
    for nth in 0..10 {
        rtt.on_sample(MS(13_000 - nth), Duration::ZERO, thaw + MS(nth));
        assert_eq!(rtt.latest(), before * 8);
    }
    assert!(rtt.pto_base(Duration::ZERO) <= before * 20, "{:?}", rtt.pto_base(Duration::ZERO));
    for nth in 0..20 {
        rtt.on_sample(MS(30), Duration::ZERO, thaw + MS(100 + 30 * nth));
    }
    assert!(rtt.pto_base(Duration::ZERO) < MS(150), "{:?}", rtt.pto_base(Duration::ZERO));
}

/// A path of 1 ms that takes 3 s from now on: four round trips until a sample counts in full.
#[test]
fn a_path_that_became_longer_is_learnt() {
    let mut rtt = sampled(&[(1, 0); 20]);
    let mut now = Instant::ZERO + MS(10_000);
    for _ in 0..4 {
        now += MS(3_000);
        rtt.on_sample(MS(3_000), Duration::ZERO, now);
    }
    assert_eq!(rtt.latest(), MS(3_000));
}

proptest! {
    #[test]
    fn follows_the_text_of_rfc_9002_within_a_microsecond_per_term(
        // None is more than eight times the others: those count as they are.
        samples in prop::collection::vec((700_000u64..5_000_000, 0u64..500_000), 1..200),
    ) {
        let mut rtt = RttEstimator::new();
        // The averages in units of 2^-20 us: exact enough to be the truth here.
        let one = 1i128 << 20;
        let mut text: Option<(i128, i128, u64)> = None;
        for (latest, delay) in samples {
            rtt.on_sample(Duration::from_micros(latest), Duration::from_micros(delay), Instant::ZERO);
            text = Some(match text {
                None => (i128::from(latest) * one, i128::from(latest) * one / 2, latest),
                Some((smoothed, variation, min)) => {
                    let min = min.min(latest);
                    let adjusted = if latest >= min + delay { latest - delay } else { latest };
                    let adjusted = i128::from(adjusted) * one;
                    let deviation = (smoothed - adjusted).abs();
                    ((7 * smoothed + adjusted) / 8, (3 * variation + deviation) / 4, min)
                }
            });
            let (smoothed, variation, min) = text.unwrap();
            prop_assert_eq!(rtt.min().as_micros(), min);
            prop_assert!((i128::from(rtt.smoothed().as_micros()) - smoothed / one).abs() <= 1);
            prop_assert!((i128::from(rtt.variation().as_micros()) - variation / one).abs() <= 2);
        }
    }

    #[test]
    fn no_sample_however_absurd_overflows_or_leaves_the_average_outside_the_samples(
        samples in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 1..50),
    ) {
        let mut rtt = RttEstimator::new();
        for (latest, delay, now) in samples {
            let before = rtt;
            rtt.on_sample(Duration::from_micros(latest), Duration::from_micros(delay), Instant::from_micros(now));
            prop_assert!(rtt.min() <= rtt.latest());
            prop_assert!(rtt.loss_delay() >= MS(1));
            prop_assert!(rtt.pto_base(MS(25)) >= MS(26).min(rtt.smoothed()));
            if before.has_sample() && latest < 1 << 60 && before.smoothed().as_micros() < 1 << 60 {
                prop_assert!(rtt.smoothed() <= before.smoothed().max(rtt.latest()));
                prop_assert!(rtt.smoothed() >= before.smoothed().min(rtt.min()));
            }
        }
    }
}
