//! Rate and queue, to the microsecond and to the packet.

use super::*;

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

fn transmitter(rate: u64, capacity: usize) -> Transmitter {
    Transmitter::new(NonZeroU64::new(rate), capacity)
}

#[test]
fn without_a_rate_nothing_waits() {
    let mut link = Transmitter::new(None, 0);
    for _ in 0..1_000 {
        assert_eq!(link.admit(at(5), 65_535), Some(at(5)));
    }
}

#[test]
fn serialisation_takes_bits_over_rate() {
    // 1250 bytes at 10 Mbit/s: 1 ms.
    let mut link = transmitter(10_000_000, usize::MAX);
    assert_eq!(link.admit(at(0), 1_250), Some(at(1_000)));
    assert_eq!(link.admit(at(0), 1_250), Some(at(2_000)));
    // An idle link starts at once.
    assert_eq!(link.admit(at(7_000), 1_250), Some(at(8_000)));
}

#[test]
fn fractions_of_a_microsecond_are_not_lost() {
    // 1228 bytes at 10 Mbit/s take 982.4 us, at 1 Gbit/s 9.824 us, at 7 bit/s 1403.43 s.
    for rate in [7, 10_000_000, 1_000_000_000, 100_000_000_000, u64::MAX] {
        let mut link = transmitter(rate, usize::MAX);
        for sent in 1..=10_000_u128 {
            let exact = (sent * 1_228 * 8 * 1_000_000).div_ceil(u128::from(rate));
            assert_eq!(link.admit(at(0), 1_228), Some(at(exact as u64)), "packet {sent} at {rate} bit/s");
        }
    }
}

#[test]
fn the_queue_holds_its_capacity_besides_the_packet_in_service() {
    for capacity in [0, 1, 25] {
        let mut link = transmitter(10_000_000, capacity);
        let accepted = (0..100).filter(|_| link.admit(at(0), 1_250).is_some()).count();
        assert_eq!(accepted, capacity + 1);
        // Each millisecond one packet leaves, and exactly one place is free.
        for tick in 1..=50 {
            assert!(link.admit(at(tick * 1_000 - 1), 1_250).is_none(), "full until {tick} ms");
            assert!(link.admit(at(tick * 1_000), 1_250).is_some(), "a place at {tick} ms");
            assert!(link.admit(at(tick * 1_000), 1_250).is_none(), "only one place at {tick} ms");
        }
    }
}

#[test]
fn a_dropped_packet_takes_no_link_time() {
    let mut link = transmitter(10_000_000, 1);
    assert_eq!(link.admit(at(0), 1_250), Some(at(1_000)));
    assert_eq!(link.admit(at(0), 1_250), Some(at(2_000)));
    assert_eq!(link.admit(at(0), 1_250), None);
    assert_eq!(link.admit(at(1_000), 1_250), Some(at(3_000)));
}

#[test]
fn a_fraction_keeps_the_link_busy_to_the_end_of_its_microsecond() {
    // 1 byte at 5 Mbit/s takes 1.6 us: at 1 us the second packet still waits, at 2 us it is in service.
    let mut link = transmitter(5_000_000, 1);
    assert_eq!(link.admit(at(0), 1), Some(at(2)));
    assert_eq!(link.admit(at(1), 1), Some(at(4)));
    assert_eq!(link.admit(at(1), 1), None);
    assert_eq!(link.admit(at(2), 1), Some(at(5)));
}

#[test]
fn the_end_of_time_saturates() {
    let mut link = transmitter(1, usize::MAX);
    assert_eq!(link.admit(Instant::MAX, 1_250), Some(Instant::MAX));
    assert_eq!(link.admit(Instant::MAX, 1_250), Some(Instant::MAX));
}
