//! What counts as a test, and what as library code.

use super::{files, is_library, is_test};

#[test]
fn tells_tests_from_code() {
    for path in ["udp-sec/src/session/tests.rs", "udp-sec/tests/vectors.rs", "tests/harness/tests/loss.rs"] {
        assert!(is_test(path), "{path}");
    }
    for path in
        ["udp-sec/src/session/mod.rs", "tests/harness/src/lib.rs", "nexus-net-adapter/udpsec/src/main.rs"]
    {
        assert!(!is_test(path), "{path}");
    }
}

#[test]
fn knows_the_libraries() {
    assert!(is_library("udp-sec/src/wire/mod.rs"));
    assert!(!is_library("udp-sec/src/wire/tests.rs"));
    assert!(!is_library("nexus-net-adapter/udpsec/src/main.rs"));
    assert!(!is_library("tests/harness/src/lib.rs"));
}

#[test]
fn finds_this_file_and_skips_build_output() {
    let found = files(&["rs"]);
    assert!(found.iter().any(|file| file.path == "tests/tidy/src/repo/tests.rs"));
    assert!(found.iter().all(|file| !file.path.split('/').any(|part| part == "target")));
}
