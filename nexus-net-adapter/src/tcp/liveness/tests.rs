//! Signs of life: who owes one, when it is due, and when the peer is given up.

use udp_sec::time::{Duration, Instant};

use super::{Due, Liveness};

const START: Instant = Instant::from_micros(1_000);
const TIMEOUT: Duration = Duration::from_secs(30);

fn at(secs: u64) -> Instant {
    START + Duration::from_secs(secs)
}

#[test]
fn nothing_is_due_but_the_end_while_nobody_asks() {
    let liveness = Liveness::new(START, TIMEOUT, false);
    assert_eq!((liveness.due(at(29)), liveness.due(at(30))), (Due::Nothing, Due::Timeout));
    assert_eq!(liveness.wake_at(), at(30));
}

#[test]
fn who_is_asked_answers_after_a_third_and_once() {
    let mut liveness = Liveness::new(START, TIMEOUT, false);
    liveness.heard(at(3));
    liveness.asked();
    assert_eq!(
        (liveness.due(at(9)), liveness.due(at(10)), liveness.wake_at()),
        (Due::Nothing, Due::Sign, at(10))
    );
    liveness.sent(at(10));
    assert_eq!((liveness.due(at(29)), liveness.wake_at()), (Due::Nothing, at(33)));
    // Long silence before: the answer is due at once, and the next a third later.
    liveness.heard(at(25));
    liveness.asked();
    assert_eq!(liveness.due(at(25)), Due::Sign);
    liveness.sent(at(25));
    liveness.asked();
    assert_eq!(liveness.wake_at(), at(35));
}

#[test]
fn asking_gives_the_peer_the_whole_timeout_once() {
    let mut liveness = Liveness::new(START, TIMEOUT, false);
    liveness.asks(at(20));
    assert_eq!(liveness.wake_at(), at(50));
    liveness.asks(at(40));
    assert_eq!((liveness.wake_at(), liveness.due(at(50))), (at(50), Due::Timeout));
    liveness.heard(at(49));
    liveness.asks(at(60));
    assert_eq!(liveness.wake_at(), at(90));
}

#[test]
fn keepalive_asks_every_third() {
    let mut liveness = Liveness::new(START, TIMEOUT, true);
    assert_eq!((liveness.due(at(9)), liveness.due(at(10))), (Due::Nothing, Due::Question));
    liveness.sent(at(10));
    assert_eq!(
        (liveness.due(at(19)), liveness.due(at(20)), liveness.due(at(30))),
        (Due::Nothing, Due::Question, Due::Timeout)
    );
}

#[test]
fn the_end_of_time_does_not_overflow() {
    let mut liveness = Liveness::new(Instant::MAX, TIMEOUT, true);
    liveness.heard(Instant::MAX);
    liveness.asks(Instant::MAX);
    assert_eq!(liveness.wake_at(), Instant::MAX);
}
