//! Rules for every text file: clean lines, no unfinished business, nothing of one machine or one host.

use crate::Violation;
use crate::repo::File;

/// Longest line of a script; Rust has rustfmt, and prose may wrap where it likes.
pub const LINE_MAX: usize = 120;

/// Words that must not stand anywhere, with the reason. They are written in two parts so that this file
/// does not contain them.
const BANNED: [(&str, &str, &str); 15] = [
    ("TO", "DO", "unfinished work belongs in an issue"),
    ("FIX", "ME", "unfinished work belongs in an issue"),
    ("XX", "X:", "unfinished work belongs in an issue"),
    ("/ho", "me/", "a path of one machine"),
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/tm", "p/", "a fixed temporary path; use mktemp -d or the system's own"),
    ("crates", ".io", "a package host"),
    ("static.rust-", "lang.org", "a package host"),
    ("sh.rust", "up.rs", "a package host"),
    ("deb.deb", "ian.org", "a package host"),
    ("security.deb", "ian.org", "a package host"),
    ("py", "pi.org", "a package host"),
    ("npm", "js.", "a package host"),
    ("proxy.go", "lang.org", "a package host"),
];

/// Every violation in one file.
#[must_use]
pub fn check(file: &File) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut report = |line: usize, rule: &'static str, detail: String| {
        found.push(Violation { path: file.path.clone(), line, rule, detail });
    };
    for (index, line) in file.text.lines().enumerate() {
        let number = index + 1;
        for (head, tail, why) in BANNED.iter().filter(|(head, tail, _)| contains(line, head, tail)) {
            report(number, "banned", format!("`{head}{tail}`: {why}"));
        }
        if line.ends_with([' ', '\t', '\r']) {
            report(number, "whitespace", "white space at the end of the line".to_owned());
        }
        if line.contains('\t') {
            report(number, "whitespace", "a tab".to_owned());
        }
        if file.path.ends_with(".sh") && line.chars().count() > LINE_MAX {
            report(number, "line-length", format!("more than {LINE_MAX} characters"));
        }
    }
    if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
        report(file.text.lines().count(), "whitespace", "a file ends with exactly one line break".to_owned());
    }
    found
}

fn contains(line: &str, head: &str, tail: &str) -> bool {
    line.match_indices(head).any(|(at, _)| line[at + head.len()..].starts_with(tail))
}

#[cfg(test)]
mod tests;
