//! Tests of what is asked of cargo, and of what its answers are taken for.

use serde_json::json;

use super::*;
use crate::verdict::Verdict;

fn cargo(releases: Releases) -> Cargo {
    Cargo { root: PathBuf::from("/repository"), scratch: PathBuf::from("/scratch"), releases }
}

fn candidate(dependencies: &str) -> Candidate {
    Candidate {
        name: "demo".to_owned(),
        folder: PathBuf::new(),
        dependencies: format!("[dependencies]\n{dependencies}\n"),
        probe: String::new(),
        signatures: None,
        lock: Some(String::new()),
        verdict: Verdict::Builds,
        calls: None,
    }
}

#[test]
fn a_recorded_release_is_pinned_and_a_newer_one_is_let_in() {
    let theirs = candidate("demo = { version = \"=1.2.3\", default-features = false }");
    assert!(cargo(Releases::Recorded).manifest(&theirs).contains("version = \"=1.2.3\""));
    assert_eq!(cargo(Releases::Recorded).locked(&theirs), Some("--locked"));
    assert!(cargo(Releases::Newest).manifest(&theirs).contains("version = \">=1.2.3\""));
    assert_eq!(cargo(Releases::Newest).locked(&theirs), None);
}

#[test]
fn ours_are_taken_from_the_repository() {
    let mut ours = candidate("udp-sec = { path = \"{root}/udp-sec\" }");
    ours.lock = None;
    assert!(cargo(Releases::Recorded).manifest(&ours).contains("path = \"/repository/udp-sec\""));
    assert_eq!(cargo(Releases::Recorded).locked(&ours), None);
}

#[test]
fn the_package_is_no_part_of_another_workspace() {
    assert!(cargo(Releases::Recorded).manifest(&candidate("")).contains("\n[workspace]\n"));
}

#[test]
fn only_a_missing_network_is_a_skip() {
    let lost =
        "error: failed to download `slab v0.4.12`\n\nCaused by:\n  [6] Could not resolve host: index\n";
    assert_eq!(
        unanswered(lost),
        Unanswered::Skipped("no network ([6] Could not resolve host: index)".to_owned())
    );
    for broken in [
        "error: cannot update the lock file because --locked was passed",
        "error: failed to select a version for the requirement `demo = \"=9.9.9\"`",
        "",
    ] {
        assert_eq!(unanswered(broken), Unanswered::Broken(broken.to_owned()));
    }
}

#[test]
fn direct_dependencies_come_with_their_features() {
    let metadata = json!({
        "packages": [
            { "id": "probe", "name": "probe", "version": "0.0.0", "manifest_path": "/scratch/demo/Cargo.toml" },
            { "id": "a", "name": "demo", "version": "1.2.3", "manifest_path": "/sources/demo/Cargo.toml" },
            { "id": "b", "name": "deeper", "version": "4.5.6", "manifest_path": "/sources/deeper/Cargo.toml" },
        ],
        "resolve": {
            "root": "probe",
            "nodes": [
                { "id": "a", "dependencies": ["b"], "features": ["alloc"] },
                { "id": "b", "dependencies": [], "features": ["std"] },
                { "id": "probe", "dependencies": ["a"], "features": [] },
            ],
        },
    });
    let found = Release {
        name: "demo".to_owned(),
        version: "1.2.3".to_owned(),
        features: BTreeSet::from(["alloc".to_owned()]),
        folder: PathBuf::from("/sources/demo"),
    };
    assert_eq!(direct_dependencies(&metadata), [found]);
    assert!(direct_dependencies(&json!({})).is_empty());
}
