//! Finding packets by number in a deque that wraps and has holes in its numbering.

use heapless::Deque;

use super::*;

fn packet(number: u64) -> SentPacket {
    SentPacket {
        number,
        sent_at: Instant::ZERO,
        stream_start: 0,
        credit: 0,
        acked_below: 0,
        stream_len: 0,
        size: 1200,
        carried: Carried::NOTHING,
        fate: Fate::InFlight,
    }
}

/// Every rotation of the deque's storage, so that both slices take every length.
fn rotations() -> impl Iterator<Item = Deque<SentPacket, 8>> {
    (0..8).map(|turn| {
        let mut queue = Deque::new();
        for number in 0..turn {
            queue.push_back(packet(number)).expect("room");
            queue.pop_front();
        }
        for number in [10, 11, 14, 15, 16, 20] {
            queue.push_back(packet(number)).expect("room");
        }
        queue
    })
}

#[test]
fn finds_the_first_packet_at_or_above_a_number() {
    for queue in rotations() {
        for (number, expected) in
            [(0, 0), (10, 0), (11, 1), (12, 2), (14, 2), (16, 4), (17, 5), (20, 5), (21, 6)]
        {
            assert_eq!(position(queue.as_view(), number), expected, "number {number}");
        }
    }
}

#[test]
fn finds_the_packets_of_a_range() {
    for queue in rotations() {
        assert_eq!(positions(queue.as_view(), &(11..=15)), 1..4);
        assert_eq!(positions(queue.as_view(), &(12..=13)), 2..2);
        assert_eq!(positions(queue.as_view(), &(0..=u64::MAX)), 0..6);
        assert_eq!(positions(queue.as_view(), &(21..=30)), 6..6);
    }
}

#[test]
fn carried_frames_add_up() {
    let both = Carried::FIN.with(Carried::MAX_DATA);
    assert!(both.has(Carried::FIN) && both.has(Carried::MAX_DATA) && !both.has(Carried::DATA_BLOCKED));
    assert!(!Carried::NOTHING.has(Carried::FIN));
}

#[test]
fn a_packet_is_as_small_as_it_can_be() {
    assert_eq!(size_of::<SentPacket>(), 48);
}
