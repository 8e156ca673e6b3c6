//! How long a key is used, whatever the configuration says.

use super::KeyLife;
use udp_sec::time::{Duration, Instant};

const LATE: Instant = Instant::from_micros(1 << 40);

#[test]
fn a_key_is_due_after_2_to_the_20_packets_or_120_s_at_the_latest() {
    let greatest = KeyLife { packets: u64::MAX, age: Duration::MAX };
    for life in [KeyLife::LONGEST, greatest] {
        let almost = LATE + Duration::from_micros(119_999_999);
        assert!(!life.is_over((1 << 20) - 1, LATE, almost));
        assert!(life.is_over(1 << 20, LATE, LATE));
        assert!(life.is_over(0, LATE, LATE + Duration::from_secs(120)));
    }
}

#[test]
fn a_key_may_be_due_earlier() {
    let life = KeyLife { packets: 3, age: Duration::from_secs(2) };
    assert!(!life.is_over(2, LATE, LATE + Duration::from_secs(1)));
    assert!(life.is_over(3, LATE, LATE));
    assert!(life.is_over(0, LATE, LATE + Duration::from_secs(2)));
}
