//! Just enough of Rust's lexical rules to look at code without its comments and literals, and to find where
//! functions begin and end.

/// `text` with every comment, string and character literal replaced by spaces; line breaks stay, so that
/// line and column of what is left are those of `text`.
#[must_use]
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the comment or literal that begins at `at`, or `at` where none begins.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment_len(rest);
    }
    let in_word = at > 0 && is_word(bytes[at - 1]);
    match rest[0] {
        b'"' => at + quoted_len(rest),
        b'r' if !in_word || matches!(bytes[at - 1], b'b' | b'c') => at + raw_string_len(rest),
        b'\'' => at + char_len(rest),
        _ => at,
    }
}

/// Block comments nest.
fn block_comment_len(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#` and so on; 0 for a word that only begins with `r`, raw identifiers included.
fn raw_string_len(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let body = 2 + hashes;
    rest[body..]
        .windows(close.len())
        .position(|part| part == close)
        .map_or(rest.len(), |at| body + at + close.len())
}

/// A character literal, or 0 for a lifetime.
fn char_len(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return rest[2..].iter().skip(1).position(|&byte| byte == b'\'').map_or(rest.len(), |at| at + 4);
    }
    let width = rest.get(1).map_or(0, |first| match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    });
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Byte offsets in `blanked` where `word` stands alone.
#[must_use]
pub fn words(blanked: &str, word: &str) -> Vec<usize> {
    let bytes = blanked.as_bytes();
    let starts = |at: usize| at == 0 || !is_word(bytes[at - 1]);
    let ends = |at: usize| bytes.get(at + word.len()).is_none_or(|&byte| !is_word(byte));
    blanked.match_indices(word).map(|(at, _)| at).filter(|&at| starts(at) && ends(at)).collect()
}

/// The line number, from 1, of byte offset `at`.
#[must_use]
pub fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

/// Every function with a body in `blanked` (what [`blank`] returned), nested ones too.
#[must_use]
pub fn functions(blanked: &str) -> Vec<Function> {
    words(blanked, "fn").into_iter().filter_map(|at| function_at(blanked, at)).collect()
}

fn function_at(blanked: &str, at: usize) -> Option<Function> {
    let rest = blanked.get(at + 2..)?.trim_start();
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect();
    // A function pointer type has no name, a declaration in a trait ends before any brace.
    if name.is_empty() {
        return None;
    }
    let open = body_start(blanked, at)?;
    let close = matching_brace(blanked, open)?;
    let line = line_of(blanked, at);
    Some(Function { name, line, lines: line_of(blanked, close) + 1 - line })
}

/// The brace that opens the body; `;` inside `[u8; 4]` is part of a type.
fn body_start(blanked: &str, at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (offset, byte) in blanked.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(offset),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The closing brace of the one at `open`.
#[must_use]
pub fn matching_brace(blanked: &str, open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (offset, byte) in blanked.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(offset);
        }
    }
    None
}

#[cfg(test)]
mod tests;
