//! Keys that both sides have beforehand: with the same on both, a session; with anything else, none.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::process::{Running, error_of, udpsec};
use crate::transport::{Sides, said};

/// Makes a pre-shared key called `name`; the path of its file.
fn pre_shared(sides: &Sides, name: &str) -> String {
    let path = sides.folder.path(name);
    let made = udpsec(&["keygen", "--pre-shared", "--out", &path]);
    assert!(made.status.success() && made.stdout.is_empty(), "{made:?}");
    path
}

#[test]
fn a_pre_shared_key_is_its_owners_alone_and_no_two_are_equal() {
    let sides = Sides::new("psk-file");
    let (one, two) = (pre_shared(&sides, "one"), pre_shared(&sides, "two"));
    assert_eq!(fs::metadata(&one).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_ne!(fs::read(&one).expect("a file"), fs::read(&two).expect("a file"));
    assert!(error_of(&udpsec(&["keygen", "--pre-shared", "--out", &one])).contains("--force"));
}

#[test]
fn the_same_pre_shared_key_carries_a_file_over_each_transport() {
    let sides = Sides::new("psk");
    let psk = pre_shared(&sides, "shared");
    let mut receiver = sides.receive_with("auto", &["--psk", &psk]);
    let address = receiver.address();
    for transport in ["udp-sec", "tcp"] {
        let said = said(sides.send(&address, &["--psk", &psk, "--transport", transport], &[]));
        assert!(said.lines().any(|line| line == format!("transport {transport}")), "{said}");
        sides.assert_arrived();
    }
}

#[test]
fn another_pre_shared_key_or_none_gets_no_session_and_is_told_where_to_look() {
    let sides = Sides::new("psk-wrong");
    let (psk, other) = (pre_shared(&sides, "shared"), pre_shared(&sides, "other"));
    let refused = |receiver: &mut Running, args: &[&str]| {
        let args = [args, &["--timeout", "1", "--transport", "udp-sec"]].concat();
        error_of(&sides.send(&receiver.address(), &args, &[]).finish())
    };
    let mut receiver = sides.receive_with("udp-sec", &["--psk", &psk]);
    let error = refused(&mut receiver, &["--psk", &other]);
    assert!(error.contains("--psk"), "{error}");
    let mut receiver = sides.receive_with("udp-sec", &["--psk", &psk]);
    let error = refused(&mut receiver, &[]);
    assert!(error.contains("no answer"), "{error}");
    let mut receiver = sides.receive("udp-sec");
    let error = refused(&mut receiver, &["--psk", &psk]);
    assert!(error.contains("--psk"), "{error}");
}

#[test]
fn a_file_that_is_no_pre_shared_key_is_named() {
    let sides = Sides::new("psk-none");
    let missing = error_of(&sides.send("127.0.0.1:9", &["--psk", "nowhere"], &[]).finish());
    assert!(missing.contains("nowhere") && missing.contains("keygen --pre-shared"), "{missing}");
    let file = sides.folder.path("file");
    let wrong = error_of(&sides.send("127.0.0.1:9", &["--psk", &file], &[]).finish());
    assert!(wrong.contains(&file), "{wrong}");
}
