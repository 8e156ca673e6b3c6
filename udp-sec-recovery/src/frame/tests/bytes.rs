//! Arbitrary and hostile bytes: decoding neither panics nor accepts what it should not.

use super::*;

proptest! {
    #[test]
    fn any_bytes_are_decoded_to_an_end(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_any(&payload);
    }

    /// The same with first bytes that get further than the type.
    #[test]
    fn any_bytes_after_a_known_type(kind in 0..=0x0c_u8, payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_any(&[&[kind][..], &payload].concat());
    }
}

/// Decoding ends, consumes at least a byte for each frame, and fails at most once, last.
fn check_any(payload: &[u8]) {
    let results: Vec<_> = Frames::new(payload).collect();
    assert!(!results.is_empty() && results.len() <= payload.len().max(1));
    let (last, before) = results.split_last().expect("not empty");
    assert!(before.iter().all(Result::is_ok));
    assert!(matches!(last, Ok(_) | Err(Reject::MalformedFrame)));
    for result in results {
        if let Ok(Frame::Ack(ack)) = result {
            for largest_sent in
                [None, Some(0), Some(u64::from(u32::MAX)), Some(LARGEST_SENT[0]), Some(u64::MAX)]
            {
                if let Ok(ranges) = ack.ranges(largest_sent) {
                    let ranges: Vec<_> = ranges.collect();
                    assert!((1..=ACK_RANGES_MAX).contains(&ranges.len()));
                    assert!(
                        ranges.iter().all(|range| !range.is_empty() && Some(*range.end()) <= largest_sent)
                    );
                    assert!(ranges.windows(2).all(|pair| pair[1].end() < pair[0].start()));
                }
            }
        }
    }
}

/// Whether a payload of three bytes is legal: only padding and PING are that short.
fn is_legal(prefix: [u8; 3]) -> bool {
    prefix.iter().all(|byte| *byte <= 0x01)
}

#[test]
fn every_prefix_of_three_bytes() {
    let mut accepted = 0;
    for number in 0..1_u32 << 24 {
        let [a, b, c, _] = number.to_le_bytes();
        let mut ends = 0;
        for result in Frames::new(&[a, b, c]) {
            ends += usize::from(result.is_err());
        }
        assert!(ends <= 1);
        assert_eq!(ends == 0, is_legal([a, b, c]), "{a:#x} {b:#x} {c:#x}");
        accepted += usize::from(ends == 0);

        // With more bytes behind it, it reaches into the fields of every frame type.
        let mut errors = 0;
        for result in Frames::new(&[a, b, c, 0, 0, 0, 0, 0, 0, 1, 0, 7, 1, 0]) {
            assert_eq!(errors, 0, "nothing comes after an error");
            errors += usize::from(result.is_err());
        }
    }
    assert_eq!(accepted, 8);
}

#[test]
fn test_reject_truncated_payload() {
    let whole = [
        written(9, |writer| writer.max_data(77).expect("fits")),
        written(9, |writer| writer.data_blocked(77).expect("fits")),
        written(9, |writer| writer.path_challenge([7; 8]).expect("fits")),
        written(9, |writer| writer.path_response([7; 8]).expect("fits")),
        written(20, |writer| writer.close(CloseCode::AppAbort, "gone").expect("fits")),
        written(14, |writer| writer.stream(9, false, 3).expect("fits").fill(1)),
        written(14, |writer| writer.stream(9, true, 3).expect("fits").fill(1)),
        written(14, |writer| {
            let mut received = ReceivedNumbers::new();
            received.insert(3);
            received.insert(5);
            assert_eq!(writer.ack(&received, Duration::ZERO), Ok(5));
        }),
    ];
    for payload in whole {
        assert_eq!(decode(&payload).map(|frames| frames.len()), Ok(1));
        for len in 0..payload.len() {
            assert_eq!(decode(&payload[..len]), Err(Reject::MalformedFrame), "{payload:?} cut to {len}");
        }
    }
}

#[test]
fn rejects_illegal_values() {
    let over = (STREAM_OFFSET_MAX + 1).to_le_bytes();
    let last = STREAM_OFFSET_MAX.to_le_bytes();
    let malformed: &[&[&[u8]]] = &[
        &[],
        &[&[0x03]],
        &[&[0x0a; 20]],
        &[&[0xff]],
        &[&[0x01, 0x0d]],
        &[&[0x06], &over],
        &[&[0x07], &over],
        &[&[0x06], &[0xff; 8]],
        // No bytes, and no FIN either.
        &[&[0x04], &[0; 8], &[0, 0]],
        // The last byte would lie above the last offset.
        &[&[0x04], &last, &[1, 0], &[9]],
        &[&[0x05], &over, &[0, 0]],
        &[&[0x04], &[0xff; 8], &[1, 0], &[9]],
        // A reason that is not UTF-8, and one cut inside a character.
        &[&[0x0c, 0, 0, 1, 0xff]],
        &[&[0x0c, 0, 0, 1, 0xc3]],
    ];
    for parts in malformed {
        let payload = parts.concat();
        assert_eq!(decode(&payload), Err(Reject::MalformedFrame), "{payload:?}");
    }
    let legal: &[&[&[u8]]] = &[
        &[&[0x06], &last],
        &[&[0x07], &last],
        &[&[0x05], &last, &[0, 0]],
        &[&[0x0c, 0xff, 0xff, 2, 0xc3, 0xb6]],
    ];
    for parts in legal {
        assert!(decode(&parts.concat()).is_ok(), "{parts:?}");
    }
}

#[test]
fn nothing_follows_an_error() {
    let mut frames = Frames::new(&[0x01, 0x03, 0x01]);
    assert_eq!(frames.next(), Some(Ok(Frame::Ping)));
    assert_eq!(frames.next(), Some(Err(Reject::MalformedFrame)));
    assert_eq!(frames.next(), None);
    assert_eq!(frames.next(), None);
}
