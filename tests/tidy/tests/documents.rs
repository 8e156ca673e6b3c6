//! The rules for documents, applied to this repository.

use tidy::{assert_none, docs, names, repo};

/// The documents that say which test shows what.
const NAMING: [&str; 5] =
    ["docs/conformance.md", "docs/promises.md", "docs/security.md", "docs/recovery.md", "docs/testing.md"];

fn exists(path: &str) -> bool {
    repo::root().join(path).exists()
}

#[test]
fn links_lead_somewhere() {
    assert_none(docs::broken_links(&repo::files(&["md"]), exists));
}

#[test]
fn every_document_is_reachable() {
    assert_none(docs::unreachable_documents(&repo::files(&["md"])));
}

#[test]
fn named_paths_exist() {
    assert_none(
        repo::files(&["md"]).iter().flat_map(|document| docs::missing_paths(document, exists)).collect(),
    );
}

#[test]
fn named_tests_exist() {
    let sources = repo::files(&["rs"]);
    let names = names::Names::of(&sources);
    let documents = repo::files(&["md"]);
    let checked = NAMING.map(|path| documents.iter().find(|document| document.path == path).expect(path));
    assert_none(checked.iter().flat_map(|document| names::missing_names(document, &names)).collect());
}

#[test]
fn cited_protocol_sections_exist() {
    let protocol = std::fs::read_to_string(repo::root().join("docs/protocol.md")).expect("docs/protocol.md");
    let own = |path: &str| path.starts_with("tests/tidy/");
    let sources = repo::files(&["rs"]).into_iter().filter(|file| !own(&file.path));
    assert_none(sources.flat_map(|source| docs::missing_sections(&source, &protocol)).collect());
}
