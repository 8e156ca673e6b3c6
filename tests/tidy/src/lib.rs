//! The house rules of CONTRIBUTING.md, as pure functions from text to violations.
//!
//! [`repo`] finds the files, [`source`] reads Rust far enough to tell code from comments and strings, and the
//! other modules hold the rules. The integration tests apply them to this repository; the unit tests beside
//! each module show that each rule can fail.

pub mod docs;
pub mod exceptions;
pub mod licences;
pub mod names;
pub mod repo;
pub mod rust;
pub mod source;
pub mod text;

use std::fmt;

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Path from the root of the repository.
    pub path: String,
    /// Line number, from 1.
    pub line: usize,
    /// Short name of the rule, as the exception list knows it.
    pub rule: &'static str,
    /// What is wrong there.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.detail)
    }
}

/// Fails the calling test with every violation that no reviewed exception covers.
///
/// # Panics
/// When there is such a violation.
pub fn assert_none(violations: Vec<Violation>) {
    let open: Vec<String> =
        violations.iter().filter(|found| !exceptions::covers(found)).map(ToString::to_string).collect();
    assert!(open.is_empty(), "{} violations of the house rules:\n{}", open.len(), open.join("\n"));
}
