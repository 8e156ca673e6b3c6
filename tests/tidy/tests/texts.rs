//! The rules for all text files, applied to this repository.

use tidy::{assert_none, repo, text};

#[test]
fn texts_are_clean() {
    assert_none(
        repo::files(&["rs", "md", "toml", "sh", "py", "snap"]).iter().flat_map(text::check).collect(),
    );
}
