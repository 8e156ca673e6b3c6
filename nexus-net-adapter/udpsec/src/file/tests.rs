//! Headers, and the names that may come from a peer.

use super::*;

#[test]
fn a_header_is_length_name_size() {
    assert_eq!(header("ab", 258).expect("short"), b"\x02\x00ab\x02\x01\x00\x00\x00\x00\x00\x00");
    assert!(header(&"x".repeat(NAME_MAX), 0).is_ok());
    assert!(header(&"x".repeat(NAME_MAX + 1), 0).is_err());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["a", "a b.txt", "..a", "ä"] {
        assert_eq!(safe_name(name.as_bytes()).expect("plain"), name);
    }
    for name in [&b""[..], b".", b"..", b"/etc/passwd", b"../a", b"a/b", b"a\\b", b"a\0", b"\x1b[2J", b"\xff"]
    {
        assert!(safe_name(name).is_err(), "{name:?}");
    }
}
