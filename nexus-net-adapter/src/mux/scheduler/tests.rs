//! Shares, exactly, and the longest wait.

use std::collections::BTreeMap;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn class(raw: u8) -> PriorityClass {
    PriorityClass::new(raw).unwrap()
}

/// The classes of the next `count` turns; whoever had one waits again.
fn turns(scheduler: &mut Scheduler, count: usize) -> Vec<u8> {
    (0..count)
        .map(|_| {
            let turn = scheduler.next().expect("somebody waits");
            assert_eq!(scheduler.next(), Some(turn), "asking takes no turn");
            scheduler.taken(turn);
            turn.priority.get()
        })
        .collect()
}

fn shares(turns: &[u8]) -> BTreeMap<u8, usize> {
    let mut shares = BTreeMap::new();
    turns.iter().for_each(|class| *shares.entry(*class).or_default() += 1);
    shares
}

#[test]
fn class_0_and_one_lower_class_share_8_to_1() {
    for lower in 1..8 {
        let mut scheduler = Scheduler::new();
        scheduler.add(0, class(0));
        scheduler.add(1, class(lower));
        assert_eq!(turns(&mut scheduler, 9), [0, 0, 0, 0, 0, 0, 0, 0, lower]);
        assert_eq!(shares(&turns(&mut scheduler, 9000)), [(0, 8000), (lower, 1000)].into());
    }
}

#[test]
fn with_all_eight_busy_each_lower_class_has_1_of_63() {
    let mut scheduler = Scheduler::new();
    PriorityClass::all().for_each(|class| scheduler.add(class.get(), class));
    for _ in 0..100 {
        let round = turns(&mut scheduler, 63);
        assert_eq!(shares(&round), (0..8).map(|class| (class, if class == 0 { 56 } else { 1 })).collect());
        let lower: Vec<u8> = round.into_iter().filter(|class| *class > 0).collect();
        assert_eq!(lower, [1, 2, 3, 4, 5, 6, 7]);
    }
}

#[test]
fn without_class_0_the_highest_that_waits_takes_its_place() {
    let mut scheduler = Scheduler::new();
    [3, 5, 7].into_iter().for_each(|raw| scheduler.add(raw, class(raw)));
    assert_eq!(shares(&turns(&mut scheduler, 1800)), [(3, 1600), (5, 100), (7, 100)].into());
}

#[test]
fn a_burst_counts_only_while_a_lower_class_waits() {
    let mut scheduler = Scheduler::new();
    scheduler.add(0, class(0));
    assert_eq!(turns(&mut scheduler, 100), [0; 100]);
    scheduler.add(1, class(4));
    assert_eq!(turns(&mut scheduler, 9), [0, 0, 0, 0, 0, 0, 0, 0, 4]);
}

#[test]
fn streams_of_a_class_take_turns() {
    let mut scheduler = Scheduler::new();
    let streams = [0, 1, 63, 64, 126, 127];
    streams.into_iter().for_each(|stream| scheduler.add(stream, class(2)));
    let mut had = BTreeMap::new();
    for _ in 0..6 * 50 {
        let turn = scheduler.next().unwrap();
        scheduler.taken(turn);
        *had.entry(turn.stream).or_insert(0) += 1;
    }
    assert_eq!(had, streams.map(|stream| (stream, 50)).into());
}

#[test]
fn who_is_removed_or_was_never_there_has_no_turn() {
    let mut scheduler = Scheduler::new();
    assert!(scheduler.is_empty() && scheduler.next().is_none());
    scheduler.add(128, class(0));
    assert!(scheduler.is_empty(), "there are 128 streams, from 0 on");
    scheduler.add(5, class(0));
    scheduler.remove(5, class(0));
    assert!(scheduler.is_empty());
}

/// Class 0 pauses whenever a lower class is due. That makes class 1 the highest, and must not cost it the turn.
#[test]
fn a_class_does_not_miss_its_turn_for_being_the_highest_just_then() {
    let mut scheduler = Scheduler::new();
    scheduler.add(1, class(1));
    scheduler.add(7, class(7));
    let mut had = Vec::new();
    for _ in 0..4 {
        scheduler.add(0, class(0));
        assert_eq!(turns(&mut scheduler, 8), [0; 8]);
        scheduler.remove(0, class(0));
        had.extend(turns(&mut scheduler, 1));
    }
    assert_eq!(had, [1, 7, 1, 7]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the others do, who waits has a turn within 63.
    #[test]
    fn nobody_waits_longer_than_63_turns(
        patient in 1..8u8,
        changes in proptest::collection::vec((0..8u8, 1..5u8, any::<bool>()), 1..400),
    ) {
        let mut scheduler = Scheduler::new();
        scheduler.add(0, class(patient));
        let mut waited = 0;
        for (raw, stream, comes) in changes.into_iter().cycle().take(1000) {
            if comes {
                scheduler.add(stream, class(raw));
            } else {
                scheduler.remove(stream, class(raw));
            }
            let turn = scheduler.next().unwrap();
            scheduler.taken(turn);
            let had_its_turn = turn.priority == class(patient);
            waited = if had_its_turn { 0 } else { waited + 1 };
            prop_assert!(waited < 63);
        }
    }
}
