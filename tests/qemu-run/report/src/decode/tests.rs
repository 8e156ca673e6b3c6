//! What counts as the same message, and images without a table.

use super::*;

#[test]
fn messages_that_differ_in_numbers_only_are_one() {
    assert_eq!(without_numbers("sent 12 of 3400"), "sent # of #");
    assert_eq!(without_numbers("udpsec.reject.bad_mac1"), "udpsec.reject.bad_mac1");
    assert_eq!(without_numbers("10.0.0.1:4433"), "#.#.#.#:#");
}

#[test]
fn an_image_without_a_table_is_an_error() {
    assert!(decode(b"no image", b"").is_err());
}

#[test]
fn increments_are_a_name_and_a_number() {
    assert_eq!(increment("packets_lost +12"), Some(("packets_lost", 12)));
    for other in ["packets_lost 12", "a +b", "+1", "a + 1"] {
        assert_eq!(increment(other), None, "{other}");
    }
}
