//! Asks cargo: lays a candidate out as a package of its own, fetches it, and builds it for the bare-metal target.
//!
//! 1. [`Cargo::lay_out`]: a package outside the workspace, so that no other package's features reach it.
//! 2. [`Cargo::fetch`]: the only step that needs a network; answers which releases take part, and where they lie.
//! 3. [`Cargo::build`]: for the target, by the toolchain that `scripts/lib.sh` chooses for everything else too.
//! 4. [`Cargo::check_signatures`]: for the host.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::candidate::Candidate;
use crate::messages;
use crate::verdict::Verdict;

/// The target of all builds.
pub const TARGET: &str = "riscv64imac-unknown-none-elf";

/// What cargo says when the network, and nothing else, is what it lacks.
const NO_NETWORK: [&str; 8] = [
    "Could not resolve host",
    "Couldn't resolve host",
    "Could not connect",
    "Couldn't connect",
    "spurious network error",
    "Timeout was reached",
    "--offline was specified",
    "you're using offline mode",
];

/// Which releases to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Releases {
    /// Those recorded.
    Recorded,
    /// Those recorded, or newer ones.
    Newest,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Something that this machine lacks, and that says nothing about the candidate.
    Skipped(String),
    /// Anything else.
    Broken(String),
}

/// A release that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The crate's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The features that are on.
    pub features: BTreeSet<String>,
    /// The folder of its manifest.
    pub folder: PathBuf,
}

/// Cargo, with places to work in.
#[derive(Clone, Debug)]
pub struct Cargo {
    /// The root of this repository.
    pub root: PathBuf,
    /// Holds the packages, and what is built of them.
    pub scratch: PathBuf,
    /// Which releases to ask.
    pub releases: Releases,
}

impl Cargo {
    /// The toolchain that `scripts/lib.sh` chooses, and its version: `target, rustc 1.95.0 (…)`.
    ///
    /// # Errors
    /// [`Unanswered::Skipped`] where the target cannot be built for.
    pub fn toolchain(&self) -> Result<String, Unanswered> {
        let route = self.said(&["riscv_route"])?;
        let compiler = match route.as_str() {
            "none" => return Err(Unanswered::Skipped(format!("no toolchain for {TARGET}"))),
            "build-std" => "\"$SYSTEM_RUSTC\" --version",
            _ => "rustc --version",
        };
        Ok(format!("{route}, {}", self.said(&["eval", compiler])?))
    }

    /// What a function of `scripts/lib.sh` prints.
    fn said(&self, arguments: &[&str]) -> Result<String, Unanswered> {
        let output = self.library(&self.root, arguments)?;
        match String::from_utf8_lossy(&output.stdout).trim() {
            "" => Err(Unanswered::Broken(format!("{arguments:?}: {}", error_text(&output)))),
            text => Ok(text.to_owned()),
        }
    }

    /// Lays `candidate` out as a package, afresh.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn lay_out(&self, candidate: &Candidate) -> Result<PathBuf, Unanswered> {
        let folder = self.scratch.join(&candidate.name);
        let broken = |error: std::io::Error| Unanswered::Broken(format!("{}: {error}", folder.display()));
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(broken)?;
        }
        fs::create_dir_all(&folder).map_err(broken)?;
        let write = |file: &str, text: &str| fs::write(folder.join(file), text).map_err(broken);
        write("Cargo.toml", &self.manifest(candidate))?;
        write("probe.rs", &candidate.probe)?;
        if let Some(signatures) = &candidate.signatures {
            write("signatures.rs", signatures)?;
        }
        let workspace = self.root.join("Cargo.lock");
        match (&candidate.lock, self.releases) {
            (Some(lock), Releases::Recorded) => write("Cargo.lock", lock)?,
            _ if candidate.is_ours() => drop(fs::copy(workspace, folder.join("Cargo.lock")).map_err(broken)?),
            _ => {}
        }
        Ok(folder)
    }

    fn manifest(&self, candidate: &Candidate) -> String {
        let dependencies = candidate.dependencies.replace("{root}", &self.root.to_string_lossy());
        let dependencies = match self.releases {
            Releases::Recorded => dependencies,
            Releases::Newest => dependencies.replace("\"=", "\">="),
        };
        let example = match candidate.signatures {
            Some(_) => "[[example]]\nname = \"signatures\"\npath = \"signatures.rs\"\n",
            None => "",
        };
        format!(
            "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
             [lib]\npath = \"probe.rs\"\n{example}{dependencies}"
        )
    }

    /// Downloads what the package in `folder` needs, and answers its direct dependencies.
    ///
    /// # Errors
    /// [`Unanswered::Skipped`] without a network.
    pub fn fetch(&self, candidate: &Candidate, folder: &Path) -> Result<Vec<Release>, Unanswered> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["metadata", "--format-version=1", "--filter-platform", TARGET])
            .args(self.locked(candidate));
        let output = run(cargo.current_dir(folder))?;
        if !output.status.success() {
            return Err(unanswered(&error_text(&output)));
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| Unanswered::Broken(format!("cargo metadata: {error}")))?;
        let releases = direct_dependencies(&metadata);
        if releases.is_empty() { Err(Unanswered::Broken("no dependency".to_owned())) } else { Ok(releases) }
    }

    /// Builds the package in `folder` for the target.
    ///
    /// # Errors
    /// [`Unanswered`] when it fails for a reason that is no blocker.
    pub fn build(&self, candidate: &Candidate, folder: &Path) -> Result<Verdict, Unanswered> {
        let mut arguments = vec!["cargo_riscv", "build", "--lib", "--keep-going", "--message-format=json"];
        arguments.extend(self.locked(candidate));
        let output = self.library(folder, &arguments)?;
        if output.status.success() {
            return Ok(Verdict::Builds);
        }
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let blockers = messages::blockers(&stdout, &stderr);
        if blockers.is_empty() { Err(unanswered(&error_text(&output))) } else { Ok(Verdict::Fails(blockers)) }
    }

    /// Checks the package's `signatures.rs` on the host: the types by which time and randomness come in.
    ///
    /// # Errors
    /// [`Unanswered`] with the compiler's words when they have changed.
    pub fn check_signatures(&self, candidate: &Candidate, folder: &Path) -> Result<(), Unanswered> {
        let mut cargo = Command::new("cargo");
        cargo.args(["check", "--quiet", "--example", "signatures"]).args(self.locked(candidate));
        let output = run(cargo.current_dir(folder).env("CARGO_TARGET_DIR", self.target_dir()))?;
        if output.status.success() { Ok(()) } else { Err(unanswered(&error_text(&output))) }
    }

    /// Recorded releases must not move; ours are what the repository holds now.
    fn locked(&self, candidate: &Candidate) -> Option<&'static str> {
        let recorded = candidate.lock.is_some() && self.releases == Releases::Recorded;
        recorded.then_some("--locked")
    }

    /// Where everything is built.
    #[must_use]
    pub fn target_dir(&self) -> PathBuf {
        self.scratch.join("target")
    }

    /// Calls a function of `scripts/lib.sh` from `folder`.
    fn library(&self, folder: &Path, arguments: &[&str]) -> Result<Output, Unanswered> {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", "source \"$0\"; \"$@\""]);
        bash.arg(self.root.join("scripts/lib.sh")).args(arguments).current_dir(folder);
        run(bash.env("CARGO_TARGET_DIR", self.target_dir()))
    }
}

/// Runs `command` to its end. The toolchain is the one in use everywhere, not the one that runs this test.
fn run(command: &mut Command) -> Result<Output, Unanswered> {
    command.env_remove("RUSTFLAGS").env_remove("CARGO").env("CARGO_TERM_COLOR", "never");
    command.output().map_err(|error| Unanswered::Broken(format!("{command:?}: {error}")))
}

/// What a failed run means that shows no blocker, from what cargo said.
fn unanswered(text: &str) -> Unanswered {
    match text.lines().find(|line| NO_NETWORK.iter().any(|sign| line.contains(sign))) {
        Some(line) => Unanswered::Skipped(format!("no network ({})", line.trim())),
        None => Unanswered::Broken(text.to_owned()),
    }
}

fn error_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// The direct dependencies of the root package in cargo's metadata.
fn direct_dependencies(metadata: &Value) -> Vec<Release> {
    let node = |id: &Value| items(&metadata["resolve"]["nodes"]).find(|node| node["id"] == *id);
    let Some(root) = node(&metadata["resolve"]["root"]) else { return Vec::new() };
    let release = |id: &Value| {
        let package = items(&metadata["packages"]).find(|package| package["id"] == *id)?;
        let features = items(&node(id)?["features"]).filter_map(Value::as_str).map(str::to_owned);
        Some(Release {
            name: package["name"].as_str()?.to_owned(),
            version: package["version"].as_str()?.to_owned(),
            features: features.collect(),
            folder: Path::new(package["manifest_path"].as_str()?).parent()?.to_owned(),
        })
    };
    items(&root["dependencies"]).filter_map(release).collect()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
