//! The rules for Rust files, applied to this repository.

use tidy::exceptions::EXCEPTIONS;
use tidy::{assert_none, repo, rust};

#[test]
fn rust_files_follow_the_house_rules() {
    assert_none(repo::files(&["rs"]).iter().flat_map(rust::check).collect());
}

#[test]
fn every_rust_file_is_compiled() {
    assert_none(rust::orphans(&repo::files(&["rs"])));
}

#[test]
fn every_exception_is_still_needed_and_has_a_reason() {
    let found: Vec<_> = repo::files(&["rs"]).iter().flat_map(rust::check).collect();
    for exception in EXCEPTIONS {
        assert!(exception.reason.len() > 20, "{}: give the reason", exception.path);
        assert!(
            found.iter().any(|f| exception.matches(f)),
            "{}: {} is kept now",
            exception.path,
            exception.rule
        );
    }
}
