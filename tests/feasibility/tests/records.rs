//! The records by themselves: complete, readable, and what the documents say. Builds nothing.

use std::collections::BTreeSet;
use std::fs;

use feasibility::candidate::{self, Candidate};
use feasibility::report::document_row;
use feasibility::verdict::Verdict;

fn all() -> Vec<Candidate> {
    candidate::all().expect("readable records")
}

#[test]
fn every_question_has_a_release_and_a_lock() {
    let all = all();
    assert!(all.len() >= 14, "{} candidates", all.len());
    for candidate in all {
        let name = &candidate.name;
        assert!(candidate.dependencies.contains("\n[dependencies]\n"), "{name}: no [dependencies]");
        assert!(
            candidate.probe.starts_with("//! ") && candidate.probe.contains("#![no_std]"),
            "{name}: probe.rs"
        );
        assert_eq!(candidate.lock.is_none(), candidate.is_ours(), "{name}: a lock for what is not ours");
        if !candidate.is_ours() {
            assert!(candidate.dependencies.contains("version = \"="), "{name}: not an exact version");
        }
    }
}

/// If nothing built, the toolchain would be what fails; if everything built, there would be nothing to show.
#[test]
fn some_build_and_some_do_not() {
    let all = all();
    let outcomes: BTreeSet<_> = all.iter().map(|candidate| candidate.verdict.outcome()).collect();
    assert_eq!(outcomes, BTreeSet::from(["builds", "fails"]));
    for candidate in all.iter().filter(|candidate| candidate.is_ours()) {
        assert_eq!(candidate.verdict, Verdict::Builds, "{}", candidate.name);
        assert!(
            candidate.calls.as_ref().is_none_or(BTreeSet::is_empty),
            "{}: a clock or random source",
            candidate.name
        );
    }
}

#[test]
fn the_document_says_what_was_recorded() {
    let path = candidate::folder().join("../../../docs/feasibility.md");
    let document = fs::read_to_string(path).expect("docs/feasibility.md");
    let wanted: Vec<String> = all().iter().map(document_row).collect();
    let missing: Vec<_> =
        wanted.iter().filter(|row| !document.lines().any(|line| line == row.as_str())).collect();
    assert!(missing.is_empty(), "docs/feasibility.md lacks one of these rows:\n{}", wanted.join("\n"));
    let rows = document.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, wanted.len(), "docs/feasibility.md has a row for a candidate that is none");
}
