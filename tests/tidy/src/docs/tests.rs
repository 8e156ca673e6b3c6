//! Links, paths and sections: found where they are broken, left alone where they are not.

use super::{anchor, broken_links, links, missing_paths, missing_sections, resolve, unreachable_documents};
use crate::repo::File;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn reads_links_outside_code() {
    let found = links("[a](one.md)\n```\n[b](two.md)\n```\n`[c](three.md)` and [d](four.md#x)\n");
    let seen: Vec<_> = found.iter().map(|link| (link.line, link.target.as_str())).collect();
    assert_eq!(seen, [(1, "one.md"), (5, "four.md#x")]);
}

#[test]
fn resolves_relative_to_the_document() {
    assert_eq!(resolve("docs/a/b.md", "../c.md#d").as_deref(), Some("docs/c.md"));
    assert_eq!(resolve("README.md", "./docs/").as_deref(), Some("docs"));
    assert_eq!(resolve("README.md", "#state").as_deref(), Some("README.md"));
    assert_eq!(resolve("README.md", "https://example.org"), None);
}

#[test]
fn makes_anchors_like_a_renderer() {
    assert_eq!(anchor("3. Two `commands`, & more"), "3-two-commands--more");
}

#[test]
fn finds_broken_links_and_headings() {
    let documents = [
        file("README.md", "# Top\n[a](docs/a.md#here) [b](docs/a.md#gone) [c](lost.md)\n"),
        file("docs/a.md", "## Here\n"),
    ];
    let exists = |path: &str| documents.iter().any(|document| document.path == path);
    let found: Vec<_> = broken_links(&documents, exists).into_iter().map(|found| found.detail).collect();
    assert_eq!(found, ["`docs/a.md#gone` leads nowhere", "`lost.md` leads nowhere"]);
}

#[test]
fn finds_documents_that_nothing_links() {
    let documents = [
        file("docs/README.md", "[a](a.md)\n"),
        file("docs/a.md", "[b](sub/b.md)\n"),
        file("docs/sub/b.md", "text\n"),
        file("docs/lost.md", "[a](a.md)\n"),
        file("elsewhere.md", "text\n"),
    ];
    let lost: Vec<_> = unreachable_documents(&documents).into_iter().map(|found| found.path).collect();
    assert_eq!(lost, ["docs/lost.md"]);
}

#[test]
fn finds_named_paths_that_do_not_exist() {
    let text =
        "`udp-sec/src/lib.rs` `tests/gone/` `./scripts/gone.sh` `tests/*.rs` `docs/NNN file` `other/x.rs`\n";
    let found: Vec<_> = missing_paths(&file("a.md", text), |path| path == "udp-sec/src/lib.rs")
        .into_iter()
        .map(|f| f.detail)
        .collect();
    assert_eq!(found, ["`tests/gone/` does not exist", "`./scripts/gone.sh` does not exist"]);
}

#[test]
fn finds_citations_of_sections_that_do_not_exist() {
    let source = file(
        "a.rs",
        "//! `docs/protocol.md` section 2.\n//! `docs/protocol.md` sections 4 and 7.\n// `docs/protocol.md` section 9\n",
    );
    let found = missing_sections(&source, "# Title\n## 2. Datagrams\n## 4. Frames\n");
    assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [3]);
}
