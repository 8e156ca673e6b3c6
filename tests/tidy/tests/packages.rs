//! The rules for packages: what each manifest declares, and where its dependencies come from.

use std::process::Command;

use tidy::{licences, repo};

/// Manifests of packages in this workspace; a workspace of its own sets its own version and lints.
fn members() -> Vec<repo::File> {
    let manifests = repo::files(&["toml"]).into_iter().filter(|file| file.path.ends_with("Cargo.toml"));
    manifests
        .filter(|file| file.text.starts_with("[package]") && !file.text.contains("\n[workspace]"))
        .collect()
}

#[test]
fn manifests_share_what_the_workspace_declares() {
    let members = members();
    assert!(members.len() >= 4, "found {} packages", members.len());
    for manifest in members {
        let inherited = ["version", "edition", "license", "publish"];
        for line in inherited.map(|key| format!("\n{key}.workspace = true\n")) {
            assert!(manifest.text.contains(&line), "{}: {}", manifest.path, line.trim());
        }
        // A program may need a newer compiler than the libraries promise, and then says so itself.
        let rust = ["\nrust-version.workspace = true\n", "\nrust-version = \"1."];
        assert!(rust.iter().any(|line| manifest.text.contains(line)), "{}: rust-version", manifest.path);
        assert!(manifest.text.contains("\ndescription = \""), "{}: description", manifest.path);
        assert!(manifest.text.contains("\n[lints]\nworkspace = true\n"), "{}: [lints]", manifest.path);
    }
}

/// The dependency graph as cargo prints it, one package a line.
fn tree(format: &str) -> Vec<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments =
        ["tree", "--locked", "--offline", "--workspace", "--all-features", "--prefix", "none", "--no-dedupe"];
    let output =
        Command::new(cargo).args(arguments).args(["--format", format]).current_dir(repo::root()).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    // Cargo marks a package that its own tests come back to.
    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect();
    lines.retain(|line| !line.trim().is_empty());
    lines.sort();
    lines.dedup();
    assert!(lines.len() > 20, "only {} packages", lines.len());
    lines
}

#[test]
fn licences_of_all_dependencies_are_allowed() {
    let deny = std::fs::read_to_string(repo::root().join("deny.toml")).expect("deny.toml");
    let allowed = licences::allowed(&deny);
    let refused: Vec<_> = tree("{p} | {l}")
        .into_iter()
        .filter(|line| {
            !line.split_once(" | ").is_some_and(|(_, licence)| licences::permits(licence, &allowed))
        })
        .collect();
    assert!(refused.is_empty(), "licences that deny.toml does not allow:\n{}", refused.join("\n"));
}

#[test]
fn dependencies_come_from_the_registry_or_from_here() {
    // Cargo prints the place of a package in brackets unless it is the default registry.
    let root = repo::root().canonicalize().expect("root").to_string_lossy().into_owned();
    let foreign: Vec<_> = tree("{p}")
        .into_iter()
        .map(|line| line.replace(" (proc-macro)", ""))
        .filter(|line| line.split_once(" (").is_some_and(|(_, place)| !place.starts_with(root.as_str())))
        .collect();
    assert!(foreign.is_empty(), "dependencies from elsewhere:\n{}", foreign.join("\n"));
}
