//! Rates kept exactly, bursts bounded, no stall and no drift.

use proptest::prelude::*;

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Sends datagrams of full size whenever allowed, from `start` for `span`, and returns the bytes sent. Each wait is
/// overslept by `late`.
fn drive(start: Instant, span: Duration, window: u64, rtt: Duration, late: Duration) -> u64 {
    let mut pacer = Pacer::new();
    let (mut now, mut sent) = (start, 0);
    while now.saturating_since(start) < span {
        match pacer.poll(now, window, rtt) {
            Pace::Ready(bytes) => {
                assert!((DATAGRAM_MAX..=BURST_MAX).contains(&bytes));
                let datagrams = bytes / DATAGRAM_MAX * DATAGRAM_MAX;
                pacer.on_sent(datagrams);
                sent += datagrams;
            }
            Pace::Wait(at) => {
                assert!(at > now, "a wait that does not wait spins");
                now = at + late;
            }
        }
    }
    sent
}

/// Bytes that 5/4 of `window` per `rtt` makes of `span`.
fn ideal(span: Duration, window: u64, rtt: Duration) -> u64 {
    let bytes = u128::from(window) * 5 * u128::from(span.as_micros()) / (4 * u128::from(rtt.as_micros()));
    u64::try_from(bytes).unwrap()
}

#[test]
fn the_initial_window_leaves_at_once() {
    let mut pacer = Pacer::new();
    assert_eq!(pacer.poll(Instant::ZERO, 12_000, MS(333)), Pace::Ready(12_000));
    pacer.on_sent(12_000);
    // 1200 bytes at 5/4 * 12000 bytes per 333 ms.
    assert_eq!(pacer.poll(Instant::ZERO, 12_000, MS(333)), Pace::Wait(Instant::from_micros(26_640)));
}

#[test]
fn waiting_as_told_suffices_to_the_microsecond() {
    let mut pacer = Pacer::new();
    pacer.on_sent(12_000);
    let _ = pacer.poll(Instant::ZERO, 12_001, MS(333));
    let Pace::Wait(at) = pacer.poll(Instant::ZERO, 12_001, MS(333)) else { panic!("empty") };
    let early = Instant::from_micros(at.as_micros() - 1);
    assert_eq!(pacer.poll(early, 12_001, MS(333)), Pace::Wait(at));
    assert_eq!(pacer.poll(at, 12_001, MS(333)), Pace::Ready(1200));
}

#[test]
fn rate_is_five_quarters_of_the_window_per_round_trip() {
    for (window, rtt) in [(12_000, MS(100)), (37_500, MS(30)), (250_000, MS(20)), (2_400, MS(600))] {
        let span = Duration::from_secs(60);
        let sent = drive(Instant::ZERO, span, window, rtt, Duration::ZERO);
        let ideal = ideal(span, window, rtt);
        assert!(sent.abs_diff(ideal + BURST_MIN) <= BURST_MAX, "{window} {rtt:?}: {sent} of {ideal}");
    }
}

#[test]
fn a_tiny_rate_neither_stalls_nor_drifts_however_often_it_is_asked() {
    // 30 bytes per second, asked every 7 us for 80 s: 2400 bytes beyond the burst.
    let (window, rtt) = (2_400, Duration::from_secs(100));
    let mut pacer = Pacer::new();
    let mut sent = 0;
    for micros in (0..=80_000_000).step_by(7) {
        if let Pace::Ready(bytes) = pacer.poll(Instant::from_micros(micros), window, rtt) {
            let datagrams = bytes / DATAGRAM_MAX * DATAGRAM_MAX;
            pacer.on_sent(datagrams);
            sent += datagrams;
        }
    }
    assert_eq!(
        sent,
        BURST_MIN + 2_400 - 1_200,
        "the second datagram is due at 80.000 s, asked at 79.999996 s"
    );
    assert_eq!(pacer.poll(Instant::from_micros(80_000_000), window, rtt), Pace::Ready(1_200));
}

#[test]
fn a_fast_path_gets_whole_batches_and_keeps_its_rate_when_timers_fire_late() {
    // 614.4 Mbit/s: exactly 64 datagrams a millisecond.
    let (window, rtt) = (1_228_800, MS(20));
    let mut pacer = Pacer::new();
    pacer.on_sent(BURST_MIN);
    let Pace::Wait(at) = pacer.poll(Instant::ZERO, window, rtt) else { panic!("empty") };
    assert_eq!(at, Instant::from_micros(500));
    assert_eq!(pacer.poll(at, window, rtt), Pace::Ready(32 * DATAGRAM_MAX));
    let span = Duration::from_secs(2);
    let sent = drive(Instant::ZERO, span, window, rtt, Duration::from_micros(400));
    // All of it but what accrued after the last batch of the span.
    assert!(sent + BURST_MAX >= ideal(span, window, rtt), "{sent}");
}

#[test]
fn a_small_packet_does_not_wait_for_a_batch() {
    // A path so fast that a batch is more than the bucket holds at first.
    let (window, rtt) = (12_000, Duration::from_micros(100));
    let mut pacer = Pacer::new();
    for _ in 0..10 {
        assert!(matches!(pacer.poll(Instant::ZERO, window, rtt), Pace::Ready(_)));
        pacer.on_sent(DATAGRAM_MAX);
    }
    // Empty now: a batch has to accrue, 12 000 * 5/4 bytes in 100 µs.
    let batch = Duration::from_micros((BURST_MAX / QUANTUM_DIVISOR).div_ceil(150));
    assert_eq!(pacer.poll(Instant::ZERO, window, rtt), Pace::Wait(Instant::ZERO + batch));
    let early = Instant::ZERO + Duration::from_micros(100);
    assert_eq!(pacer.poll(early, window, rtt), Pace::Wait(Instant::ZERO + batch), "still short of a batch");
    assert!(matches!(pacer.poll(Instant::ZERO + batch, window, rtt), Pace::Ready(_)));
}

#[test]
fn idle_time_accrues_no_more_than_a_burst() {
    let mut pacer = Pacer::new();
    pacer.on_sent(12_000);
    assert!(matches!(pacer.poll(Instant::ZERO, 12_000, MS(100)), Pace::Wait(_)));
    assert_eq!(pacer.poll(Instant::from_micros(u64::MAX), 12_000, MS(100)), Pace::Ready(BURST_MIN));
}

#[test]
fn bursts_grow_with_the_rate_between_ten_and_sixty_four_datagrams() {
    let burst = |window, rtt| Rate::new(window, rtt).burst_and_quantum();
    assert_eq!(burst(12_000, MS(100)), (12_000, 1_200));
    assert_eq!(burst(400_000, MS(20)), (25_000, 12_500));
    assert_eq!(burst(100_000_000, MS(1)), (76_800, 38_400));
}

#[test]
fn a_round_trip_of_no_time_and_a_window_of_nothing_are_survived() {
    let mut pacer = Pacer::new();
    pacer.on_sent(12_000);
    let now = Instant::from_micros(5);
    assert_eq!(pacer.poll(now, 12_000, Duration::ZERO), Pace::Wait(Instant::from_micros(6)));
    assert!(matches!(pacer.poll(Instant::from_micros(6), 12_000, Duration::ZERO), Pace::Ready(_)));
    let mut pacer = Pacer::new();
    pacer.on_sent(12_000);
    assert!(matches!(pacer.poll(now, 0, Duration::MAX), Pace::Wait(_)));
}

#[test]
fn probes_take_tokens_and_leave_no_debt() {
    let mut pacer = Pacer::new();
    pacer.on_sent(30_000);
    assert_eq!(pacer.poll(Instant::ZERO, 12_000, MS(100)), Pace::Wait(Instant::from_micros(8_000)));
}

#[test]
fn a_clock_near_its_end_is_no_different() {
    let span = Duration::from_secs(10);
    let start = Instant::from_micros(u64::MAX - 11_000_000);
    let from_zero = drive(Instant::ZERO, span, 24_000, MS(40), Duration::ZERO);
    assert_eq!(drive(start, span, 24_000, MS(40), Duration::ZERO), from_zero);
}

#[test]
fn a_clock_that_steps_back_gives_no_tokens_twice() {
    let mut pacer = Pacer::new();
    pacer.on_sent(12_000);
    assert!(matches!(pacer.poll(Instant::from_micros(1_000_000), 12_000, MS(100)), Pace::Wait(_)));
    assert!(matches!(pacer.poll(Instant::ZERO, 12_000, MS(100)), Pace::Wait(_)));
    assert!(matches!(pacer.poll(Instant::from_micros(1_000_000), 12_000, MS(100)), Pace::Wait(_)));
}

proptest! {
    /// Whatever the window, round trip and polling pattern, what leaves by any time is no more than the burst plus
    /// what the rates in force allow (a byte of rounding for each change of rate), and a wait is always enough.
    #[test]
    fn never_above_the_rate_and_never_told_to_wait_in_vain(
        start in any::<u64>(),
        steps in prop::collection::vec((1_200u64..4_000_000, 1u64..2_000_000, 0u64..5_000), 1..60),
    ) {
        let mut pacer = Pacer::new();
        let mut now = Instant::from_micros(start / 2);
        let (mut sent, mut allowed) = (0u128, 0u128);
        let mut last = now;
        for (window, rtt, step) in steps {
            now += Duration::from_micros(step);
            let elapsed = u128::from(now.saturating_since(last).as_micros());
            allowed += elapsed * 5 * u128::from(window) / (4 * u128::from(rtt)) + 2;
            last = now;
            let rtt = Duration::from_micros(rtt);
            match pacer.poll(now, window, rtt) {
                Pace::Ready(bytes) => {
                    pacer.on_sent(bytes);
                    sent += u128::from(bytes);
                }
                Pace::Wait(at) => {
                    prop_assert!(at > now);
                    let mut waited = pacer;
                    prop_assert!(matches!(waited.poll(at, window, rtt), Pace::Ready(_)), "{:?} {:?}", now, at);
                }
            }
            prop_assert!(sent <= u128::from(BURST_MIN) + allowed);
        }
    }
}
