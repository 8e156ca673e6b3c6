//! Each rule of acknowledging, by name.

use super::Insertion::{Duplicate, Gap, InOrder, Reordered};
use super::*;
use crate::limits::ACK_DELAY_DEFAULT;

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}

/// A policy of which nothing is known yet.
fn fresh(step: u8) -> AckPolicy {
    AckPolicy::new(step, ACK_DELAY_DEFAULT)
}

/// A policy after `packets` packets in order, all acknowledged.
fn after(step: u8, packets: u8) -> AckPolicy {
    let mut policy = fresh(step);
    for _ in 0..packets {
        policy.on_packet(at(0), true, InOrder);
    }
    policy.on_ack_sent();
    policy
}

/// A policy past its start, at the usual step.
fn settled(step: u8) -> AckPolicy {
    after(step, ACK_EACH_AFTER_GAP)
}

/// A policy that has earned its step.
fn proven(step: u8) -> AckPolicy {
    after(step, ACK_STEP_PROBATION)
}

/// How many of `packets` ack-eliciting packets in order lead to an ACK, asked after each packet.
fn acks(policy: &mut AckPolicy, packets: usize) -> usize {
    let mut acks = 0;
    for _ in 0..packets {
        policy.on_packet(at(1), true, InOrder);
        if policy.is_due(at(1)) {
            policy.on_ack_sent();
            acks += 1;
        }
    }
    acks
}

#[test]
fn every_second_packet_is_acknowledged() {
    let mut policy = settled(2);
    policy.on_packet(at(0), true, InOrder);
    assert!(policy.has_waiting() && !policy.is_due(at(0)));
    policy.on_packet(at(0), true, InOrder);
    assert!(policy.is_due(at(0)));
    policy.on_ack_sent();
    assert!(!policy.has_waiting() && !policy.is_due(at(1_000)));
    assert_eq!(acks(&mut policy, 1_000), 500);
}

#[test]
fn each_packet_is_acknowledged_at_the_start() {
    let mut policy = fresh(10);
    assert_eq!(acks(&mut policy, 63), 63);
    assert_eq!(acks(&mut policy, 1), 0, "the sixty-fourth waits for the next");
    assert_eq!(acks(&mut policy, 1), 1);
}

#[test]
fn each_packet_is_acknowledged_after_one_that_was_not_in_order() {
    for insertion in [Gap, Duplicate, Reordered] {
        let mut policy = proven(10);
        assert_eq!(acks(&mut policy, 9), 0);
        policy.on_packet(at(1), true, insertion);
        assert!(policy.is_due(at(1)), "{insertion:?} at once");
        policy.on_ack_sent();
        assert_eq!(acks(&mut policy, 63), 63, "{insertion:?}");
        assert_eq!(acks(&mut policy, 36), 18, "every second up to the ninety-ninth");
        assert_eq!(acks(&mut policy, 100), 10, "the step again");
    }
}

#[test]
fn a_longer_step_is_used_only_after_100_packets_in_order() {
    let mut policy = settled(10);
    assert_eq!(acks(&mut policy, 35), 17, "the packets 65 to 99");
    policy.on_ack_sent();
    assert_eq!(acks(&mut policy, 9), 0, "the hundredth is the first of ten");
    assert_eq!(acks(&mut policy, 1), 1);
    assert_eq!(acks(&mut policy, 1_000), 100);
}

#[test]
fn a_step_out_of_range_is_taken_to_the_nearest() {
    assert_eq!(acks(&mut settled(0), 10), 10);
    assert_eq!(acks(&mut settled(1), 10), 10);
    assert_eq!(acks(&mut proven(255), 640), 10);
}

#[test]
fn packets_that_are_not_ack_eliciting_never_cause_an_ack() {
    let mut policy = fresh(1);
    for insertion in [InOrder, Gap, Duplicate, Reordered] {
        for _ in 0..200 {
            policy.on_packet(at(0), false, insertion);
        }
        policy.on_batch_end();
        assert!(!policy.has_waiting() && !policy.is_due(Instant::MAX));
        assert_eq!(policy.deadline(), None);
    }
}

#[test]
fn a_gap_before_a_packet_of_acks_is_reported_with_the_next_ack_eliciting_one() {
    let mut policy = settled(2);
    policy.on_packet(at(0), false, Gap);
    assert!(!policy.is_due(at(0)));
    policy.on_packet(at(0), true, InOrder);
    assert!(policy.is_due(at(0)));
}

#[test]
fn a_single_packet_waits_for_the_acknowledgement_delay() {
    let mut policy = settled(2);
    assert_eq!(policy.deadline(), None);
    policy.on_packet(at(10), true, InOrder);
    policy.on_batch_end();
    assert_eq!(policy.deadline(), Some(at(35)));
    assert!(!policy.is_due(at(34)) && policy.is_due(at(35)));
    policy.on_packet(at(20), false, InOrder);
    assert_eq!(policy.deadline(), Some(at(35)), "counted from the first that waits");
    policy.on_ack_sent();
    assert_eq!(policy.deadline(), None);
}

#[test]
fn packets_held_back_by_a_longer_step_wait_an_eighth_of_the_delay() {
    let mut policy = proven(32);
    policy.on_packet(at(10), true, InOrder);
    assert_eq!(policy.deadline(), Some(at(35)));
    policy.on_packet(at(11), true, InOrder);
    assert_eq!(policy.deadline(), Some(Instant::from_micros(10_000 + 25_000 / 8)));
    assert!(!policy.is_due(at(13)) && policy.is_due(at(14)));
}

#[test]
fn a_receive_batch_of_several_packets_is_acknowledged_at_its_end() {
    let mut policy = proven(32);
    for batch in [2, 7, 31] {
        assert_eq!(acks(&mut policy, batch), 0);
        policy.on_batch_end();
        assert!(policy.is_due(at(1)), "{batch}");
        policy.on_ack_sent();
    }
    assert_eq!(acks(&mut policy, 33), 1);
    policy.on_batch_end();
    assert!(!policy.is_due(at(1)), "only one packet came after the last ACK");
}

#[test]
fn batches_of_one_are_acknowledged_by_step() {
    for (step, expected) in [(1, 100), (2, 50), (10, 10), (32, 3)] {
        let mut policy = proven(step);
        let mut acks = 0;
        for _ in 0..100 {
            policy.on_packet(at(1), true, InOrder);
            policy.on_batch_end();
            if policy.is_due(at(1)) {
                policy.on_ack_sent();
                acks += 1;
            }
        }
        assert_eq!(acks, expected, "step {step}");
    }
}

#[test]
fn what_has_to_be_answered_without_delay_is() {
    let mut policy = settled(2);
    policy.on_packet(at(0), true, InOrder);
    policy.expedite();
    assert!(policy.is_due(at(0)));
    policy.on_ack_sent();
    policy.expedite();
    assert!(!policy.is_due(at(0)), "nothing waits");
}

#[test]
fn the_delay_counts_from_the_arrival_of_the_largest_number() {
    let mut policy = settled(2);
    policy.on_packet(at(10), true, InOrder);
    policy.on_packet(at(20), true, Gap);
    policy.on_packet(at(25), true, Reordered);
    policy.on_packet(at(26), true, Duplicate);
    assert_eq!(policy.delay(at(30)), Duration::from_millis(10));
    policy.on_packet(at(31), false, InOrder);
    assert_eq!(policy.delay(at(31)), Duration::ZERO);
}

#[test]
fn works_at_both_ends_of_time() {
    for now in [Instant::ZERO, Instant::MAX] {
        let mut policy = settled(2);
        policy.on_packet(now, true, InOrder);
        assert!(policy.deadline().is_some_and(|deadline| deadline >= now));
        assert_eq!(policy.delay(now), Duration::ZERO);
        for _ in 0..1_000 {
            policy.on_packet(now, true, InOrder);
        }
        assert!(policy.is_due(now));
    }
}
