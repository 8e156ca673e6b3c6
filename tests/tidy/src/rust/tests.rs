//! Each rule for Rust files fails where it should, and only there.

use super::{check, orphans};
use crate::repo::File;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn rules(path: &str, text: &str) -> Vec<&'static str> {
    check(&file(path, text)).into_iter().map(|found| found.rule).collect()
}

#[test]
fn wants_a_header() {
    assert_eq!(rules("x/src/a.rs", "// A comment.\n"), ["header"]);
    assert!(rules("x/src/a.rs", "//! What this is.\n").is_empty());
}

#[test]
fn wants_a_reason_for_silenced_lints() {
    assert_eq!(rules("x/src/a.rs", "//! H.\n#[allow(dead_code)]\nfn f() {}\n"), ["reason"]);
    assert!(
        rules("x/src/a.rs", "//! H.\n#[allow(\n  dead_code, reason = \"because\")]\nfn f() {}\n").is_empty()
    );
}

#[test]
fn finds_let_chains() {
    for chain in ["if let Some(a) = b && a", "if a && let Some(b) = c", "while let Some(a) = f(b) && c"] {
        assert_eq!(
            rules("x/src/a.rs", &format!("//! H.\nfn f() {{ {chain} {{}} }}\n")),
            ["let-chain"],
            "{chain}"
        );
    }
    let plain =
        "//! H.\nfn f() { if let Some(a) = b(c && d) { e && f } let a = b && c; match a { _ if b => {} } }\n";
    assert!(rules("x/src/a.rs", plain).is_empty());
}

#[test]
fn bounds_files_and_functions_but_not_tests() {
    let long_file = format!("//! H.\n{}", "\n".repeat(500));
    assert_eq!(rules("x/src/a.rs", &long_file), ["file-length"]);
    assert!(rules("x/src/a/tests.rs", &long_file).is_empty());
    let body = |lines: usize| format!("//! H.\nfn f() {{\n{}}}\n", "\n".repeat(lines - 2));
    assert_eq!(rules("x/src/a.rs", &body(71)), ["function-length"]);
    assert!(rules("x/src/a.rs", &body(70)).is_empty());
}

#[test]
fn wants_tests_beside_the_code() {
    assert_eq!(rules("x/src/a.rs", "//! H.\n#[cfg(test)]\nmod tests {\n}\n"), ["inline-tests"]);
    assert!(rules("x/src/a.rs", "//! H.\n#[cfg(test)]\nmod tests;\nmod b {}\n").is_empty());
}

#[test]
fn finds_panics_in_libraries_only() {
    let text = "//! H.\nfn f(x: Option<u8>) { x.unwrap(); x\n.expect(\"why\"); panic!(); assert!(true); unreachable!() }\n";
    assert_eq!(rules("udp-sec/src/a.rs", text), ["panic"; 5]);
    assert!(rules("udp-sec/src/a/tests.rs", text).is_empty());
    assert!(rules("tests/harness/src/a.rs", text).is_empty());
}

#[test]
fn allows_what_cannot_panic_at_run_time() {
    let text = "//! x.unwrap()\nconst _: () = { assert!(A < B); assert!(C < D) };\n#[cfg(test)]\nimpl X { fn f() { panic!() } }\n\
                fn f(x: Option<u8>) { x.unwrap_or(0); debug_assert!(true); let s = \"panic!\"; }\n";
    assert!(rules("udp-sec/src/a.rs", text).is_empty());
}

#[test]
fn finds_floats_in_libraries() {
    assert_eq!(rules("udp-sec/src/a.rs", "//! H.\nfn f(x: f64) { let y = 1.5; }\n"), ["float"; 2]);
    assert!(rules("udp-sec/src/a.rs", "//! 1.5\nfn f(x: X) { x.0.1; x_1.0; 0..5; 1_000; }\n").is_empty());
}

#[test]
fn wants_the_attributes_of_a_library() {
    let found = rules("udp-sec/src/lib.rs", "//! H.\n#![no_std]\n");
    assert_eq!(found, ["crate-attribute"; 5]);
}

#[test]
fn finds_files_that_nothing_compiles() {
    let files = [
        file("x/src/lib.rs", "//! H.\nmod a;\npub mod b;\n// mod lost;\n"),
        file("x/src/a.rs", "//! H.\n#[cfg(test)]\nmod tests;\n"),
        file("x/src/a/tests.rs", "//! H.\n"),
        file("x/src/b/mod.rs", "//! H.\n"),
        file("x/src/lost.rs", "//! H.\n"),
        file("x/src/b/lost.rs", "//! H.\n"),
    ];
    let paths: Vec<_> = orphans(&files).into_iter().map(|found| found.path).collect();
    assert_eq!(paths, ["x/src/lost.rs", "x/src/b/lost.rs"]);
}
