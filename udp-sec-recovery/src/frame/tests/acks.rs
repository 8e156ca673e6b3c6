//! ACK frames: which numbers they stand for, and that no wrong ones are taken.

use std::ops::RangeInclusive;

use super::*;

fn received(ranges: &[RangeInclusive<u64>]) -> ReceivedNumbers {
    let mut received = ReceivedNumbers::new();
    for number in ranges.iter().rev().cloned().flatten() {
        received.insert(number);
    }
    received
}

/// An ACK frame as bytes: low half of the largest number, then pairs of gap and length, the first gap left out.
fn bytes(largest: u32, first: u16, further: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = [&[0x02][..], &largest.to_le_bytes(), &[0, 0, further.len() as u8 + 1]].concat();
    bytes.extend(first.to_le_bytes());
    bytes.extend(further.iter().flat_map(|(gap, length)| [gap.to_le_bytes(), length.to_le_bytes()].concat()));
    bytes
}

/// What the frame `payload` acknowledges when `largest_sent` is the largest number sent.
fn ranges(payload: &[u8], largest_sent: Option<u64>) -> Result<Vec<RangeInclusive<u64>>, Reject> {
    match decode(payload)?[..] {
        [Frame::Ack(ack)] => Ok(ack.ranges(largest_sent)?.collect()),
        ref frames => panic!("one ACK: {frames:?}"),
    }
}

#[test]
fn ranges_come_back_newest_first() {
    let sent = [90..=100, 85..=87, 3..=3, 0..=1];
    let payload = written(100, |writer| {
        assert_eq!(writer.ack(&received(&sent), Duration::ZERO), Ok(100));
    });
    assert_eq!(payload.len(), ACK_OVERHEAD + 3 * 4);
    assert_eq!(ranges(&payload, Some(100)), Ok(sent.to_vec()));
    assert_eq!(ranges(&payload, Some(5_000)), Ok(sent.to_vec()));
}

#[test]
fn the_newest_ranges_are_written_when_not_all_fit() {
    let sent: Vec<_> = (0..ACK_RANGES_MAX as u64).rev().map(|range| 3 * range..=3 * range + 1).collect();
    for room in ACK_OVERHEAD..ACK_OVERHEAD + 4 * (ACK_RANGES_MAX + 2) {
        let payload = written(room, |writer| {
            assert_eq!(writer.ack(&received(&sent), Duration::ZERO), Ok(94));
        });
        let fitting = (1 + (room - ACK_OVERHEAD) / 4).min(ACK_RANGES_MAX);
        assert_eq!(ranges(&payload, Some(200)).as_deref(), Ok(&sent[..fitting]), "room for {room} bytes");
    }
}

#[test]
fn nothing_received_is_not_acknowledged() {
    assert!(
        written(100, |writer| {
            assert_eq!(writer.ack(&ReceivedNumbers::new(), Duration::ZERO), Err(Full));
        })
        .is_empty()
    );
}

#[test]
fn the_delay_is_in_units_of_8_microseconds_and_saturates() {
    let delay = |delay: Duration| {
        let payload = written(100, |writer| {
            writer.ack(&received(&[0..=0]), delay).expect("fits");
        });
        match decode(&payload).as_deref() {
            Ok([Frame::Ack(ack)]) => ack.delay().as_micros(),
            frames => panic!("one ACK: {frames:?}"),
        }
    };
    assert_eq!(delay(Duration::ZERO), 0);
    assert_eq!(delay(Duration::from_micros(7)), 0);
    assert_eq!(delay(Duration::from_micros(25_007)), 25_000);
    assert_eq!(delay(Duration::from_millis(500)), 500_000);
    assert_eq!(delay(Duration::MAX), 65_535 * 8);
}

#[test]
fn runs_too_long_for_their_field_are_split_and_come_back_whole() {
    for length in [65_534_u64, 65_535, 65_536, 131_070, 131_071, 200_000] {
        let sent = [300_000 - length..=300_000 - 1, 7..=8];
        let payload = written(200, |writer| {
            assert_eq!(writer.ack(&received(&sent), Duration::ZERO), Ok(299_999));
        });
        let pieces = length.div_ceil(65_535) as usize;
        let gap_fits = 300_000 - length - 9 <= 65_535;
        assert_eq!(payload.len(), ACK_OVERHEAD + 4 * (pieces - 1 + usize::from(gap_fits)), "{length}");
        let back = ranges(&payload, Some(299_999)).expect("legal");
        assert_eq!(back.len(), pieces + usize::from(gap_fits));
        let numbers: u64 = back.iter().map(|range| range.end() - range.start() + 1).sum();
        assert_eq!(numbers, length + if gap_fits { 2 } else { 0 });
        assert_eq!(back[pieces - 1].start(), sent[0].start());
    }
}

#[test]
fn a_split_run_counts_for_each_of_its_pieces() {
    let mut sent: Vec<_> = (0..ACK_RANGES_MAX as u64 - 1).rev().map(|range| 3 * range..=3 * range).collect();
    sent.insert(0, 100..=100_099);
    let payload = written(200, |writer| {
        assert_eq!(writer.ack(&received(&sent), Duration::ZERO), Ok(100_099));
    });
    let back = ranges(&payload, Some(100_099)).expect("no more ranges than a frame may have");
    assert_eq!(back.len(), ACK_RANGES_MAX);
    assert_eq!(back.last(), Some(&(3..=3)), "the oldest range finds no room");
}

#[test]
fn ranges_below_a_gap_too_wide_for_its_field_are_left_out() {
    for (gap, expected) in [(65_535, 2), (65_536, 1)] {
        let sent = [100 + gap..=100 + gap, 98..=99];
        let payload = written(200, |writer| {
            writer.ack(&received(&sent), Duration::ZERO).expect("fits");
        });
        assert_eq!(ranges(&payload, Some(200_000)).map(|ranges| ranges.len()), Ok(expected));
    }
}

#[test]
fn a_gap_of_0_only_continues_a_split_run() {
    let malformed = Err(Reject::MalformedFrame);
    assert_eq!(ranges(&bytes(500_000, 5, &[(0, 1)]), Some(500_000)), malformed);
    assert_eq!(ranges(&bytes(500_000, 65_535, &[(0, 7), (0, 7)]), Some(500_000)), malformed);
    let pieces = ranges(&bytes(500_000, 65_535, &[(0, 65_535), (0, 1), (1, 1)]), Some(500_000));
    assert_eq!(pieces, Ok(vec![434_466..=500_000, 368_931..=434_465, 368_930..=368_930, 368_928..=368_928]));
}

#[test]
fn lengths_and_counts_out_of_range_are_malformed() {
    let malformed = Err(Reject::MalformedFrame);
    assert_eq!(ranges(&bytes(100, 0, &[]), Some(100)), malformed, "length 0");
    assert_eq!(ranges(&bytes(100, 1, &[(1, 0)]), Some(100)), malformed, "length 0 in a further run");
    assert_eq!(ranges(&bytes(100, 65_535, &[(0, 0)]), Some(100_000)), malformed, "length 0 after a full run");
    assert!(ranges(&bytes(1_000, 1, &[(1, 1); 31]), Some(1_000)).is_ok(), "32 ranges");
    assert_eq!(ranges(&bytes(1_000, 1, &[(1, 1); 32]), Some(1_000)), malformed, "33 ranges");
    let mut none = bytes(100, 1, &[]);
    none[7] = 0;
    assert_eq!(ranges(&none, Some(100)), malformed, "count 0");
}

#[test]
fn numbers_below_0_are_malformed() {
    let malformed = Err(Reject::MalformedFrame);
    assert_eq!(ranges(&bytes(9, 10, &[]), Some(9)), Ok(vec![0..=9]));
    assert_eq!(ranges(&bytes(9, 11, &[]), Some(9)), malformed);
    assert_eq!(ranges(&bytes(9, 5, &[(4, 1)]), Some(9)), Ok(vec![5..=9, 0..=0]));
    assert_eq!(ranges(&bytes(9, 5, &[(5, 1)]), Some(9)), malformed);
    assert_eq!(ranges(&bytes(9, 5, &[(4, 2)]), Some(9)), malformed);
    assert_eq!(ranges(&bytes(9, 65_535, &[(65_535, 65_535); 31]), Some(9)), malformed);
}

#[test]
fn test_reject_ack_of_unsent_packet() {
    let unsent = Err(Reject::AckOfUnsentPacket);
    assert_eq!(ranges(&bytes(0, 1, &[]), None), unsent, "nothing was sent");
    assert_eq!(ranges(&bytes(0, 1, &[]), Some(0)), Ok(vec![0..=0]));
    assert_eq!(ranges(&bytes(1, 1, &[]), Some(0)), unsent);
    assert_eq!(ranges(&bytes(101, 2, &[]), Some(100)), unsent);
    assert_eq!(ranges(&bytes(u32::MAX, 1, &[]), Some(5)), unsent, "not a number below 0");
    assert_eq!(ranges(&bytes(0xffff_ffff, 1, &[]), Some(u64::MAX)), unsent, "the last number is never sent");
}

#[test]
fn the_upper_half_is_completed_around_the_largest_sent() {
    let wrap = 1_u64 << 32;
    assert_eq!(ranges(&bytes(0xffff_fffe, 1, &[]), Some(wrap + 3)), Ok(vec![wrap - 2..=wrap - 2]));
    assert_eq!(
        ranges(&bytes(3, 5, &[]), Some(wrap + 3)),
        Ok(vec![wrap - 1..=wrap + 3]),
        "across the boundary"
    );
    assert_eq!(ranges(&bytes(4, 1, &[]), Some(wrap + 3)), Err(Reject::AckOfUnsentPacket));
    let old = (wrap + 4) - (wrap / 2 - 1);
    assert_eq!(
        ranges(&bytes(old as u32, 1, &[]), Some(wrap + 3)),
        Ok(vec![old..=old]),
        "as old as can be told"
    );
    let last = u64::MAX - 1;
    assert_eq!(ranges(&bytes(last as u32, 3, &[]), Some(last)), Ok(vec![last - 2..=last]));
}

proptest! {
    /// Any set of received numbers comes back as it is, whatever was sent since.
    #[test]
    fn any_received_numbers_come_back(
        base in prop_oneof![Just(0_u64), Just((1 << 32) - 500), Just(u64::MAX - 4_000)],
        numbers in proptest::collection::vec(0..1_000_u64, 1..200),
        since in 0..2_000_u64,
    ) {
        let mut received = ReceivedNumbers::new();
        for number in numbers {
            received.insert(base + number);
        }
        let payload = written(200, |writer| {
            assert_eq!(writer.ack(&received, Duration::ZERO).ok(), received.largest());
        });
        let largest_sent = received.largest().map(|largest| largest + since);
        prop_assert_eq!(ranges(&payload, largest_sent), Ok(received.iter().collect::<Vec<_>>()));
    }
}
