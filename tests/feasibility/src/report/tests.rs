//! Tests of judging, tabulating and writing findings.

use std::path::PathBuf;

use super::*;

const FAILS: &str = "fails\nbytes 1.12.2: E0463 can't find crate for `std`\nprobe: E0432 no such thing\n";
const CALL: &str = "entropy demo src/lib.rs:4 rand::rng in new";

fn candidate(verdict: &str, calls: &[&str]) -> Candidate {
    Candidate {
        name: "demo".to_owned(),
        folder: PathBuf::new(),
        dependencies: "[dependencies]\ndemo = \"=1.0.0\"\n".to_owned(),
        probe: "//! Does it?\n".to_owned(),
        signatures: None,
        lock: None,
        verdict: verdict.parse().expect("a verdict"),
        calls: Some(parsed(calls)),
    }
}

fn parsed(calls: &[&str]) -> BTreeSet<Call> {
    calls.iter().map(|call| call.parse().expect("a call")).collect()
}

fn answer(verdict: &str, calls: &[&str]) -> Answer {
    Answer {
        releases: vec!["demo 1.0.0".to_owned()],
        verdict: verdict.parse().expect("a verdict"),
        calls: Some(parsed(calls)),
        signatures: Some(Ok(())),
    }
}

fn finding(candidate: &Candidate, answer: Result<Answer, Unanswered>) -> Finding<'_> {
    Finding { candidate, answer, strictness: Strictness::Exact, seconds: 7 }
}

#[test]
fn the_same_answer_confirms() {
    let candidate = candidate(FAILS, &[CALL]);
    assert_eq!(finding(&candidate, Ok(answer(FAILS, &[CALL]))).judgement(), Judgement::Confirmed);
}

#[test]
fn every_difference_is_shown_with_both_sides() {
    let candidate = candidate(FAILS, &[CALL]);
    let other = "clock demo src/lib.rs:9 Instant::now in poll";
    let mut different = answer("builds\n", &[other]);
    different.signatures = Some(Err("error[E0308]: mismatched types".to_owned()));
    let Judgement::Changed(changes) = finding(&candidate, Ok(different)).judgement() else {
        panic!("not noticed")
    };
    let shown = changes.join("");
    for part in [FAILS, "builds\n", CALL, other, "error[E0308]"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert_eq!(changes.len(), 4);
}

#[test]
fn of_newer_releases_only_the_outcome_counts() {
    let candidate = candidate(FAILS, &[CALL]);
    let mut finding = finding(&candidate, Ok(answer("fails\nprobe: E0433 another\n", &[])));
    assert!(matches!(finding.judgement(), Judgement::Changed(_)));
    finding.strictness = Strictness::Outcome;
    if let Ok(answer) = &mut finding.answer {
        answer.signatures = Some(Err("error[E0308]: mismatched types".to_owned()));
    }
    assert_eq!(finding.judgement(), Judgement::Confirmed);
    finding.answer = Ok(answer("builds\n", &[]));
    assert!(matches!(finding.judgement(), Judgement::Changed(_)));
}

#[test]
fn what_the_machine_lacks_is_a_skip_and_anything_else_is_not() {
    let candidate = candidate(FAILS, &[]);
    let skipped = Unanswered::Skipped("no network".to_owned());
    assert_eq!(finding(&candidate, Err(skipped)).judgement(), Judgement::Skipped("no network".to_owned()));
    let broken = Unanswered::Broken("the lock file needs to be updated".to_owned());
    let Judgement::Changed(changes) = finding(&candidate, Err(broken)).judgement() else {
        panic!("not noticed")
    };
    assert!(changes[0].contains("the lock file"));
}

#[test]
fn table_and_json_hold_the_findings() {
    let candidate = candidate(FAILS, &[CALL]);
    let findings = [
        finding(&candidate, Ok(answer("builds\n", &[CALL]))),
        finding(&candidate, Err(Unanswered::Skipped("no network".to_owned()))),
    ];
    let table = table(&findings);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
        .collect();
    assert_eq!(rows[1], ["demo", "demo 1.0.0", "fails", "builds", "0", "1", "7 s", "CHANGED"]);
    assert_eq!(rows[2], ["demo", "fails", "-", "-", "-", "7 s", "skipped"]);
    assert_eq!(table.lines().last(), Some("0 confirmed, 1 changed, 1 skipped"));
    let json = json("target", &findings);
    assert_eq!(json["candidates"][0]["judgement"], "changed");
    assert_eq!(json["candidates"][0]["recorded"]["blockers"][1], "probe: E0432 no such thing");
    assert_eq!(json["candidates"][0]["calls"][0], CALL);
    assert_eq!(json["candidates"][1]["reason"], "no network");
}

#[test]
fn a_row_of_the_document() {
    assert_eq!(
        document_row(&candidate(FAILS, &[CALL])),
        "| `demo` | fails | bytes 1.12.2: `std`, probe: E0432 no such thing | 0 | 1 |"
    );
}
