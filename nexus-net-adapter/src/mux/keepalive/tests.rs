//! Ticks of silence.

use super::*;

#[test]
fn the_peer_is_asked_after_3_and_6_ticks_and_dead_after_9() {
    use Verdict::{Dead, Healthy, SendPing};
    let mut keepalive = Keepalive::new();
    let verdicts = [(); 9].map(|()| keepalive.on_tick());
    assert_eq!(verdicts, [Healthy, Healthy, SendPing, Healthy, Healthy, SendPing, Healthy, Healthy, Dead]);
    for _ in 0..300 {
        assert_eq!(keepalive.on_tick(), Dead, "nobody comes back to life by waiting");
    }
}

#[test]
fn whatever_is_heard_begins_the_count_anew() {
    let mut keepalive = Keepalive::new();
    for _ in 0..100 {
        for _ in 0..8 {
            assert_ne!(keepalive.on_tick(), Verdict::Dead);
        }
        keepalive.on_heard();
    }
}
