//! Where a crate reads a clock or draws random bytes by itself, instead of being told.
//!
//! A call is looked for by name in the shipped source, so an own name for a clock (`use Instant as Tick`) would be
//! missed; the compiler's answer to the same question is each candidate's `signatures.rs`.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tidy::source::{functions, line_of, words};

use crate::shipped::{Absent, shipped};

/// What is reached for without being passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The system's time.
    Clock,
    /// The system's random bytes.
    Entropy,
}

impl Source {
    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Entropy => "entropy",
        }
    }
}

/// The names to look for.
const NAMES: [(Source, &str); 12] = [
    (Source::Clock, "Instant::now"),
    (Source::Clock, "SystemTime::now"),
    (Source::Clock, "UnixTime::now"),
    (Source::Entropy, "rand::rng"),
    (Source::Entropy, "thread_rng"),
    (Source::Entropy, "OsRng"),
    (Source::Entropy, "SysRng"),
    (Source::Entropy, "getrandom"),
    (Source::Entropy, "from_os_rng"),
    (Source::Entropy, "from_entropy"),
    (Source::Entropy, "SystemRandom"),
    (Source::Entropy, "RAND_bytes"),
];

/// One such place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// What is reached for.
    pub source: Source,
    /// The name of the crate.
    pub package: String,
    /// The file, from the crate's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The name that was found.
    pub name: String,
    /// The function that it stands in.
    pub function: String,
}

impl fmt::Display for Call {
    /// As recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, package, file, line, name, function } = self;
        write!(f, "{} {package} {file}:{line} {name} in {function}", source.name())
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("not `source package file:line name in function`: {text}");
        let parts: Vec<&str> = text.split(' ').collect();
        let [source, package, place, name, "in", function] = parts[..] else { return Err(wrong()) };
        let source = [Source::Clock, Source::Entropy].into_iter().find(|known| known.name() == source);
        let (file, line) = place.rsplit_once(':').ok_or_else(wrong)?;
        Ok(Self {
            source: source.ok_or_else(wrong)?,
            package: package.to_owned(),
            file: file.to_owned(),
            line: line.parse().map_err(|_| wrong())?,
            name: name.to_owned(),
            function: function.to_owned(),
        })
    }
}

/// The calls in one file. Names outside functions are imports and declarations, not calls.
#[must_use]
pub fn in_text(package: &str, file: &str, shipped: &str) -> BTreeSet<Call> {
    let functions = functions(shipped);
    let mut found = BTreeSet::new();
    for (source, name) in NAMES {
        for at in words(shipped, name) {
            let line = line_of(shipped, at);
            let around = functions.iter().filter(|f| (f.line..f.line + f.lines).contains(&line));
            if let Some(innermost) = around.min_by_key(|function| function.lines) {
                found.insert(Call {
                    source,
                    package: package.to_owned(),
                    file: file.to_owned(),
                    line,
                    name: name.to_owned(),
                    function: innermost.name.clone(),
                });
            }
        }
    }
    found
}

/// The calls in the library `package` whose manifest is in `folder`, as built with `features`.
///
/// # Errors
/// What reading its files answers.
pub fn in_crate(package: &str, folder: &Path, features: &BTreeSet<String>) -> io::Result<BTreeSet<Call>> {
    let mut files = Vec::new();
    rust_files(&folder.join("src"), &mut files)?;
    let mut absent = BTreeSet::new();
    let mut sources = Vec::new();
    for path in files {
        let shipped = shipped(&fs::read_to_string(&path)?, features);
        absent.extend(shipped.absent.iter().map(|module| place(&path, module)));
        sources.push((path, shipped.text));
    }
    let is_absent = |path: &Path| path.with_extension("").ancestors().any(|part| absent.contains(part));
    let mut found = BTreeSet::new();
    for (path, text) in sources.iter().filter(|(path, _)| !is_absent(path)) {
        let file = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        found.extend(in_text(package, &file, text));
    }
    Ok(found)
}

/// Where a module is that `file` declares, without the extension.
fn place(file: &Path, module: &Absent) -> PathBuf {
    let folder = file.with_file_name("");
    match module {
        Absent::Path(path) => folder.join(path).with_extension(""),
        Absent::Module(name) => match file.file_name().and_then(|name| name.to_str()) {
            Some("lib.rs" | "mod.rs" | "main.rs") => folder.join(name),
            _ => file.with_extension("").join(name),
        },
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
