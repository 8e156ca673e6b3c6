//! Which part of a crate's source a build compiles: without comments, literals, tests, and features that are off.

use std::collections::BTreeSet;

use tidy::source::{blank, matching_brace, words};

use crate::cfg;

/// Words with which an item begins; anything else behind an attribute is a field, a variant, an arm or a statement.
const ITEMS: [&str; 14] = [
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "static",
    "struct",
    "trait",
    "type",
    "unsafe",
    "use",
];

/// A file that is no part of the build, as the file that declares it names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// `mod name;`: to be found by its name.
    Module(String),
    /// `#[path = "…"] mod name;`: relative to the folder of the declaring file.
    Path(String),
}

/// The shipped part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// The text with everything else replaced by spaces: lines and columns are those of the file.
    pub text: String,
    /// The modules in files of their own that the file declares, and the build leaves out.
    pub absent: Vec<Absent>,
}

/// What of `text` is compiled with `features`.
#[must_use]
pub fn shipped(text: &str, features: &BTreeSet<String>) -> Shipped {
    let blanked = blank(text);
    let mut bytes = blanked.clone().into_bytes();
    let mut absent = Vec::new();
    for (start, end) in parts_left_out(text, &blanked, features) {
        absent.extend(declared_file(&text[start..end], &blanked[start..end]));
        for byte in bytes[start..end].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
    Shipped { text: String::from_utf8_lossy(&bytes).into_owned(), absent }
}

/// Beginning and end of everything under a `cfg` that does not hold.
fn parts_left_out(text: &str, blanked: &str, features: &BTreeSet<String>) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    for opening in ["#[cfg(", "#![cfg("] {
        for (at, _) in blanked.match_indices(opening) {
            let start = at + opening.len();
            let Some(close) = closing(blanked, start - 1) else { continue };
            if cfg::holds(&text[start..close], features) == Some(false) {
                let whole_file = opening.starts_with("#!");
                parts.push((at, if whole_file { blanked.len() } else { item_end(blanked, close + 2) }));
            }
        }
    }
    parts
}

/// The end of what an attribute stands before, given the end of the attribute.
fn item_end(blanked: &str, attribute_end: usize) -> usize {
    let mut at = attribute_end;
    loop {
        at += blanked[at..].len() - blanked[at..].trim_start().len();
        // Further attributes belong to the same item.
        if !blanked[at..].starts_with("#[") {
            break;
        }
        let Some(close) = closing(blanked, at + 1) else { return blanked.len() };
        at = close + 1;
    }
    let is_item = starts_an_item(&blanked[at..]);
    let mut depth = 0_i32;
    for (offset, byte) in blanked.bytes().enumerate().skip(at) {
        match byte {
            b'{' if depth == 0 => {
                return matching_brace(blanked, offset).map_or(blanked.len(), |end| body_end(blanked, end));
            }
            b'(' | b'[' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return offset,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return offset + 1,
            // Commas of generics stand at depth 0, too; but only items have those.
            b',' if depth == 0 && !is_item => return offset + 1,
            _ => {}
        }
    }
    blanked.len()
}

/// The end behind a closing brace: `use a::{b};` and `static A: B = B {};` go on to their semicolon.
fn body_end(blanked: &str, brace: usize) -> usize {
    let end = brace + 1;
    if blanked[end..].starts_with(';') { end + 1 } else { end }
}

fn starts_an_item(text: &str) -> bool {
    let mut rest = text;
    if words(rest, "pub").first() == Some(&0) {
        rest = rest["pub".len()..].trim_start();
        if rest.starts_with('(') {
            rest = closing(rest, 0).map_or("", |close| rest[close + 1..].trim_start());
        }
    }
    ITEMS.iter().any(|word| words(rest, word).first() == Some(&0))
}

/// The bracket that closes the one at `open`.
fn closing(blanked: &str, open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (offset, byte) in blanked.bytes().enumerate().skip(open) {
        depth += i32::from(matches!(byte, b'(' | b'[')) - i32::from(matches!(byte, b')' | b']'));
        if depth == 0 {
            return Some(offset);
        }
    }
    None
}

/// The file that a part declares, if it is `mod name;` behind its attributes.
fn declared_file(text: &str, blanked: &str) -> Option<Absent> {
    let at = words(blanked, "mod").into_iter().next()?;
    let (name, rest) = blanked[at + "mod".len()..].split_once(';')?;
    let name = name.trim();
    if !rest.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let path =
        words(&blanked[..at], "path").into_iter().next().and_then(|path| text[path..at].split('"').nth(1));
    Some(path.map_or_else(|| Absent::Module(name.to_owned()), |path| Absent::Path(path.to_owned())))
}

#[cfg(test)]
mod tests;
