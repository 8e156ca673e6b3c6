//! The reviewed exceptions: each has a reason, and one that is no longer needed fails the tests.

use crate::Violation;

/// A place where a rule does not hold, and why that is right.
pub struct Exception {
    /// Path from the root of the repository.
    pub path: &'static str,
    /// The rule, as in [`Violation::rule`].
    pub rule: &'static str,
    /// The violation's detail contains this (a function's name, say).
    pub about: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Every exception. Adding one is a review decision: the reason has to convince.
pub const EXCEPTIONS: &[Exception] = &[];

/// Whether an exception covers `found`.
#[must_use]
pub fn covers(found: &Violation) -> bool {
    EXCEPTIONS.iter().any(|exception| exception.matches(found))
}

impl Exception {
    /// Whether this exception is about `found`.
    #[must_use]
    pub fn matches(&self, found: &Violation) -> bool {
        self.path == found.path && self.rule == found.rule && found.detail.contains(self.about)
    }
}
