//! Whether a candidate builds and, if not, what stops it; and when two such answers are the same.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A crate that does not compile by itself, and the first thing the compiler says about it.
///
/// Crates that only depend on such a crate are not tried by cargo, and never appear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocker {
    /// Name and version; `probe` for our own few lines.
    pub package: String,
    /// The error's code, if it has one, and the first line of its text.
    pub error: String,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.package, self.error)
    }
}

/// The answer for one candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It compiles for the target.
    Builds,
    /// It does not, because of these: every crate that was tried and failed, so that the order in which cargo
    /// tries them does not matter.
    Fails(BTreeSet<Blocker>),
}

/// How close a new answer must be to the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Same releases: the same blockers with the same errors.
    Exact,
    /// Newer releases: it still builds, or still does not.
    Outcome,
}

impl Verdict {
    /// `builds` or `fails`.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Builds => "builds",
            Self::Fails(_) => "fails",
        }
    }

    /// Whether `found` confirms this record.
    #[must_use]
    pub fn is_confirmed_by(&self, found: &Self, strictness: Strictness) -> bool {
        match strictness {
            Strictness::Exact => self == found,
            Strictness::Outcome => self.outcome() == found.outcome(),
        }
    }
}

impl fmt::Display for Verdict {
    /// As recorded: the outcome, then one blocker a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.outcome())?;
        match self {
            Self::Builds => Ok(()),
            Self::Fails(blockers) => blockers.iter().try_for_each(|blocker| writeln!(f, "{blocker}")),
        }
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        match lines.next() {
            Some("builds") => match lines.next() {
                None => Ok(Self::Builds),
                Some(line) => Err(format!("it builds, and yet there is a blocker: {line}")),
            },
            Some("fails") => {
                let blockers = lines.map(blocker).collect::<Result<BTreeSet<_>, _>>()?;
                if blockers.is_empty() {
                    Err("it fails without a blocker".to_owned())
                } else {
                    Ok(Self::Fails(blockers))
                }
            }
            other => Err(format!("a verdict is `builds` or `fails`, not {other:?}")),
        }
    }
}

fn blocker(line: &str) -> Result<Blocker, String> {
    match line.split_once(": ") {
        Some((package, error)) if !package.is_empty() && !error.is_empty() => {
            Ok(Blocker { package: package.to_owned(), error: error.to_owned() })
        }
        _ => Err(format!("not `package: error`: {line}")),
    }
}

#[cfg(test)]
mod tests;
