//! The packet numbers to be acknowledged against a set of numbers, and when to acknowledge against nothing but time.

use std::collections::BTreeSet;

use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::limits::ACK_RANGES_MAX;
use udp_sec_recovery::recv::ack::AckPolicy;
use udp_sec_recovery::recv::ranges::{Insertion, ReceivedNumbers};

use crate::input::Input;
use crate::{Outcome, log};

pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let mut received = ReceivedNumbers::new();
    let mut model = BTreeSet::new();
    let mut outcome = "numbers";
    // A space that ends where numbers end.
    let base = if input.flag() { u64::MAX - 1_000 } else { 0 };
    let delay = Duration::from_millis(u64::from(input.u8()));
    let (mut policy, mut now) = (AckPolicy::new(input.u8(), delay), Instant::ZERO);
    while let Some(choice) = input.next() {
        let largest = received.largest().unwrap_or(base);
        let number = match choice % 8 {
            0..=3 => largest.saturating_add(u64::from(choice / 8 % 4)),
            4 | 5 => base + u64::from(input.u16() % 1_000),
            6 => {
                let acknowledged = base + u64::from(input.u16() % 1_000);
                received.forget_up_to(acknowledged);
                model.retain(|number| *number > acknowledged);
                check(&received, &model);
                continue;
            }
            _ => {
                policy.on_batch_end();
                now += input.span();
                acknowledge(&mut policy, now, delay);
                continue;
            }
        };
        if insert(&mut received, &mut model, number) {
            outcome = "numbers: forgotten";
        }
        let insertion = expected(&received, number);
        policy.on_packet(now, choice & 0x40 == 0, insertion);
        check(&received, &model);
    }
    log::state(&(received, policy));
    outcome
}

/// Inserts `number` into both; whether a range was forgotten for it.
fn insert(received: &mut ReceivedNumbers, model: &mut BTreeSet<u64>, number: u64) -> bool {
    let largest = received.largest();
    let known = model.contains(&number);
    let insertion = received.insert(number);
    let right = match largest {
        None => {
            if number == 0 {
                Insertion::InOrder
            } else {
                Insertion::Gap
            }
        }
        Some(_) if known => Insertion::Duplicate,
        Some(largest) if number < largest => Insertion::Reordered,
        // Forgotten, so late.
        Some(largest) if number == largest => Insertion::Reordered,
        Some(largest) if number - largest == 1 => Insertion::InOrder,
        Some(_) => Insertion::Gap,
    };
    assert_eq!(insertion, right, "{number} after {largest:?}");
    model.insert(number);
    if ranges(model).len() <= ACK_RANGES_MAX {
        return false;
    }
    // The oldest range is forgotten, be it the new one.
    let oldest = ranges(model)[0].clone();
    model.retain(|number| !oldest.contains(number));
    true
}

/// How the policy hears of a number that has been inserted: what it does is its own, so any will do.
fn expected(received: &ReceivedNumbers, number: u64) -> Insertion {
    if received.largest() == Some(number) { Insertion::InOrder } else { Insertion::Reordered }
}

fn ranges(model: &BTreeSet<u64>) -> Vec<core::ops::RangeInclusive<u64>> {
    let mut ranges: Vec<core::ops::RangeInclusive<u64>> = Vec::new();
    for number in model {
        match ranges.last_mut().filter(|last| last.end() + 1 == *number) {
            Some(last) => *last = *last.start()..=*number,
            None => ranges.push(*number..=*number),
        }
    }
    ranges
}

fn check(received: &ReceivedNumbers, model: &BTreeSet<u64>) {
    assert!(received.is_consistent(), "{received:?}");
    let mut newest_first = ranges(model);
    newest_first.reverse();
    assert_eq!(received.iter().collect::<Vec<_>>(), newest_first);
    assert_eq!((received.len(), received.is_empty()), (newest_first.len(), model.is_empty()));
}

/// What waits has a deadline within the delay that was promised, and is due by then.
fn acknowledge(policy: &mut AckPolicy, now: Instant, delay: Duration) {
    assert_eq!(policy.has_waiting(), policy.deadline().is_some());
    let Some(deadline) = policy.deadline() else {
        assert!(!policy.is_due(now));
        return;
    };
    assert!(deadline <= now + delay && policy.is_due(deadline.max(now)));
    if policy.is_due(now) {
        policy.on_ack_sent();
        assert!(!policy.has_waiting() && !policy.is_due(Instant::MAX));
    }
}
