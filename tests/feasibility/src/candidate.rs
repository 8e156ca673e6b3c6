//! The candidates: what is asked, and what was answered last time.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::calls::Call;
use crate::verdict::Verdict;

/// A folder of `candidates/`.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// `dependencies.toml`; `{root}` stands for the root of this repository.
    pub dependencies: String,
    /// `probe.rs`.
    pub probe: String,
    /// `signatures.rs`.
    pub signatures: Option<String>,
    /// `Cargo.lock`; without one, the candidate is ours and takes the workspace's.
    pub lock: Option<String>,
    /// `verdict.txt`.
    pub verdict: Verdict,
    /// `calls.txt`.
    pub calls: Option<BTreeSet<Call>>,
}

/// Where the candidates are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("candidates")
}

/// Every candidate, by name.
///
/// # Errors
/// A folder that cannot be read, or holds what is no record.
pub fn all() -> Result<Vec<Candidate>, String> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder()).map_err(|error| error.to_string())? {
        folders.push(entry.map_err(|error| error.to_string())?.path());
    }
    folders.sort();
    folders.iter().map(|folder| Candidate::read(folder)).collect()
}

impl Candidate {
    /// The candidate in `folder`.
    ///
    /// # Errors
    /// A file that cannot be read, or holds what is no record.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let optional = |file: &str| match fs::read_to_string(folder.join(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{name}/{file}: {error}")),
        };
        let required = |file: &str| optional(file)?.ok_or_else(|| format!("{name}/{file}: missing"));
        let calls = optional("calls.txt")?.map(|text| text.lines().map(str::parse).collect()).transpose();
        Ok(Self {
            folder: folder.to_owned(),
            dependencies: required("dependencies.toml")?,
            probe: required("probe.rs")?,
            signatures: optional("signatures.rs")?,
            lock: optional("Cargo.lock")?,
            verdict: required("verdict.txt")?
                .parse()
                .map_err(|error| format!("{name}/verdict.txt: {error}"))?,
            calls: calls.map_err(|error: String| format!("{name}/calls.txt: {error}"))?,
            name,
        })
    }

    /// What it asks: the first line of its probe.
    #[must_use]
    pub fn question(&self) -> &str {
        self.probe.lines().next().unwrap_or_default().trim_start_matches("//! ")
    }

    /// Whether its crates are in this repository.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.dependencies.contains("{root}")
    }

    /// Takes what was found as the record.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn record(
        &self,
        verdict: &Verdict,
        calls: Option<&BTreeSet<Call>>,
        lock: &str,
    ) -> Result<(), String> {
        let write = |file: &str, text: &str| {
            fs::write(self.folder.join(file), text).map_err(|error| format!("{}/{file}: {error}", self.name))
        };
        write("verdict.txt", &verdict.to_string())?;
        if let Some(calls) = calls {
            write("calls.txt", &calls.iter().map(|call| format!("{call}\n")).collect::<String>())?;
        }
        if self.is_ours() { Ok(()) } else { write("Cargo.lock", lock) }
    }
}
