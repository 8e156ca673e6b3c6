//! Times are in milliseconds, the probe timeout is 100 ms, so a run must exceed 300 ms.

use std::vec::Vec;

use proptest::prelude::*;

use super::Congestion::{Persistent, Transient};
use super::*;

/// What became of one packet, in the order of sending.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Ack-eliciting, sent at this time, and lost.
    Lost(u64),
    Acked,
}
use Fate::{Acked, Lost};

const PTO: Duration = Duration::from_millis(100);
const EPOCH: Instant = Instant::from_micros(1);

fn at(millis: u64) -> Instant {
    EPOCH + Duration::from_micros(1) + Duration::from_millis(millis)
}

/// The gravest verdict over `fates`, with the first sample taken before any of them was sent.
fn verdict(fates: &[Fate]) -> Congestion {
    verdict_with_sample(Some(EPOCH), fates)
}

fn verdict_with_sample(first_sample_at: Option<Instant>, fates: &[Fate]) -> Congestion {
    let mut detector = PersistentCongestion::new();
    fates.iter().fold(Transient, |worst, fate| worst.max(report(&mut detector, *fate, first_sample_at)))
}

fn report(detector: &mut PersistentCongestion, fate: Fate, first_sample_at: Option<Instant>) -> Congestion {
    match fate {
        Acked => {
            detector.on_acked();
            Transient
        }
        Lost(millis) => detector.on_lost(at(millis), first_sample_at, duration(PTO)),
    }
}

#[test]
fn example_of_rfc_9002_section_7_6_3() {
    // Packet 1 is acknowledged at 1.2 s, packets 2 to 8 are sent at 1, 2, 3, 4, 5, 6 and 8 s, packet 9 at 12 s is
    // acknowledged at 12.2 s. The probe timeout is 2 s: 8 - 1 = 7 s exceed 3 * 2 = 6 s.
    let seconds = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
    let sample = Some(Instant::from_micros(900_000));
    let span = duration(Duration::from_secs(2));
    let mut detector = PersistentCongestion::new();
    detector.on_acked();
    for sent in [1, 2, 3, 4, 5, 6] {
        assert_eq!(detector.on_lost(seconds(sent), sample, span), Transient);
    }
    assert_eq!(detector.on_lost(seconds(8), sample, span), Persistent);
    detector.on_acked();
}

#[test]
fn the_same_example_with_its_first_sample_in_time() {
    // As the RFC has it, packet 2 (1 s) left before the sample that the acknowledgement at 1.2 s gave. Unless the
    // handshake had given one, the run would begin with packet 3: 8 - 2 = 6 s do not exceed 6 s.
    let seconds = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
    let mut detector = PersistentCongestion::new();
    for sent in [1, 2, 3, 4, 5, 6, 8] {
        let verdict = detector.on_lost(
            seconds(sent),
            Some(Instant::from_micros(1_200_000)),
            duration(Duration::from_secs(2)),
        );
        assert_eq!(verdict, Transient);
    }
}

#[test]
fn duration_is_three_probe_timeouts() {
    assert_eq!(duration(PTO), Duration::from_millis(300));
    assert_eq!(duration(Duration::MAX), Duration::MAX);
}

#[test]
fn nothing_lost() {
    assert_eq!(verdict(&[]), Transient);
    assert_eq!(verdict(&[Acked, Acked]), Transient);
}

#[test]
fn one_lost() {
    assert_eq!(verdict(&[Lost(0)]), Transient);
    assert_eq!(verdict(&[Acked, Lost(9_999), Acked]), Transient);
}

#[test]
fn span_equal_to_the_duration_is_not_enough() {
    assert_eq!(verdict(&[Lost(0), Lost(300)]), Transient);
}

#[test]
fn span_above_the_duration_by_a_microsecond_is() {
    let mut detector = PersistentCongestion::new();
    assert_eq!(detector.on_lost(at(0), Some(EPOCH), duration(PTO)), Transient);
    let late = at(300) + Duration::from_micros(1);
    assert_eq!(detector.on_lost(late, Some(EPOCH), duration(PTO)), Persistent);
}

#[test]
fn two_packets_suffice() {
    assert_eq!(verdict(&[Lost(0), Lost(301)]), Persistent);
}

#[test]
fn losses_in_the_middle_change_nothing() {
    assert_eq!(verdict(&[Lost(0), Lost(98), Lost(301)]), Persistent);
    assert_eq!(verdict(&[Lost(0), Lost(0), Lost(300), Lost(300)]), Transient);
}

#[test]
fn a_packet_that_is_not_ack_eliciting_neither_begins_nor_breaks_a_run() {
    // It is not reported: what was lost at 0 and 301 around one is still a run, and what would have been a run
    // with it is none without it.
    assert_eq!(verdict(&[Lost(0), /* 100, not eliciting */ Lost(301)]), Persistent);
    assert_eq!(verdict(&[/* 0, not eliciting */ Lost(98), Lost(301)]), Transient);
    assert_eq!(verdict(&[/* 0, not eliciting */ Lost(98), Lost(399)]), Persistent);
    assert_eq!(verdict(&[Lost(0), Lost(300) /* 301, not eliciting */]), Transient);
}

#[test]
fn an_acknowledged_packet_in_between_breaks_the_run() {
    assert_eq!(verdict(&[Lost(0), Acked, Lost(301)]), Transient);
    assert_eq!(verdict(&[Lost(0), Lost(98), Acked, Lost(1_000), Lost(1_300)]), Transient);
}

#[test]
fn a_run_on_either_side_of_an_acknowledged_packet_counts() {
    assert_eq!(verdict(&[Lost(0), Lost(301), Acked, Lost(1_000), Lost(1_100)]), Persistent);
    assert_eq!(verdict(&[Lost(0), Lost(100), Acked, Lost(1_000), Lost(1_301)]), Persistent);
}

#[test]
fn acknowledged_packets_around_a_run_do_not_hide_it() {
    assert_eq!(verdict(&[Acked, Lost(0), Lost(200), Lost(301), Acked]), Persistent);
}

#[test]
fn nothing_before_the_first_sample() {
    assert_eq!(verdict_with_sample(None, &[Lost(0), Lost(301), Lost(9_999)]), Transient);
}

#[test]
fn packets_sent_before_the_first_sample_do_not_begin_a_run() {
    let fates = [Lost(0), Lost(400), Lost(500)];
    assert_eq!(verdict_with_sample(Some(at(0)), &fates), Transient);
    assert_eq!(verdict_with_sample(Some(at(399)), &[Lost(0), Lost(400), Lost(701)]), Persistent);
}

#[test]
fn a_run_goes_on_over_several_acknowledgements_and_timeouts() {
    let mut detector = PersistentCongestion::new();
    for (millis, expected) in [(0, Transient), (150, Transient), (300, Transient), (450, Persistent)] {
        assert_eq!(report(&mut detector, Lost(millis), Some(EPOCH)), expected, "{millis} ms");
    }
}

#[test]
fn the_duration_of_the_moment_counts() {
    let mut detector = PersistentCongestion::new();
    assert_eq!(detector.on_lost(at(0), Some(EPOCH), duration(PTO)), Transient);
    assert_eq!(detector.on_lost(at(301), Some(EPOCH), duration(PTO * 2)), Transient);
    assert_eq!(detector.on_lost(at(302), Some(EPOCH), duration(PTO)), Persistent);
}

#[test]
fn a_late_acknowledgement_proves_that_the_path_carried_something() {
    let mut detector = PersistentCongestion::new();
    assert_eq!(report(&mut detector, Lost(0), Some(EPOCH)), Transient);
    assert_eq!(report(&mut detector, Lost(100), Some(EPOCH)), Transient);
    detector.on_acked();
    assert_eq!(report(&mut detector, Lost(400), Some(EPOCH)), Transient);
    assert_eq!(report(&mut detector, Lost(701), Some(EPOCH)), Persistent);
}

#[test]
fn is_said_once_per_run() {
    let fates = [Lost(0), Lost(301), Lost(400), Lost(600), Lost(700), Lost(701)];
    let mut detector = PersistentCongestion::new();
    let verdicts = fates.map(|fate| report(&mut detector, fate, Some(EPOCH)));
    assert_eq!(verdicts, [Transient, Persistent, Transient, Transient, Transient, Persistent]);
}

#[test]
fn packets_out_of_order_in_time_do_no_harm() {
    // A clock that steps back: no span is negative.
    assert_eq!(verdict(&[Lost(500), Lost(0), Lost(700)]), Transient);
    assert_eq!(verdict(&[Lost(500), Lost(0), Lost(801)]), Persistent);
}

#[test]
fn clock_near_its_end() {
    let start = Instant::from_micros(u64::MAX - 1_000_000);
    let mut detector = PersistentCongestion::new();
    let later = |millis| start + Duration::from_millis(millis);
    assert_eq!(detector.on_lost(later(1), Some(start), duration(PTO)), Transient);
    assert_eq!(detector.on_lost(later(301), Some(start), duration(PTO)), Transient);
    assert_eq!(detector.on_lost(later(302), Some(start), duration(PTO)), Persistent);
}

proptest! {
    /// The definition: two lost packets, sent after the first sample, none acknowledged between them, and far
    /// enough apart.
    #[test]
    fn agrees_with_the_definition_over_all_pairs(
        steps in prop::collection::vec((0u64..200, prop::bool::weighted(0.8)), 0..24),
        sample in 0u64..400,
    ) {
        let mut time = 0;
        let packets: Vec<(u64, bool)> =
            steps.into_iter().map(|(step, lost)| { time += step; (time, lost) }).collect();
        let fates: Vec<Fate> =
            packets.iter().map(|(sent, lost)| if *lost { Lost(*sent) } else { Acked }).collect();
        let expected = (0..packets.len()).any(|first| (first + 1..packets.len()).any(|last| {
            let run = &packets[first..=last];
            run.iter().all(|(_, lost)| *lost) && run[0].0 > sample && run[run.len() - 1].0 - run[0].0 > 300
        }));
        let verdict = verdict_with_sample(Some(at(sample)), &fates);
        prop_assert_eq!(verdict == Persistent, expected);
    }
}
