//! Literals, comments, lifetimes and function bounds.

use super::{blank, functions, line_of, words};

#[test]
fn blanks_comments_and_literals_only() {
    let text =
        "let a = \"x // \\\" y\"; // gone\nlet b = 'c'; /* a /* b */ c */ let d: &'static str = r#\"}\"#;";
    let blanked = blank(text);
    assert_eq!(blanked.len(), text.len());
    assert_eq!(
        blanked.split_whitespace().collect::<Vec<_>>().join(" "),
        "let a = ; let b = ; let d: &'static str = ;"
    );
}

#[test]
fn blanks_escaped_quotes_and_keeps_raw_identifiers() {
    assert_eq!(blank("('\\'', b'\\\\', '\\u{7d}', 'ß')"), "(    , b    ,         ,     )");
    assert_eq!(blank("r#type + bar\"}\" + br\"{\""), "r#type + bar    + b    ");
    assert_eq!(blank("impl<'a> F<'a, '_> {}"), "impl<'a> F<'a, '_> {}");
}

#[test]
fn measures_functions() {
    let text = "trait T { fn declared(&self) -> [u8; 4]; }\nfn one() {}\nfn two(a: [u8; 2]) -> fn(u8) {\n  {\n  }\n}\n";
    let found = functions(&blank(text));
    let seen: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
    assert_eq!(seen, [("one", 2, 1), ("two", 3, 4)]);
}

#[test]
fn finds_whole_words_and_lines() {
    assert_eq!(words("f32 f321 xf32 (f32)", "f32"), [0, 15]);
    assert_eq!(line_of("a\nb\nc", 4), 3);
}
