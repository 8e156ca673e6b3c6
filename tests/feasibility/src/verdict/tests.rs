//! Tests of reading, writing and comparing verdicts.

use super::*;

const RECORD: &str =
    "fails\nbytes 1.12.2: E0463 can't find crate for `std`\nslab 0.4.12: E0463 can't find crate for `std`\n";

fn verdict(text: &str) -> Verdict {
    text.parse().expect("a verdict")
}

#[test]
fn what_is_written_is_read_again() {
    for text in ["builds\n", RECORD, "fails\nprobe: unresolved import: a colon in the text\n"] {
        assert_eq!(verdict(text).to_string(), text);
    }
}

#[test]
fn rejects_what_is_no_verdict() {
    for text in [
        "",
        "\n",
        "Builds\n",
        "builds\nslab: x\n",
        "fails\n",
        "fails\nslab\n",
        "fails\nslab: \n",
        "fails\n: x\n",
    ] {
        assert!(text.parse::<Verdict>().is_err(), "{text:?}");
    }
}

#[test]
fn the_order_of_blockers_does_not_matter() {
    let mut lines: Vec<_> = RECORD.lines().collect();
    lines.swap(1, 2);
    assert_eq!(verdict(&lines.join("\n")), verdict(RECORD));
}

#[test]
fn the_same_release_must_fail_in_the_same_way() {
    let recorded = verdict(RECORD);
    assert!(recorded.is_confirmed_by(&recorded, Strictness::Exact));
    let one_less = "fails\nslab 0.4.12: E0463 can't find crate for `std`\n";
    let other_error =
        RECORD.replace("slab 0.4.12: E0463 can't find crate for `std`", "slab 0.4.12: E0425 no such name");
    let other_version = RECORD.replace("0.4.12", "0.4.13");
    for found in ["builds\n", one_less, &other_error, &other_version] {
        assert!(!recorded.is_confirmed_by(&verdict(found), Strictness::Exact), "{found}");
        assert!(!verdict(found).is_confirmed_by(&recorded, Strictness::Exact), "{found}");
    }
}

#[test]
fn a_newer_release_may_fail_in_another_way_but_not_build() {
    let recorded = verdict(RECORD);
    assert!(recorded.is_confirmed_by(&verdict("fails\nprobe: E0432 gone\n"), Strictness::Outcome));
    assert!(!recorded.is_confirmed_by(&Verdict::Builds, Strictness::Outcome));
    assert!(!Verdict::Builds.is_confirmed_by(&recorded, Strictness::Outcome));
    assert!(Verdict::Builds.is_confirmed_by(&Verdict::Builds, Strictness::Outcome));
}
