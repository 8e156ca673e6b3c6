//! Names that documents give: found where they are nobody's, left alone where they are somebody's.

use super::{Names, missing_names};
use crate::repo::File;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn missing(document: &str) -> Vec<(usize, String)> {
    let sources = [
        file("udp-sec/src/a.rs", "struct A { a_field: u8 }\nfn a_test() {}\n"),
        file("tests/harness/tests/a_file.rs", ""),
        file("tests/harness/tests/a_folder/main.rs", ""),
    ];
    let found = missing_names(&file("docs/a.md", document), &Names::of(&sources));
    found.into_iter().map(|violation| (violation.line, violation.detail)).collect()
}

#[test]
fn a_table_of_tests_names_functions_and_files() {
    let table = "| attack | test |\n| --- | --- |\n| `a_field` | `a_test`, `a_file`, `a_folder` |\n";
    assert_eq!(missing(table), []);
    let table = "| attack | tests |\n| --- | --- |\n| x | `a_field`, `gone_test`, `file` |\n";
    let expected =
        ["`a_field` is not a test", "`gone_test` is not a test"].map(|detail| (3, detail.to_owned()));
    assert_eq!(missing(table), expected);
}

#[test]
fn elsewhere_any_word_of_the_code_is_a_name() {
    assert_eq!(missing("`a_field`, `a_test`, `plain`, `--an_option`, `A_CONSTANT`, `a_call()`\n"), []);
    assert_eq!(missing("text\n`gone_field`\n"), [(2, "`gone_field` is not in the code".to_owned())]);
    assert_eq!(
        missing("| a | b |\n| --- | --- |\n| `gone_field` | |\n").len(),
        1,
        "in a table without tests, too"
    );
}

#[test]
fn a_table_ends_with_its_last_row() {
    let tables =
        "| a | test |\n| --- | --- |\n| | `a_test` |\n\n| a | field |\n| --- | --- |\n| | `a_field` |\n";
    assert_eq!(missing(tables), []);
}
