//! The rules for scripts, applied to this repository: each explains itself, stops at the first error, and
//! can be called directly.

use std::process::Command;

use tidy::repo;

/// `lib.sh` is sourced by the others.
fn scripts() -> Vec<repo::File> {
    let all = repo::files(&["sh"]);
    all.into_iter()
        .filter(|file| file.path.starts_with("scripts/") && file.path != "scripts/lib.sh")
        .collect()
}

#[test]
fn scripts_stop_at_the_first_error() {
    for script in scripts() {
        assert!(script.text.starts_with("#!/usr/bin/env bash\n"), "{}: first line", script.path);
        assert!(
            script.text.lines().any(|line| line == "set -euo pipefail"),
            "{}: set -euo pipefail",
            script.path
        );
    }
}

#[test]
fn scripts_parse() {
    for script in scripts() {
        let parsed =
            Command::new("bash").arg("-n").arg(repo::root().join(&script.path)).status().expect("bash runs");
        assert!(parsed.success(), "{} does not parse", script.path);
    }
}

#[test]
fn scripts_explain_themselves_and_reject_what_they_do_not_know() {
    for script in scripts() {
        let run = |argument: &str| {
            Command::new(repo::root().join(&script.path)).arg(argument).output().expect("executable")
        };
        let help = run("--help");
        assert!(help.status.success(), "{} --help fails", script.path);
        let text = String::from_utf8_lossy(&help.stdout);
        assert!(text.contains("usage: ./scripts/"), "{} --help shows no usage:\n{text}", script.path);
        assert!(!run("--no-such-option").status.success(), "{} accepts an unknown option", script.path);
    }
}
