//! The permit table, row by row, and the order it keeps.

use super::*;

const INTERESTS: [Interest; 4] = [Interest::None, Interest::NewData, Interest::LostData, Interest::Probe];
const CONSTRAINTS: [Constraint; 6] = [
    Constraint::None,
    Constraint::Paced,
    Constraint::CongestionLimited,
    Constraint::ProbesOnly,
    Constraint::PathUnproven,
    Constraint::SentQueueFull,
];

#[test]
fn full_cross_product() {
    // One row per constraint; columns as in `INTERESTS`: none, new data, lost data, probe.
    let table = ["-NLP", "---P", "---P", "---P", "----", "----"];
    for (constraint, row) in CONSTRAINTS.into_iter().zip(table) {
        for (interest, cell) in INTERESTS.into_iter().zip(row.chars()) {
            assert_eq!(may_send(interest, constraint), cell != '-', "{interest:?} under {constraint:?}");
        }
    }
}

#[test]
fn a_greater_interest_never_loses_a_right_and_a_greater_constraint_never_gives_one() {
    assert!(INTERESTS.is_sorted() && CONSTRAINTS.is_sorted());
    for constraint in CONSTRAINTS {
        assert!(INTERESTS.map(|interest| may_send(interest, constraint)).is_sorted());
    }
    for interest in INTERESTS {
        assert!(CONSTRAINTS.map(|constraint| !may_send(interest, constraint)).is_sorted());
    }
}

#[test]
fn a_packet_must_fit_the_window_whole() {
    assert_eq!(Constraint::of_window(1200, 1200), Constraint::None);
    assert_eq!(Constraint::of_window(1199, 1200), Constraint::CongestionLimited);
    assert_eq!(Constraint::of_window(0, 1), Constraint::CongestionLimited);
}

#[test]
fn an_unproven_path_gets_no_more_than_its_room() {
    assert_eq!(Constraint::of_path(None, 1200), Constraint::None);
    assert_eq!(Constraint::of_path(Some(2400), 1200), Constraint::None);
    assert_eq!(Constraint::of_path(Some(2399), 1200), Constraint::ProbesOnly, "the rest is for probes");
    assert_eq!(Constraint::of_path(Some(51), 1200), Constraint::ProbesOnly);
    assert_eq!(Constraint::of_path(Some(50), 1200), Constraint::PathUnproven);
}

#[test]
fn two_places_in_the_sent_queue_are_kept_for_probes() {
    let expected =
        [Constraint::SentQueueFull, Constraint::ProbesOnly, Constraint::ProbesOnly, Constraint::None];
    for (free, constraint) in expected.into_iter().enumerate() {
        assert_eq!(Constraint::of_sent_queue(free), constraint, "{free} free");
    }
    assert_eq!(Constraint::of_sent_queue(usize::MAX), Constraint::None);
}
