//! The frame of a record, and what its text can say.

use proptest::prelude::*;
use udp_sec::error::{CloseCode, Reject};

use super::{Expected, HEADER_LEN, Record, header, len};

#[test]
fn what_a_text_can_say() {
    let said = [
        (&[0][..], Some(Record::Alive)),
        (&[1], Some(Record::Ping)),
        (&[2, 9], Some(Record::Data)),
        (&[2, 9, 9, 9], Some(Record::Data)),
        (&[3], Some(Record::Fin)),
        (&[4, 0, 0], Some(Record::Close(CloseCode::NoError))),
        (&[4, 0x39, 0x30], Some(Record::Close(CloseCode::Other(12_345)))),
        // Nothing, an unknown kind, data without bytes, and bytes where there must be none.
        (&[], None),
        (&[5], None),
        (&[2], None),
        (&[0, 0], None),
        (&[1, 0], None),
        (&[3, 0], None),
        (&[4, 0], None),
        (&[4, 0, 0, 0], None),
    ];
    for (text, expected) in said {
        assert_eq!(Record::decode(text), expected, "{text:?}");
        if let Some(record) = expected {
            assert_eq!(record.kind(), text[0]);
        }
    }
    assert!([Record::Ping, Record::Data, Record::Fin].iter().all(|record| record.is_eliciting()));
    assert!(!Record::Alive.is_eliciting() && !Record::Close(CloseCode::NoError).is_eliciting());
}

#[test]
fn a_frame_is_judged_before_its_record_is_stored() {
    let judged = |value: u16, expected| len(&value.to_le_bytes(), expected);
    for value in 0..=u16::MAX {
        let handshake = match value {
            1200 => Ok(Some(1200)),
            ..1200 => Err(Reject::MalformedHeader),
            _ => Err(Reject::OversizeDatagram),
        };
        assert_eq!(judged(value, Expected::Handshake), handshake);
        let sealed = match value {
            17..=16_400 => Ok(Some(value.into())),
            ..17 => Err(Reject::MalformedHeader),
            _ => Err(Reject::OversizeDatagram),
        };
        assert_eq!(judged(value, Expected::Sealed), sealed);
        assert_eq!(header(value.into()), value.to_le_bytes());
    }
    for cut in 0..HEADER_LEN {
        assert_eq!(len(&[0xff; HEADER_LEN][..cut], Expected::Sealed), Ok(None));
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_what_it_says_is_what_it_is(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Some(record) = Record::decode(&text) {
            prop_assert_eq!(record.kind(), text[0]);
            if let Record::Close(code) = record {
                prop_assert_eq!(code.to_wire().to_le_bytes().to_vec(), &text[1..]);
            }
        }
    }
}
