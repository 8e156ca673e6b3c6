//! Each rule for text fails where it should.

use super::{BANNED, check};
use crate::repo::File;

fn rules(path: &str, text: &str) -> Vec<&'static str> {
    let file = File { path: path.to_owned(), text: text.to_owned() };
    check(&file).into_iter().map(|found| found.rule).collect()
}

#[test]
fn finds_every_banned_word() {
    for (head, tail, _) in BANNED {
        assert!(rules("a.md", &format!("see {head}{tail} there\n")).contains(&"banned"), "{head}{tail}");
    }
    assert!(rules("a.md", "the home of to-do lists\n").is_empty());
}

#[test]
fn wants_clean_lines() {
    assert_eq!(rules("a.md", "a \n"), ["whitespace"]);
    assert_eq!(rules("a.md", "a\tb\n"), ["whitespace"]);
    assert_eq!(rules("a.md", "a"), ["whitespace"]);
    assert_eq!(rules("a.md", "a\n\n"), ["whitespace"]);
    assert!(rules("a.md", "a\n\nb\n").is_empty());
}

#[test]
fn bounds_lines_of_scripts_but_not_of_prose() {
    let long = format!("{}\n", "x".repeat(121));
    assert_eq!(rules("a.sh", &long), ["line-length"]);
    assert!(rules("a.md", &long).is_empty());
}
