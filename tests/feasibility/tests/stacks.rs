//! Every candidate, downloaded and built anew, beside its record.
//!
//! | environment variable | meaning |
//! | --- | --- |
//! | `FEASIBILITY_ONLY` | candidates to ask, by name, with spaces between; all if unset |
//! | `FEASIBILITY_NEWEST` | ask the newest releases, and look at the outcome alone |
//! | `FEASIBILITY_UPDATE` | take what is found as the record |
//! | `FEASIBILITY_OUT` | the file for the JSON |

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use feasibility::calls::{self, Call};
use feasibility::candidate::{self, Candidate};
use feasibility::cargo::{Cargo, Release, Releases, Unanswered};
use feasibility::report::{self, Answer, Finding, Judgement};
use feasibility::verdict::{Strictness, Verdict};

fn cargo(folder: &str, releases: Releases) -> Cargo {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    // Afresh: nothing of an earlier run is taken for an answer of this one.
    if scratch.exists() {
        fs::remove_dir_all(&scratch).expect("the scratch folder can be removed");
    }
    Cargo { root, scratch, releases }
}

fn wanted() -> Vec<Candidate> {
    let all = candidate::all().expect("readable records");
    let Ok(only) = env::var("FEASIBILITY_ONLY") else { return all };
    for name in only.split_whitespace() {
        assert!(all.iter().any(|candidate| candidate.name == name), "no candidate is called {name}");
    }
    all.into_iter().filter(|candidate| only.split_whitespace().any(|name| candidate.name == name)).collect()
}

fn calls_of(releases: &[Release]) -> Result<BTreeSet<Call>, Unanswered> {
    let mut found = BTreeSet::new();
    for release in releases {
        let calls = calls::in_crate(&release.name, &release.folder, &release.features);
        found.extend(calls.map_err(|error| Unanswered::Broken(format!("{}: {error}", release.name)))?);
    }
    Ok(found)
}

fn ask(cargo: &Cargo, candidate: &Candidate) -> Result<(Answer, PathBuf), Unanswered> {
    let folder = cargo.lay_out(candidate)?;
    let releases = cargo.fetch(candidate, &folder)?;
    let verdict = cargo.build(candidate, &folder)?;
    let calls = candidate.calls.as_ref().map(|_| calls_of(&releases)).transpose()?;
    let signatures = match candidate.signatures.as_ref().map(|_| cargo.check_signatures(candidate, &folder)) {
        Some(Err(Unanswered::Broken(error))) => Some(Err(error)),
        Some(Err(skipped)) => return Err(skipped),
        Some(Ok(())) => Some(Ok(())),
        None => None,
    };
    let releases = releases.iter().map(|release| format!("{} {}", release.name, release.version)).collect();
    Ok((Answer { releases, verdict, calls, signatures }, folder))
}

fn find<'a>(cargo: &Cargo, candidate: &'a Candidate, update: bool) -> Finding<'a> {
    #[expect(clippy::disallowed_methods, reason = "how long a build took is for the reader of the table")]
    let started = Instant::now();
    let answer = ask(cargo, candidate).map(|(answer, folder)| {
        if update {
            let lock = fs::read_to_string(folder.join("Cargo.lock")).expect("cargo wrote a lock");
            candidate
                .record(&answer.verdict, answer.calls.as_ref(), &lock)
                .expect("the record can be written");
        }
        answer
    });
    let strictness = match cargo.releases {
        Releases::Recorded => Strictness::Exact,
        Releases::Newest => Strictness::Outcome,
    };
    Finding { candidate, answer, strictness, seconds: started.elapsed().as_secs() }
}

#[test]
#[ignore = "downloads and builds other projects' releases: ./scripts/feasibility.sh"]
fn every_record_is_confirmed() {
    let update = env::var_os("FEASIBILITY_UPDATE").is_some();
    let newest = env::var_os("FEASIBILITY_NEWEST").is_some();
    let cargo = cargo("feasibility", if newest { Releases::Newest } else { Releases::Recorded });
    let toolchain = match cargo.toolchain() {
        Ok(toolchain) => toolchain,
        Err(Unanswered::Skipped(reason)) => return println!("SKIPPED: {reason}"),
        Err(Unanswered::Broken(reason)) => panic!("{reason}"),
    };
    println!("{} by {toolchain}", feasibility::cargo::TARGET);
    let candidates = wanted();
    let mut findings = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        println!("[{}/{}] {}: {}", index + 1, candidates.len(), candidate.name, candidate.question());
        let finding = find(&cargo, candidate, update);
        match finding.judgement() {
            Judgement::Skipped(reason) => println!("        SKIPPED: {reason}"),
            other => println!("        {}, {} s", other.name(), finding.seconds),
        }
        findings.push(finding);
    }
    println!("\n{}", report::table(&findings));
    if let Some(path) = env::var_os("FEASIBILITY_OUT") {
        fs::write(path, format!("{:#}\n", report::json(&toolchain, &findings)))
            .expect("the JSON can be written");
    }
    let changed: Vec<String> = findings
        .iter()
        .filter_map(|finding| match finding.judgement() {
            Judgement::Changed(changes) => Some(format!("{}:\n{}", finding.candidate.name, changes.join(""))),
            _ => None,
        })
        .collect();
    assert!(update || changed.is_empty(), "{} answers changed\n\n{}", changed.len(), changed.join("\n"));
}

/// The same steps with records that are wrong both ways: the comparison above can fail.
#[test]
#[ignore = "downloads and builds other projects' releases: ./scripts/feasibility.sh"]
fn a_wrong_record_is_noticed() {
    let cargo = cargo("feasibility-wrong", Releases::Recorded);
    if let Err(reason) = cargo.toolchain() {
        return println!("SKIPPED: {reason:?}");
    }
    for (name, wrong) in
        [("snow", "fails\nsnow 0.10.0: E0463 can't find crate for `std`\n"), ("quiche", "builds\n")]
    {
        let mut candidate = Candidate::read(&candidate::folder().join(name)).expect("a record");
        assert_ne!(candidate.verdict.to_string(), wrong);
        candidate.verdict = wrong.parse().expect("a verdict");
        let finding = find(&cargo, &candidate, false);
        match (finding.judgement(), &finding.answer) {
            (Judgement::Skipped(reason), _) => println!("SKIPPED: {reason}"),
            (Judgement::Changed(changes), Ok(Answer { verdict, .. })) => {
                assert_eq!(changes.first(), Some(&format!("recorded:\n{wrong}found:\n{verdict}")));
                assert_eq!(*verdict == Verdict::Builds, wrong != "builds\n", "{name}");
            }
            (judgement, answer) => panic!("{name}: {judgement:?}, {answer:?}"),
        }
    }
}
