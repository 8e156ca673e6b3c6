//! Rules for the documents: links lead somewhere, every document can be reached, paths and sections that are
//! named exist.

use std::collections::BTreeSet;

use crate::Violation;
use crate::repo::File;
use crate::source::line_of;

/// The folders that a path in a document may begin with.
const TOP_FOLDERS: [&str; 6] =
    ["udp-sec/", "udp-sec-recovery/", "nexus-net-adapter/", "tests/", "docs/", "scripts/"];

/// A link in a document: where it stands and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Line number, from 1.
    pub line: usize,
    /// The target as written.
    pub target: String,
}

/// The links of `markdown` that stand outside code.
#[must_use]
pub fn links(markdown: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, text) in prose(markdown) {
        let text = without_code_spans(text);
        for (at, _) in text.match_indices("](") {
            if let Some((target, _)) = text[at + 2..].split_once(')') {
                found.push(Link { line, target: target.to_owned() });
            }
        }
    }
    found
}

/// The lines outside fenced code blocks, numbered.
pub(crate) fn prose(markdown: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    markdown.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

fn without_code_spans(line: &str) -> String {
    line.split('`').enumerate().map(|(index, part)| if index % 2 == 0 { part } else { "code" }).collect()
}

pub(crate) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// `target`, relative to the document at `from`, as a path from the root; `None` if it leads elsewhere.
#[must_use]
pub fn resolve(from: &str, target: &str) -> Option<String> {
    let path = target.split('#').next().unwrap_or_default();
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    if path.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The name by which a heading can be linked.
#[must_use]
pub fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn headings(markdown: &str) -> impl Iterator<Item = &str> {
    prose(markdown)
        .map(|(_, line)| line)
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim())
}

/// Links that lead nowhere, by file or by heading.
pub fn broken_links(documents: &[File], exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let mut found = Vec::new();
    for document in documents {
        for link in links(&document.text) {
            let Some(path) = resolve(&document.path, &link.target) else { continue };
            let fragment = link.target.split_once('#').map(|(_, fragment)| fragment);
            let there = documents.iter().find(|other| other.path == path);
            let heading_missing = match (fragment, there) {
                (Some(fragment), Some(other)) => {
                    !headings(&other.text).any(|heading| anchor(heading) == fragment)
                }
                _ => false,
            };
            if !exists(&path) || heading_missing {
                let detail = format!("`{}` leads nowhere", link.target);
                found.push(Violation { path: document.path.clone(), line: link.line, rule: "link", detail });
            }
        }
    }
    found
}

/// Documents in `docs/` that no chain of links from `docs/README.md` reaches.
#[must_use]
pub fn unreachable_documents(documents: &[File]) -> Vec<Violation> {
    let mut reached = BTreeSet::new();
    let mut open = vec!["docs/README.md".to_owned()];
    while let Some(path) = open.pop() {
        let Some(document) = documents.iter().find(|document| document.path == path) else { continue };
        if reached.insert(path.clone()) {
            open.extend(links(&document.text).iter().filter_map(|link| resolve(&path, &link.target)));
        }
    }
    let lost = documents.iter().filter(|d| d.path.starts_with("docs/") && !reached.contains(&d.path));
    lost.map(|document| Violation {
        path: document.path.clone(),
        line: 1,
        rule: "reachable",
        detail: "no chain of links from docs/README.md leads here".to_owned(),
    })
    .collect()
}

/// Paths named in a document's code spans that do not exist. A span with a blank, a wildcard or a
/// placeholder is no path.
pub fn missing_paths(document: &File, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, text) in prose(&document.text) {
        for span in code_spans(text) {
            let path = span.trim_start_matches("./");
            let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
            if plain
                && TOP_FOLDERS.iter().any(|top| path.starts_with(top))
                && !exists(path.trim_end_matches('/'))
            {
                let detail = format!("`{span}` does not exist");
                found.push(Violation { path: document.path.clone(), line, rule: "path", detail });
            }
        }
    }
    found
}

/// Citations of `docs/protocol.md` in the code whose section the document does not have.
#[must_use]
pub fn missing_sections(source: &File, protocol: &str) -> Vec<Violation> {
    let numbers: BTreeSet<&str> =
        headings(protocol).filter_map(|heading| heading.split_once(". ")).map(|(n, _)| n).collect();
    let mut found = Vec::new();
    for (at, citation) in source.text.match_indices("`docs/protocol.md` section") {
        let list = source.text[at + citation.len()..].trim_start_matches(['s', ' ']);
        let end = list.find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | ' ')).unwrap_or(list.len());
        let first = list[..end].split([',', ' ']).find(|number| !number.is_empty());
        if first.is_none_or(|number| !numbers.contains(number)) {
            let line = line_of(&source.text, at);
            let detail = format!("docs/protocol.md has no section {}", first.unwrap_or("without a number"));
            found.push(Violation { path: source.path.clone(), line, rule: "section", detail });
        }
    }
    found
}

#[cfg(test)]
mod tests;
