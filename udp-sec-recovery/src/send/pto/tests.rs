//! Back-off and its limits.

use proptest::prelude::*;

use super::*;

const IDLE: Duration = Duration::from_secs(30);

#[test]
fn doubles_from_the_base_up_to_an_eighth_of_the_idle_timeout() {
    let base = Duration::from_millis(100);
    let expected = [100, 200, 400, 800, 1_600, 3_200, 3_750, 3_750];
    for (count, millis) in (0..).zip(expected) {
        assert_eq!(timeout(base, count, IDLE), Duration::from_millis(millis), "count {count}");
    }
}

#[test]
fn always_doubles_once_even_on_a_path_longer_than_the_cap() {
    let base = Duration::from_secs(20);
    assert_eq!(timeout(base, 0, IDLE), base);
    assert_eq!(timeout(base, 1, IDLE), base * 2);
    assert_eq!(timeout(base, 9, IDLE), base * 2);
}

#[test]
fn no_count_overflows() {
    for count in [31, 32, 62, 63, 64, 65, 127, u32::MAX] {
        assert_eq!(timeout(Duration::from_millis(1), count, IDLE), IDLE / 8, "count {count}");
        assert_eq!(timeout(Duration::MAX, count, IDLE), Duration::MAX);
        assert_eq!(timeout(Duration::from_millis(1), count, Duration::MAX), {
            let factor = if count >= 64 { u64::MAX } else { 1 << count };
            Duration::from_micros(1_000u64.saturating_mul(factor)).min(Duration::MAX / 8)
        });
    }
}

proptest! {
    #[test]
    fn never_shrinks_and_stays_within_its_bounds(base in any::<u64>(), count in any::<u32>(), idle in any::<u64>()) {
        let (base, idle) = (Duration::from_micros(base), Duration::from_micros(idle));
        let span = timeout(base, count, idle);
        prop_assert!(span >= base);
        prop_assert!(span <= (base * 2).max(idle / 8));
        prop_assert!(timeout(base, count.saturating_add(1), idle) >= span);
    }
}
