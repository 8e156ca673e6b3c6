//! Whether a log shows what it must: a pure function from its text to a verdict.

use std::fmt;

use crate::profile::{Ladder, Pattern};

/// Lines of the log shown before the place of a miss.
const BEFORE: usize = 6;
/// Lines shown behind it.
const BEHIND: usize = 14;

/// A required marker that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The marker, as the contract writes it.
    pub marker: String,
    /// Line of the log, from 1.
    pub line: usize,
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A required marker is nowhere.
    Missing {
        /// The first one missing.
        marker: String,
        /// The log around the last marker before it.
        excerpt: String,
    },
    /// It is there, but not behind the one it must follow.
    OutOfOrder {
        /// The first one out of order.
        marker: String,
        /// Where it is, from 1.
        line: usize,
        /// The log around it.
        excerpt: String,
    },
    /// A line that must not be there.
    Forbidden {
        /// What forbids it.
        pattern: String,
        /// Where it is, from 1.
        line: usize,
        /// The log around it.
        excerpt: String,
    },
}

/// The verdict on one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The required markers found, in order, up to the first fault of order.
    pub reached: Vec<Reached>,
    /// Nothing here means that the log is as it must be.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Whether the log is as it must be.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Judges `log` by `ladder`.
#[must_use]
pub fn judge(log: &str, ladder: &Ladder) -> Verdict {
    let lines: Vec<&str> = log.lines().collect();
    let mut verdict = Verdict { reached: Vec::new(), faults: Vec::new() };
    let mut from = 0;
    for marker in &ladder.required {
        if let Some(at) = find(&lines, from, marker) {
            verdict.reached.push(Reached { marker: marker.to_string(), line: at + 1 });
            from = at + 1;
            continue;
        }
        let marker_text = marker.to_string();
        verdict.faults.push(match find(&lines, 0, marker) {
            Some(at) => Fault::OutOfOrder { marker: marker_text, line: at + 1, excerpt: excerpt(&lines, at) },
            None => {
                // With nothing reached, the end of the log says most.
                let around = if from == 0 { lines.len() } else { from - 1 };
                Fault::Missing { marker: marker_text, excerpt: excerpt(&lines, around) }
            }
        });
        break;
    }
    for pattern in &ladder.forbidden {
        if let Some(at) = find(&lines, 0, pattern) {
            let (pattern, line) = (pattern.to_string(), at + 1);
            verdict.faults.push(Fault::Forbidden { pattern, line, excerpt: excerpt(&lines, at) });
        }
    }
    verdict
}

/// The first line from `from` on that `pattern` matches.
fn find(lines: &[&str], from: usize, pattern: &Pattern) -> Option<usize> {
    lines.iter().enumerate().skip(from).find(|(_, line)| pattern.matches(line)).map(|(at, _)| at)
}

/// The lines around `at`, numbered, with a sign at it.
fn excerpt(lines: &[&str], at: usize) -> String {
    let first = at.saturating_sub(BEFORE);
    let shown = lines.iter().enumerate().skip(first).take(BEFORE + 1 + BEHIND);
    shown
        .map(|(number, line)| {
            format!("{} {:>5} | {line}\n", if number == at { '>' } else { ' ' }, number + 1)
        })
        .collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let excerpt = match self {
            Self::Missing { marker, excerpt } => {
                writeln!(f, "missing: {marker}")?;
                excerpt
            }
            Self::OutOfOrder { marker, line, excerpt } => {
                writeln!(f, "out of order (line {line}): {marker}")?;
                excerpt
            }
            Self::Forbidden { pattern, line, excerpt } => {
                writeln!(f, "forbidden (line {line}): {pattern}")?;
                excerpt
            }
        };
        if excerpt.is_empty() { f.write_str("  (the log is empty)\n") } else { f.write_str(excerpt) }
    }
}

#[cfg(test)]
mod tests;
