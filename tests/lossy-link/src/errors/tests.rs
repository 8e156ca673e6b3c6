//! Rates within five standard deviations of their expectation, runs within their bounds.

use alloc::vec::Vec;

use super::*;

const PACKETS: u64 = 1_000_000;

fn hits(model: ErrorModel, seed: u64) -> Vec<bool> {
    let mut errors = Errors::new(model, Random::new(seed));
    (0..PACKETS).map(|_| errors.hit()).collect()
}

/// Lengths of the runs of hits.
fn runs(hits: &[bool]) -> Vec<usize> {
    hits.split(|&hit| !hit).map(<[bool]>::len).filter(|&length| length > 0).collect()
}

#[track_caller]
fn assert_near(measured: u64, expected: f64, deviation: f64) {
    let distance = (measured as f64 - expected).abs();
    assert!(
        distance < 5.0 * deviation,
        "{measured}: {distance:.1} from {expected:.1} (deviation {deviation:.1})"
    );
}

fn assert_binomial(hits: &[bool], probability: f64) {
    let total = hits.len() as f64;
    let count = hits.iter().filter(|&&hit| hit).count() as u64;
    assert_near(count, total * probability, (total * probability * (1.0 - probability)).sqrt());
}

#[test]
fn random_errors_have_their_rate_and_no_memory() {
    for (seed, ppm) in [(1, 1_000), (2, 10_000), (3, 50_000), (4, 300_000), (5, 500_000)] {
        let probability = f64::from(ppm) / 1e6;
        let hits = hits(ErrorModel::random(ppm), seed);
        assert_binomial(&hits, probability);
        // Without memory a hit is as likely behind a hit as anywhere.
        let behind_a_hit: Vec<bool> = hits.windows(2).filter(|pair| pair[0]).map(|pair| pair[1]).collect();
        assert_binomial(&behind_a_hit, probability);
    }
}

#[test]
fn probabilities_zero_and_one_are_exact() {
    assert!(!hits(ErrorModel::None, 1).contains(&true));
    assert!(!hits(ErrorModel::random(0), 1).contains(&true));
    assert!(!hits(ErrorModel::random(1_000_000), 1).contains(&false));
    assert!(!hits(ErrorModel::random(u32::MAX), 1).contains(&false));
}

#[test]
fn bursts_reach_their_bound_and_never_pass_it() {
    for bound in 1..=4 {
        let hits = hits(ErrorModel::bursts(300_000, bound), 7);
        assert_eq!(runs(&hits).into_iter().max(), Some(bound as usize));
        // A run shorter than the bound ends by chance, so its lengths stay geometric below the bound.
        let singles = runs(&hits).iter().filter(|&&length| length == 1).count() as f64;
        let all = runs(&hits).len() as f64;
        let expected = if bound == 1 { 1.0 } else { 0.7 };
        assert!((singles / all - expected).abs() < 0.01, "{singles} of {all}");
    }
}

#[test]
fn bursts_lower_the_rate_as_documented() {
    let p: f64 = 0.3;
    for bound in 1..=3 {
        let expected = p * (1.0 - p.powi(bound)) / (1.0 - p.powi(bound + 1));
        let measured = hits(ErrorModel::bursts(300_000, bound as u32), 9).iter().filter(|&&hit| hit).count();
        // Successive fates are (negatively) correlated here, so the binomial deviation is an upper bound.
        let deviation = (PACKETS as f64 * expected * (1.0 - expected)).sqrt();
        assert_near(measured as u64, PACKETS as f64 * expected, deviation);
    }
    assert!(!hits(ErrorModel::bursts(300_000, 0), 9).contains(&true));
}

#[test]
fn gilbert_elliott_stays_as_long_as_documented() {
    // Bad for 20 packets on average, a fifth of the time; every packet lost there, none elsewhere: the
    // runs of losses are the stays.
    let (to_bad, to_good) = (12_500, 50_000);
    let model = ErrorModel::GilbertElliott {
        to_bad_ppm: to_bad,
        to_good_ppm: to_good,
        good_ppm: 0,
        bad_ppm: 1_000_000,
    };
    let hits = hits(model, 11);
    let share = hits.iter().filter(|&&hit| hit).count() as f64 / PACKETS as f64;
    assert!((share - 0.2).abs() < 0.01, "{share}");
    let stays = runs(&hits);
    let mean = stays.iter().sum::<usize>() as f64 / stays.len() as f64;
    // A geometric stay deviates by about its mean.
    assert!((mean - 20.0).abs() < 5.0 * 20.0 / (stays.len() as f64).sqrt(), "{mean} over {}", stays.len());
}

#[test]
fn gilbert_elliott_has_a_rate_in_each_state() {
    let stuck_good =
        ErrorModel::GilbertElliott { to_bad_ppm: 0, to_good_ppm: 0, good_ppm: 20_000, bad_ppm: 900_000 };
    assert_binomial(&hits(stuck_good, 13), 0.02);
    let stuck_bad = ErrorModel::GilbertElliott {
        to_bad_ppm: 1_000_000,
        to_good_ppm: 0,
        good_ppm: 20_000,
        bad_ppm: 900_000,
    };
    assert_binomial(&hits(stuck_bad, 13), 0.9);
}
