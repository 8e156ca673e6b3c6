//! Rules for what documents name of the code: a test that a table points to is there, and so is anything else that is
//! written like a name of ours.

use std::collections::BTreeSet;

use crate::Violation;
use crate::docs::{code_spans, prose};
use crate::repo::File;

/// What there is to be named.
#[derive(Debug, Default)]
pub struct Names<'s> {
    functions: BTreeSet<&'s str>,
    words: BTreeSet<&'s str>,
    /// Paths of files, without `.rs`.
    modules: BTreeSet<&'s str>,
}

impl<'s> Names<'s> {
    /// The names in `sources`.
    #[must_use]
    pub fn of(sources: &'s [File]) -> Self {
        let mut names = Self::default();
        for source in sources {
            let module =
                source.path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/main");
            names.modules.insert(module);
            let mut before = "";
            for word in source.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
                if before == "fn" {
                    names.functions.insert(word);
                }
                names.words.insert(word);
                before = word;
            }
        }
        names
    }

    fn has_test(&self, name: &str) -> bool {
        let is_module =
            |module: &&&str| module.strip_suffix(name).is_some_and(|folder| folder.ends_with('/'));
        self.functions.contains(name) || self.modules.iter().any(|module| is_module(&module))
    }
}

/// Names in `document` that are not in the code: in a table's column of tests they must be functions or files, elsewhere
/// any word of the code. A name has an underscore: without one it may be anybody's word.
#[must_use]
pub fn missing_names(document: &File, names: &Names<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut tests_column = None;
    let mut last_row = None;
    for (line, text) in prose(&document.text) {
        let cells: Vec<&str> =
            if text.starts_with('|') { text.trim_matches('|').split('|').collect() } else { vec![text] };
        if text.starts_with('|') {
            if last_row != Some(line - 1) {
                tests_column = cells.iter().position(|header| header.trim().starts_with("test"));
            }
            last_row = Some(line);
        }
        for (column, cell) in cells.into_iter().enumerate() {
            let wants_test = last_row == Some(line) && tests_column == Some(column);
            for span in code_spans(cell).filter(|span| is_name(span)) {
                let (is_there, what) = if wants_test {
                    (names.has_test(span), "a test")
                } else {
                    (names.words.contains(span), "in the code")
                };
                if !is_there {
                    let detail = format!("`{span}` is not {what}");
                    found.push(Violation { path: document.path.clone(), line, rule: "name", detail });
                }
            }
        }
    }
    found
}

/// Whether `span` is written as functions and fields are.
fn is_name(span: &str) -> bool {
    span.contains('_')
        && span.starts_with(|c: char| c.is_ascii_lowercase())
        && span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests;
