//! Which files the repository has, and what kind each is.

use std::fs;
use std::path::{Path, PathBuf};

/// The three `no_std` libraries, where a panic or a float is a defect.
pub const LIBRARIES: [&str; 3] = ["udp-sec", "udp-sec-recovery", "nexus-net-adapter"];

/// Folders that hold no source of ours.
const SKIPPED: [&str; 4] = [".git", "target", "artifacts", "node_modules"];

/// A text file of the repository.
#[derive(Clone, Debug)]
pub struct File {
    /// Path from the root, with `/` on every system.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// Every file with one of the given extensions, in path order.
///
/// # Panics
/// When a file cannot be read as UTF-8.
#[must_use]
pub fn files(extensions: &[&str]) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &root, extensions, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file with extension {extensions:?} below {}", root.display());
    found
}

fn walk(root: &Path, folder: &Path, extensions: &[&str], found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                walk(root, &path, extensions, found);
            }
        } else if path.extension().is_some_and(|end| extensions.iter().any(|wanted| end == *wanted)) {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            found.push(File { path, text });
        }
    }
}

/// Whether `path` holds tests only: a `tests.rs`, or anything in a package's `tests` or `benches` folder.
/// The packages below the top folder `tests/` are code like any other.
#[must_use]
pub fn is_test(path: &str) -> bool {
    let inner = match path.strip_prefix("tests/") {
        Some(rest) => rest.split_once('/').map_or("", |(_, inner)| inner),
        None => path,
    };
    inner.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
}

/// Whether `path` is non-test code of one of the three libraries.
#[must_use]
pub fn is_library(path: &str) -> bool {
    !is_test(path) && LIBRARIES.iter().any(|name| path.starts_with(&format!("{name}/src/")))
}

#[cfg(test)]
mod tests;
