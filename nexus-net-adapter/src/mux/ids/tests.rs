//! Counting up, and around what the other side has taken.

use super::*;

fn id(raw: u32) -> StreamId {
    StreamId::new(raw).unwrap()
}

#[test]
fn each_side_counts_its_own() {
    let mut used = UsedIds::default();
    for (side, first) in [(Side::Initiator, 1), (Side::Responder, 2)] {
        for count in 0..5 {
            let next = used.next(side).unwrap();
            assert_eq!(next, id(first + 2 * count));
            assert!(!used.cover(next));
            used.add(next);
            assert!(used.cover(next));
        }
    }
}

#[test]
fn what_the_other_side_took_is_not_taken_again() {
    let mut used = UsedIds::default();
    [30, 7, 2].into_iter().for_each(|raw| used.add(id(raw)));
    assert_eq!((used.next(Side::Initiator), used.next(Side::Responder)), (Some(id(9)), Some(id(32))));
    assert_eq!([1, 7, 9, 28, 30, 32].map(|raw| used.cover(id(raw))), [true, true, false, true, true, false]);
}

#[test]
fn at_the_end_of_the_numbers_there_is_no_next() {
    let mut used = UsedIds::default();
    used.add(id(u32::MAX));
    assert_eq!(used.next(Side::Initiator), None);
    assert_eq!(used.next(Side::Responder), Some(id(2)));
}
