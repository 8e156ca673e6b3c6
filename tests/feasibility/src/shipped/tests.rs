//! Tests of telling shipped code from what only tests see.

use super::*;

/// What is left, without white space.
fn left(text: &str) -> String {
    shipped(text, &BTreeSet::from(["alloc".to_owned()])).text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn keeps_lines_and_what_is_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\"; }\n}\nfn c() {}\n";
    let shipped = shipped(text, &BTreeSet::new());
    assert_eq!(shipped.text.lines().count(), text.lines().count());
    assert_eq!(shipped.text.lines().nth(5), Some("fn c() {}"));
    assert_eq!(left(text), "fn a() {} fn c() {}");
    assert!(shipped.absent.is_empty());
}

#[test]
fn drops_whatever_a_test_attribute_stands_before() {
    assert_eq!(left("#[cfg(test)] use a::{b, c}; fn d() {}"), "fn d() {}");
    assert_eq!(
        left("#[cfg(test)] #[inline] pub(crate) fn a<B, C>(d: [u8; 4], e: E) -> F { g() } fn h() {}"),
        "fn h() {}"
    );
    assert_eq!(left("struct A { #[cfg(test)] pub b: B, c: C }"), "struct A { c: C }");
    assert_eq!(left("struct A { c: C, #[cfg(test)] b: B }"), "struct A { c: C, }");
    assert_eq!(left("fn a() { #[cfg(test)] b(); c(); }"), "fn a() { c(); }");
    assert_eq!(left("#![cfg(test)]\nfn a() {}"), "");
}

#[test]
fn keeps_what_is_built_or_may_be() {
    assert_eq!(left("#[cfg(any(test, feature = \"testing\"))] mod a {} fn b() {}"), "fn b() {}");
    assert_eq!(left("#[cfg(feature = \"std\")] static A: B = B { c: d }; fn e() {}"), "fn e() {}");
    for kept in ["#[cfg(not(test))] fn a() {}", "#[cfg(unix)] fn a() {}", "#[cfg(latest)] fn a() {}"] {
        assert_eq!(left(kept), kept);
    }
    assert!(left("#[cfg(feature = \"alloc\")] fn a() {}").ends_with("fn a() {}"));
}

#[test]
fn names_the_files_that_are_left_out() {
    let text = "mod a;\n#[cfg(test)]\npub(crate) mod checks;\n#[cfg(all(test, unix))] mod more;\n\
                #[cfg(test)]\n#[path = \"a/odd.rs\"]\nmod odd;\n#[cfg(test)] mod inner { mod b; }\n";
    let found = shipped(text, &BTreeSet::new());
    let module = |name: &str| Absent::Module(name.to_owned());
    assert_eq!(found.absent, [module("checks"), module("more"), Absent::Path("a/odd.rs".to_owned())]);
    assert!(found.text.contains("mod a;"));
}
