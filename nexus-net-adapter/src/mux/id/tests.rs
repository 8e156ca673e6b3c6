//! Only what the contract allows can be made.

use super::*;

#[test]
fn a_stream_id_is_never_zero_and_tells_its_side() {
    assert_eq!(StreamId::new(0), None);
    let [one, two] = [1, 2].map(|raw| StreamId::new(raw).unwrap());
    assert_eq!((Side::of(one), Side::of(two)), (Side::Initiator, Side::Responder));
    assert_eq!((Side::Initiator.first(), Side::Responder.first()), (one, two));
    assert_eq!(one.next(), StreamId::new(3));
    assert_eq!(StreamId::new(u32::MAX).unwrap().next(), None, "ids end, they do not begin anew");
}

#[test]
fn there_are_eight_classes() {
    assert_eq!(PriorityClass::new(7), Some(PriorityClass::LOWEST));
    assert_eq!(PriorityClass::new(8), None);
    assert_eq!(
        PriorityClass::all().map(PriorityClass::get).collect::<std::vec::Vec<_>>(),
        [0, 1, 2, 3, 4, 5, 6, 7]
    );
}

#[test]
fn a_name_is_1_to_64_bytes_of_utf_8() {
    assert_eq!(StreamName::new("").unwrap_err().label(), "mux.reject.invalid_stream_name");
    assert_eq!(StreamName::new(&"n".repeat(64)).unwrap().as_str().len(), 64);
    StreamName::new(&"n".repeat(65)).unwrap_err();
    // 22 characters of three bytes each: it is bytes that count.
    StreamName::new(&"\u{20ac}".repeat(22)).unwrap_err();
    StreamName::from_bytes(&[0xff]).unwrap_err();
}

#[test]
fn credit_stays_between_0_and_all_that_32_bits_hold() {
    let full = WindowCredit::new(u32::MAX);
    let reject = Err(MuxReject::WindowCreditOverflowOrUnderflow);
    assert_eq!(full.changed_by(1), reject);
    assert_eq!(WindowCredit::NONE.changed_by(-1), reject);
    for delta in [i64::MIN, i64::MAX, 1 << 32, -(1 << 32)] {
        assert_eq!(WindowCredit::new(1).changed_by(delta), reject, "{delta}");
    }
    assert_eq!(full.changed_by(-i64::from(u32::MAX)), Ok(WindowCredit::NONE));
    assert_eq!(WindowCredit::new(5).spent(6), reject);
    assert_eq!(full.spent(usize::MAX), reject);
    assert_eq!(WindowCredit::new(5).spent(5), Ok(WindowCredit::NONE));
}
