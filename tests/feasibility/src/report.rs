//! What was found, beside what was recorded: as a table, as JSON, and as a judgement.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::calls::{Call, Source};
use crate::candidate::Candidate;
use crate::cargo::Unanswered;
use crate::verdict::{Blocker, Strictness, Verdict};

/// What was found for one candidate.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The releases that took part, `name version`.
    pub releases: Vec<String>,
    /// Whether it builds.
    pub verdict: Verdict,
    /// Where it reads clocks and random sources by itself, if that was asked.
    pub calls: Option<BTreeSet<Call>>,
    /// Whether time and randomness still come in by the types recorded; `None` if that was not asked.
    pub signatures: Option<Result<(), String>>,
}

/// A candidate, and what was found.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// The candidate, with its record.
    pub candidate: &'a Candidate,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Unanswered>,
    /// How close the answer must be to the record.
    pub strictness: Strictness,
    /// How long it took, in seconds.
    pub seconds: u64,
}

/// What a finding comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// As recorded.
    Confirmed,
    /// Not asked, for a reason that lies with this machine.
    Skipped(String),
    /// Different, or no answer: each difference in words.
    Changed(Vec<String>),
}

impl Judgement {
    /// One word for the table.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Skipped(_) => "skipped",
            Self::Changed(_) => "CHANGED",
        }
    }
}

impl Finding<'_> {
    /// Compares answer and record.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        let answer = match &self.answer {
            Ok(answer) => answer,
            Err(Unanswered::Skipped(reason)) => return Judgement::Skipped(reason.clone()),
            Err(Unanswered::Broken(reason)) => {
                return Judgement::Changed(vec![format!("no answer: {reason}")]);
            }
        };
        let recorded = &self.candidate.verdict;
        let mut changes = Vec::new();
        if !recorded.is_confirmed_by(&answer.verdict, self.strictness) {
            changes.push(format!("recorded:\n{recorded}found:\n{}", answer.verdict));
        }
        if self.strictness == Strictness::Exact {
            changes.extend(self.evidence_changed(answer));
        }
        if changes.is_empty() { Judgement::Confirmed } else { Judgement::Changed(changes) }
    }

    /// What is different in how clocks and random sources are reached. A newer release may do that in its own way.
    fn evidence_changed(&self, answer: &Answer) -> Vec<String> {
        let mut changes = Vec::new();
        if let (Some(recorded), Some(found)) = (&self.candidate.calls, &answer.calls) {
            changes.extend(recorded.difference(found).map(|call| format!("recorded, not found: {call}\n")));
            changes.extend(found.difference(recorded).map(|call| format!("found, not recorded: {call}\n")));
        }
        if let Some(Err(error)) = &answer.signatures {
            changes.push(format!("signatures.rs does not compile any more:\n{error}\n"));
        }
        changes
    }

    fn json(&self) -> Value {
        let judgement = self.judgement();
        let mut value = json!({
            "candidate": self.candidate.name,
            "question": self.candidate.question(),
            "recorded": verdict_json(&self.candidate.verdict),
            "judgement": judgement.name().to_lowercase(),
            "seconds": self.seconds,
        });
        if let Ok(answer) = &self.answer {
            value["releases"] = json!(answer.releases);
            value["found"] = verdict_json(&answer.verdict);
            value["calls"] = json!(answer.calls.as_ref().map(strings));
            value["signatures"] = json!(answer.signatures.as_ref().map(|result| match result {
                Ok(()) => "as recorded",
                Err(error) => error,
            }));
        }
        match judgement {
            Judgement::Confirmed => {}
            Judgement::Skipped(reason) => value["reason"] = json!(reason),
            Judgement::Changed(changes) => value["reason"] = json!(changes),
        }
        value
    }
}

fn verdict_json(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Builds => json!({ "outcome": verdict.outcome() }),
        Verdict::Fails(blockers) => json!({ "outcome": verdict.outcome(), "blockers": strings(blockers) }),
    }
}

fn strings<T: ToString>(items: &BTreeSet<T>) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// All findings as JSON.
#[must_use]
pub fn json(toolchain: &str, findings: &[Finding<'_>]) -> Value {
    json!({
        "target": crate::cargo::TARGET,
        "toolchain": toolchain,
        "candidates": findings.iter().map(Finding::json).collect::<Vec<_>>(),
    })
}

/// All findings as a table for a terminal.
#[must_use]
pub fn table(findings: &[Finding<'_>]) -> String {
    let mut rows = vec![
        ["candidate", "releases", "recorded", "found", "clock", "entropy", "time", ""].map(str::to_owned),
    ];
    for finding in findings {
        let answer = finding.answer.as_ref().ok();
        rows.push([
            finding.candidate.name.clone(),
            answer.map_or_else(String::new, |answer| answer.releases.join(", ")),
            finding.candidate.verdict.outcome().to_owned(),
            answer.map_or("-", |answer| answer.verdict.outcome()).to_owned(),
            count(answer.and_then(|answer| answer.calls.as_ref()), Source::Clock),
            count(answer.and_then(|answer| answer.calls.as_ref()), Source::Entropy),
            format!("{} s", finding.seconds),
            finding.judgement().name().to_owned(),
        ]);
    }
    let judgements: Vec<_> = findings.iter().map(|finding| finding.judgement().name()).collect();
    let count = |name: &str| judgements.iter().filter(|judgement| **judgement == name).count();
    let [confirmed, changed, skipped] = ["confirmed", "CHANGED", "skipped"].map(count);
    format!("{}\n{confirmed} confirmed, {changed} changed, {skipped} skipped\n", aligned(&rows))
}

/// How many calls of `source` there are; `-` if nobody looked.
fn count(calls: Option<&BTreeSet<Call>>, source: Source) -> String {
    calls.map_or_else(
        || "-".to_owned(),
        |calls| calls.iter().filter(|call| call.source == source).count().to_string(),
    )
}

fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().enumerate().map(|(i, cell)| format!("{cell:<0$}", width(i))).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

/// The row of `docs/feasibility.md` that a record calls for.
#[must_use]
pub fn document_row(candidate: &Candidate) -> String {
    let first = match &candidate.verdict {
        Verdict::Builds => "–".to_owned(),
        Verdict::Fails(blockers) => blockers.iter().map(short).collect::<Vec<_>>().join(", "),
    };
    let calls = candidate.calls.as_ref();
    format!(
        "| `{}` | {} | {first} | {} | {} |",
        candidate.name,
        candidate.verdict.outcome(),
        count(calls, Source::Clock),
        count(calls, Source::Entropy),
    )
}

/// A blocker in a few words.
fn short(blocker: &Blocker) -> String {
    let error = blocker.error.replace("E0463 can't find crate for `std`", "`std`");
    format!("{}: {error}", blocker.package)
}

#[cfg(test)]
mod tests;
