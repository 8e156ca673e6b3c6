//! When MAX_DATA is due, and that a lost one never leaves the peer without credit.

use super::*;

const CAPACITY: u64 = 8_192;
const QUARTER: u64 = CAPACITY / 4;

#[test]
fn an_update_is_due_when_a_quarter_has_been_freed() {
    let mut credit = Credit::new(CAPACITY);
    assert_eq!(credit.due(), None);
    credit.on_read(QUARTER - 1, CAPACITY);
    assert_eq!(credit.due(), None);
    credit.on_read(QUARTER, CAPACITY);
    assert_eq!(credit.due(), Some(CAPACITY + QUARTER));
    assert_eq!(credit.granted(), CAPACITY, "not granted before it is announced");

    credit.on_sent(CAPACITY + QUARTER);
    assert_eq!(credit.granted(), CAPACITY + QUARTER);
    assert_eq!(credit.due(), None);
    credit.on_read(2 * QUARTER - 1, CAPACITY);
    assert_eq!(credit.due(), None, "counted from the last announcement");
    credit.on_read(2 * QUARTER, CAPACITY);
    assert_eq!(credit.due(), Some(CAPACITY + 2 * QUARTER));
}

#[test]
fn a_lost_announcement_is_replaced_by_the_newest() {
    let mut credit = Credit::new(CAPACITY);
    credit.on_read(QUARTER, CAPACITY);
    credit.on_sent(CAPACITY + QUARTER);
    credit.on_read(QUARTER + 10, CAPACITY);
    assert_eq!(credit.due(), None);
    credit.on_lost(CAPACITY + QUARTER);
    assert_eq!(credit.due(), Some(CAPACITY + QUARTER + 10), "all that is free by now");
    credit.on_sent(CAPACITY + QUARTER + 10);
    assert_eq!(credit.due(), None);
}

#[test]
fn it_is_sent_again_as_often_as_it_is_lost() {
    let mut credit = Credit::new(CAPACITY);
    credit.on_read(QUARTER, CAPACITY);
    for _ in 0..10 {
        let value = credit.due().expect("due again after each loss");
        credit.on_sent(value);
        assert_eq!(credit.due(), None, "once per loss");
        credit.on_lost(value);
    }
    let value = credit.due().expect("the last one was lost, too");
    credit.on_sent(value);
    credit.on_acked(value);
    credit.on_lost(value);
    assert_eq!(credit.due(), None, "a copy that was lost after another arrived does not matter");
}

#[test]
fn the_fate_of_an_older_announcement_does_not_matter() {
    let mut credit = Credit::new(CAPACITY);
    credit.on_read(QUARTER, CAPACITY);
    credit.on_sent(CAPACITY + QUARTER);
    credit.on_read(2 * QUARTER, CAPACITY);
    credit.on_sent(CAPACITY + 2 * QUARTER);
    credit.on_lost(CAPACITY + QUARTER);
    assert_eq!(credit.due(), None);
    credit.on_acked(CAPACITY + QUARTER);
    credit.on_lost(CAPACITY + 2 * QUARTER);
    assert_eq!(credit.due(), Some(CAPACITY + 2 * QUARTER), "the acknowledgement was of the older one");
}

#[test]
fn a_late_acknowledgement_calls_a_resend_off() {
    let mut credit = Credit::new(CAPACITY);
    credit.on_read(QUARTER, CAPACITY);
    credit.on_sent(CAPACITY + QUARTER);
    credit.on_lost(CAPACITY + QUARTER);
    credit.on_acked(CAPACITY + QUARTER);
    assert_eq!(credit.due(), None);
}

#[test]
fn a_buffer_of_a_few_bytes_is_no_special_case() {
    let mut credit = Credit::new(1);
    credit.on_read(0, 1);
    assert_eq!(credit.due(), None);
    credit.on_read(1, 1);
    assert_eq!(credit.due(), Some(2));
}

#[test]
fn credit_ends_at_the_last_stream_offset() {
    let mut credit = Credit::new(STREAM_OFFSET_MAX - 10);
    credit.on_read(STREAM_OFFSET_MAX - 10, CAPACITY);
    assert_eq!(credit.due(), None, "ten bytes are less than a quarter");
    credit.on_read(u64::MAX, u64::MAX);
    credit.on_read(STREAM_OFFSET_MAX, 16);
    assert_eq!(credit.due(), Some(STREAM_OFFSET_MAX));
}

#[test]
fn a_probe_repeats_what_may_not_have_arrived() {
    let mut credit = Credit::new(CAPACITY);
    assert_eq!(credit.to_probe_with(), None);
    credit.on_read(QUARTER, CAPACITY);
    credit.on_sent(CAPACITY + QUARTER);
    assert_eq!((credit.due(), credit.to_probe_with()), (None, Some(CAPACITY + QUARTER)));
    credit.on_acked(CAPACITY + QUARTER);
    assert_eq!(credit.to_probe_with(), None);
}
