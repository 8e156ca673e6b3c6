//! The list of received numbers against a naive set, and at its bounds.

use std::collections::BTreeSet;
use std::vec::Vec as StdVec;

use proptest::prelude::*;

use super::*;

fn listed(received: &ReceivedNumbers) -> StdVec<RangeInclusive<u64>> {
    received.iter().collect()
}

/// The ranges of `set`, newest first.
fn runs(set: &BTreeSet<u64>) -> StdVec<RangeInclusive<u64>> {
    let mut runs: StdVec<RangeInclusive<u64>> = StdVec::new();
    for &number in set.iter().rev() {
        match runs.last_mut() {
            Some(run) if *run.start() == number + 1 => *run = number..=*run.end(),
            _ => runs.push(number..=number),
        }
    }
    runs
}

/// A list without a bound, trimmed to the newest ranges after each step.
#[derive(Default)]
struct Model {
    numbers: BTreeSet<u64>,
    largest: Option<u64>,
}

impl Model {
    fn insert(&mut self, number: u64) -> Insertion {
        let before = self.largest;
        self.largest = before.max(Some(number));
        let was_new = self.numbers.insert(number);
        if let Some(oldest_kept) = runs(&self.numbers).get(ACK_RANGES_MAX - 1) {
            self.numbers = self.numbers.split_off(oldest_kept.start());
        }
        match before {
            _ if !was_new => Insertion::Duplicate,
            None if number == 0 => Insertion::InOrder,
            Some(largest) if number == largest + 1 => Insertion::InOrder,
            Some(largest) if number < largest => Insertion::Reordered,
            Some(largest) if number == largest => Insertion::Reordered,
            _ => Insertion::Gap,
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// The number this far above the largest so far.
    Ahead(u64),
    /// The number this far below the largest so far.
    Behind(u64),
    /// Forget up to the number this far below the largest so far.
    Forget(u64),
}

fn ops() -> impl Strategy<Value = StdVec<Op>> {
    let op = prop_oneof![
        4 => Just(Op::Ahead(1)),
        4 => (2..4_u64).prop_map(Op::Ahead),
        5 => (0..90_u64).prop_map(Op::Behind),
        1 => (0..60_u64).prop_map(Op::Forget),
    ];
    proptest::collection::vec(op, 0..300)
}

proptest! {
    #[test]
    fn equals_the_model(start in prop_oneof![Just(0), Just(1_u64 << 32), Just(u64::MAX - 2_000)], ops in ops()) {
        let (mut received, mut model) = (ReceivedNumbers::new(), Model::default());
        prop_assert_eq!(received.insert(start), model.insert(start));
        for op in ops {
            let largest = received.largest().expect("one was inserted");
            match op {
                Op::Ahead(by) => prop_assert_eq!(received.insert(largest + by), model.insert(largest + by)),
                Op::Behind(by) => {
                    let number = largest.saturating_sub(by);
                    prop_assert_eq!(received.insert(number), model.insert(number), "{}", number);
                }
                Op::Forget(by) => {
                    let number = largest.saturating_sub(by);
                    received.forget_up_to(number);
                    model.numbers = model.numbers.split_off(&(number + 1));
                }
            }
            prop_assert_eq!(listed(&received), runs(&model.numbers));
            prop_assert_eq!(received.largest(), model.largest);
            prop_assert_eq!(received.len(), runs(&model.numbers).len());
            prop_assert_eq!(received.is_empty(), model.numbers.is_empty());
            prop_assert!(received.is_consistent());
            for number in largest.saturating_sub(95)..=largest.saturating_add(4) {
                prop_assert_eq!(received.contains(number), model.numbers.contains(&number));
            }
        }
    }
}

#[test]
fn the_oldest_range_is_forgotten_when_the_list_is_full() {
    let mut received = ReceivedNumbers::new();
    for range in 0..ACK_RANGES_MAX as u64 {
        received.insert(10 + 3 * range);
    }
    assert_eq!(received.len(), ACK_RANGES_MAX);
    assert!(received.contains(10));
    assert_eq!(received.insert(500), Insertion::Gap);
    assert_eq!(received.len(), ACK_RANGES_MAX);
    assert!(!received.contains(10) && received.contains(13));
    assert_eq!(received.insert(10), Insertion::Reordered, "older than all: not listed again");
    assert!(!received.contains(10) && received.contains(13));
}

#[test]
fn a_full_list_still_grows_where_no_range_is_needed() {
    let mut received = ReceivedNumbers::new();
    for range in 0..ACK_RANGES_MAX as u64 {
        received.insert(10 + 3 * range);
    }
    assert_eq!(received.insert(9), Insertion::Reordered, "just below the oldest range");
    assert_eq!(received.insert(12), Insertion::Reordered, "just below the next");
    assert_eq!(received.insert(11), Insertion::Reordered, "joins both");
    assert_eq!(received.iter().last(), Some(9..=13));
    assert_eq!(received.len(), ACK_RANGES_MAX - 1);
}

#[test]
fn order_is_told_even_after_everything_was_forgotten() {
    let mut received = ReceivedNumbers::new();
    assert_eq!(received.insert(0), Insertion::InOrder);
    assert_eq!(received.insert(2), Insertion::Gap);
    received.forget_up_to(2);
    assert!(received.is_empty());
    assert_eq!(received.largest(), Some(2));
    assert_eq!(received.insert(1), Insertion::Reordered, "late, and still to be acknowledged");
    assert_eq!(received.insert(3), Insertion::InOrder);
    assert_eq!(listed(&received), [3..=3, 1..=1]);
}

#[test]
fn the_first_number_is_in_order_only_if_it_is_0() {
    assert_eq!(ReceivedNumbers::new().insert(0), Insertion::InOrder);
    assert_eq!(ReceivedNumbers::new().insert(1), Insertion::Gap);
}

#[test]
fn every_way_to_be_inconsistent_is_noticed() {
    let list = |largest, ranges: &[(u64, u64)]| {
        let ranges = ranges.iter().map(|(first, last)| Numbers { first: *first, last: *last }).collect();
        ReceivedNumbers { ranges, largest }.is_consistent()
    };
    assert!(list(None, &[]) && list(Some(9), &[]));
    assert!(list(Some(9), &[(9, 9), (5, 7), (1, 3)]), "one number apart");
    assert!(list(Some(9), &[(5, 8)]), "the largest was forgotten");
    assert!(!list(Some(9), &[(8, 9), (5, 7)]), "they touch");
    assert!(!list(Some(9), &[(7, 9), (5, 7)]), "they overlap");
    assert!(!list(Some(9), &[(5, 7), (9, 9)]), "oldest first");
    assert!(!list(Some(9), &[(9, 9), (7, 5)]), "backwards");
    assert!(!list(Some(9), &[(5, 10)]), "above the largest");
    assert!(!list(None, &[(5, 10)]), "without a largest");
}

#[test]
fn works_at_the_last_number() {
    let mut received = ReceivedNumbers::new();
    received.insert(u64::MAX);
    assert_eq!(received.insert(u64::MAX), Insertion::Duplicate);
    assert_eq!(received.insert(u64::MAX - 1), Insertion::Reordered);
    assert_eq!(received.insert(0), Insertion::Reordered);
    assert_eq!(listed(&received), [u64::MAX - 1..=u64::MAX, 0..=0]);
    received.forget_up_to(u64::MAX - 1);
    assert_eq!(listed(&received), [u64::MAX..=u64::MAX]);
    received.forget_up_to(u64::MAX);
    assert!(received.is_empty());
}

#[test]
fn its_size_is_known() {
    assert_eq!(size_of::<ReceivedNumbers>(), 16 * ACK_RANGES_MAX + 8 + 16);
}
