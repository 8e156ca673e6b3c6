//! The two thresholds, and the ends of the clock.

use proptest::prelude::*;

use super::*;

const DELAY: Duration = Duration::from_micros(9_000);

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

#[test]
fn packet_threshold_is_three() {
    assert_eq!(judge(at(100), 3, DELAY, at(101)), Verdict::Lost);
    assert_eq!(judge(at(100), 2, DELAY, at(101)), Verdict::NotYet { at: at(9_100) });
    assert_eq!(judge(at(100), 1, DELAY, at(101)), Verdict::NotYet { at: at(9_100) });
}

#[test]
fn time_threshold_is_met_at_the_instant_the_timer_was_set_for() {
    assert_eq!(judge(at(100), 1, DELAY, at(9_099)), Verdict::NotYet { at: at(9_100) });
    assert_eq!(judge(at(100), 1, DELAY, at(9_100)), Verdict::Lost);
}

#[test]
fn nothing_above_the_largest_acknowledged_is_ever_lost() {
    assert_eq!(judge(at(0), 0, DELAY, at(u64::MAX)), Verdict::Keep);
}

#[test]
fn a_clock_that_has_just_started_loses_nothing() {
    assert_eq!(judge(at(0), 1, DELAY, at(0)), Verdict::NotYet { at: at(9_000) });
    assert_eq!(judge(at(0), 1, DELAY, at(9_000)), Verdict::Lost);
}

#[test]
fn a_clock_near_its_end_loses_nothing_early() {
    let start = u64::MAX - 20_000;
    assert_eq!(judge(at(start), 1, DELAY, at(start + 8_999)), Verdict::NotYet { at: at(start + 9_000) });
    assert_eq!(judge(at(start), 1, DELAY, at(start + 9_000)), Verdict::Lost);
}

#[test]
fn a_clock_that_steps_back_loses_nothing() {
    assert_eq!(judge(at(50_000), 1, DELAY, at(10)), Verdict::NotYet { at: at(59_000) });
}

proptest! {
    #[test]
    fn the_timer_is_always_ahead_and_always_settles_the_packet(
        sent in any::<u64>(), later in 0u64..5, delay in 1_000u64..10_000_000, wait in any::<u64>(),
    ) {
        let (sent, delay) = (at(sent), Duration::from_micros(delay));
        let now = sent + Duration::from_micros(wait % 20_000_000);
        match judge(sent, later, delay, now) {
            Verdict::Keep => prop_assert_eq!(later, 0),
            Verdict::Lost => prop_assert!(later >= 3 || now >= sent + delay),
            Verdict::NotYet { at } => {
                prop_assert!(at > now);
                prop_assert_eq!(judge(sent, later, delay, at), Verdict::Lost);
            }
        }
    }
}
