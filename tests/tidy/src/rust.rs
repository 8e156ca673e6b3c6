//! Rules for Rust files.

use crate::Violation;
use crate::repo::{File, is_library, is_test};
use crate::source::{blank, functions, line_of, matching_brace, words};

/// Longest file that is not a test, in lines.
pub const FILE_LINES_MAX: usize = 500;
/// Longest function that is not a test, in lines.
pub const FUNCTION_LINES_MAX: usize = 70;

/// What every library's `lib.rs` must declare.
const CRATE_ATTRIBUTES: [&str; 6] = [
    "#![no_std]",
    "#![forbid(unsafe_code)]",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
    "clippy::indexing_slicing",
];

/// Every violation in one file.
#[must_use]
pub fn check(file: &File) -> Vec<Violation> {
    let blanked = blank(&file.text);
    let mut found = Vec::new();
    header(file, &mut found);
    reasons(file, &blanked, &mut found);
    let_chains(file, &blanked, &mut found);
    if !is_test(&file.path) {
        sizes(file, &blanked, &mut found);
        inline_tests(file, &blanked, &mut found);
    }
    if is_library(&file.path) {
        let shipped = without_test_items(&without_constant_asserts(&blanked));
        panics(file, &shipped, &mut found);
        floats(file, &shipped, &mut found);
        crate_attributes(file, &mut found);
    }
    found
}

fn report(
    found: &mut Vec<Violation>,
    file: &File,
    line: usize,
    rule: &'static str,
    detail: impl Into<String>,
) {
    found.push(Violation { path: file.path.clone(), line, rule, detail: detail.into() });
}

/// A file says what it is for before anything else.
fn header(file: &File, found: &mut Vec<Violation>) {
    if !file.text.starts_with("//! ") {
        report(found, file, 1, "header", "the first line is not a `//!` header");
    }
}

/// A lint that is silenced says why.
fn reasons(file: &File, blanked: &str, found: &mut Vec<Violation>) {
    for attribute in ["[allow(", "[expect("] {
        for (at, _) in blanked.match_indices(attribute) {
            let end = blanked[at..].find(")]").map_or(blanked.len(), |len| at + len);
            if words(&blanked[at..end], "reason").is_empty() {
                report(
                    found,
                    file,
                    line_of(blanked, at),
                    "reason",
                    "a lint is silenced without `reason = \"…\"`",
                );
            }
        }
    }
}

/// `if let … && …` needs Rust 1.88, newer than the `rust-version` we declare, and no lint looks at syntax.
fn let_chains(file: &File, blanked: &str, found: &mut Vec<Violation>) {
    for at in words(blanked, "let") {
        let before = blanked[..at].trim_end();
        let condition = ["if", "while"].iter().any(|word| trailing_word(before) == *word);
        if before.ends_with("&&") || condition && top_level_and(&blanked[at..]) {
            report(found, file, line_of(blanked, at), "let-chain", "let chains need Rust 1.88");
        }
    }
}

/// Whether `&&` stands between the `=` of a condition and the block that follows, outside all brackets.
fn top_level_and(condition: &str) -> bool {
    let value = condition.find(" = ").map_or(condition.len(), |at| at + 3);
    let bytes = &condition.as_bytes()[value..];
    let mut depth = 0_i32;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if depth == 0 => return false,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'&' if depth == 0 && bytes.get(at + 1) == Some(&b'&') => return true,
            _ => {}
        }
    }
    false
}

fn sizes(file: &File, blanked: &str, found: &mut Vec<Violation>) {
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        report(found, file, 1, "file-length", format!("{lines} lines, at most {FILE_LINES_MAX}"));
    }
    for function in functions(blanked).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
        let detail =
            format!("`{}` has {} lines, at most {FUNCTION_LINES_MAX}", function.name, function.lines);
        report(found, file, function.line, "function-length", detail);
    }
}

/// Tests stand beside the code, in a file of their own.
fn inline_tests(file: &File, blanked: &str, found: &mut Vec<Violation>) {
    for (at, attribute) in blanked.match_indices("#[cfg(test)]") {
        let item = blanked[at + attribute.len()..].trim_start();
        let head: String = item.chars().take_while(|c| !matches!(c, ';' | '{')).collect();
        if head.starts_with("mod ") && item[head.len()..].starts_with('{') {
            report(
                found,
                file,
                line_of(blanked, at),
                "inline-tests",
                "tests belong in `tests.rs` beside this file",
            );
        }
    }
}

/// Items under `#[cfg(test)]` are not shipped.
fn without_test_items(blanked: &str) -> String {
    let mut out = blanked.to_owned();
    for (at, attribute) in blanked.match_indices("#[cfg(test)]") {
        let body = at + attribute.len();
        let stop = blanked[body..].find([';', '{']).map_or(blanked.len(), |len| body + len);
        let end = matching_brace(blanked, stop).filter(|_| blanked[stop..].starts_with('{')).unwrap_or(stop);
        out = erase(&out, at, end);
    }
    out
}

/// `const _: () = …;` is evaluated by the compiler: an assertion there cannot fail at run time.
fn without_constant_asserts(blanked: &str) -> String {
    let mut out = blanked.to_owned();
    for (at, _) in blanked.match_indices("const _: () =") {
        let mut depth = 0_i32;
        let end = blanked[at..].char_indices().find(|&(_, c)| {
            depth += i32::from(matches!(c, '{' | '(' | '[')) - i32::from(matches!(c, '}' | ')' | ']'));
            c == ';' && depth == 0
        });
        out = erase(&out, at, end.map_or(blanked.len(), |(len, _)| at + len));
    }
    out
}

fn erase(text: &str, start: usize, end: usize) -> String {
    let spaces: String = text[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    format!("{}{}{}", &text[..start], spaces, &text[end..])
}

/// What a stranger sends must never stop us: nothing in a library can panic. Clippy looks at indexing.
fn panics(file: &File, shipped: &str, found: &mut Vec<Violation>) {
    for method in ["unwrap", "expect", "unwrap_err", "expect_err"] {
        for at in words(shipped, method) {
            if shipped[..at].trim_end().ends_with('.') && shipped[at + method.len()..].starts_with('(') {
                report(found, file, line_of(shipped, at), "panic", format!("`.{method}()` can panic"));
            }
        }
    }
    for name in ["panic", "unreachable", "todo", "unimplemented", "assert", "assert_eq", "assert_ne"] {
        for at in words(shipped, name) {
            if shipped[at + name.len()..].starts_with('!') {
                report(found, file, line_of(shipped, at), "panic", format!("`{name}!` can panic"));
            }
        }
    }
}

/// Integers only: the same result on every machine, and no floating point unit needed.
fn floats(file: &File, shipped: &str, found: &mut Vec<Violation>) {
    for name in ["f32", "f64"] {
        for at in words(shipped, name) {
            report(found, file, line_of(shipped, at), "float", format!("`{name}` in a library"));
        }
    }
    for (at, _) in shipped.match_indices('.') {
        let number = trailing_word(&shipped[..at]);
        // `x.0.1` and `x_1.0` are fields: a literal begins with a digit, and no dot stands before it.
        let literal = number.starts_with(|c: char| c.is_ascii_digit())
            && !shipped[..at - number.len()].ends_with('.')
            && shipped[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        if literal {
            report(found, file, line_of(shipped, at), "float", "a floating-point literal in a library");
        }
    }
}

fn trailing_word(text: &str) -> &str {
    let head = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    &text[head.len()..]
}

fn crate_attributes(file: &File, found: &mut Vec<Violation>) {
    if file.path.ends_with("/src/lib.rs") {
        for attribute in CRATE_ATTRIBUTES.iter().filter(|attribute| !file.text.contains(**attribute)) {
            report(found, file, 1, "crate-attribute", format!("`{attribute}` is missing"));
        }
    }
}

/// Files that no module declares: they look like code and are never compiled.
#[must_use]
pub fn orphans(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.contains("/src/") && !file.path.contains("/src/bin/")) {
        let Some((folder, name)) = file.path.rsplit_once('/') else { continue };
        let (folder, module) = match name {
            "lib.rs" | "main.rs" => continue,
            "mod.rs" => folder.rsplit_once('/').unwrap_or(("", folder)),
            _ => (folder, name.trim_end_matches(".rs")),
        };
        let parents = [
            format!("{folder}.rs"),
            format!("{folder}/mod.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
        ];
        let declared = |parent: &File| {
            let blanked = blank(&parent.text);
            words(&blanked, "mod").iter().any(|&at| {
                let name = blanked[at + 3..].trim_start();
                name.strip_prefix(module).is_some_and(|rest| rest.trim_start().starts_with([';', '{']))
            })
        };
        if !files.iter().any(|parent| parents.contains(&parent.path) && declared(parent)) {
            report(&mut found, file, 1, "orphan", "no module declares this file");
        }
    }
    found
}

#[cfg(test)]
mod tests;
