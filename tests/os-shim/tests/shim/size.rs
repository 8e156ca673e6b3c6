//! How much an integrator has to write: the page says so, and this test says whether that is true.

use std::fs;
use std::path::Path;

use nexus_net_adapter::mux::records::Records;
use nexus_net_adapter::mux::{Engine, Pump};
use udp_sec::handshake::identity::AllowList;
use udp_sec_recovery::endpoint::{Endpoint, StaticPool, Tables};
use udp_sec_recovery::memory::Small;

/// Lines that are neither blank nor comment.
fn code_lines(path: &Path) -> usize {
    let text = fs::read_to_string(path).expect("a source file");
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn the_shim_is_as_small_as_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
    let page = fs::read_to_string(root.join("docs/integrating.md")).expect("the page");
    let mut total = 0;
    for file in ["mux", "net", "stack", "record"] {
        let path = format!("tests/os-shim/src/shim/{file}.rs");
        let lines = code_lines(&root.join(&path));
        let row = page.lines().find(|line| line.starts_with('|') && line.contains(&path)).expect(&path);
        let said: usize =
            row.split('|').filter_map(|cell| cell.trim().parse().ok()).next().expect("a number");
        assert!(lines <= said && lines + 20 >= said, "{path}: {lines} lines of code, the page says {said}");
        total += lines;
    }
    assert!(total <= 600, "{total} lines in all");
}

/// What a device sets aside for one session with eight streams of 64 KiB, as the page says.
#[test]
fn the_memory_of_a_device_is_what_the_page_says() {
    type Device = Endpoint<&'static mut StaticPool<Small, 1>, AllowList<4>, 1, 4>;
    type Streams = Engine<&'static mut [u8], 8, 65_536, 49_152>;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
    let page = fs::read_to_string(root.join("docs/integrating.md")).expect("the page");
    let rows = [
        ("the memory of a `Small` session", size_of::<Small>()),
        ("an endpoint with a place for one session", size_of::<Device>() + size_of::<StaticPool<Small, 1>>()),
        ("the tables of an endpoint", size_of::<Tables<1, 4>>()),
        ("a mux engine for 8 streams", size_of::<Streams>()),
        ("a mux pump", size_of::<Pump<(), 4096>>()),
        ("records on 8 channels", size_of::<Records<8>>()),
    ];
    println!("{rows:#?}");
    // With `ring`, as hosts have it and all packages of the workspace may when tested together, sessions are larger.
    let with_ring = size_of::<udp_sec::session::Session>() > 1000;
    let has_keys = |what: &str| ["an endpoint", "the tables"].iter().any(|part| what.starts_with(part));
    for (what, bytes) in rows.into_iter().filter(|(what, _)| !(with_ring && has_keys(what))) {
        let row = page.lines().find(|line| line.starts_with(&format!("| {what}"))).expect(what);
        let said: usize =
            row.split('|').filter_map(|cell| cell.trim().replace(' ', "").parse().ok()).next().expect(row);
        assert!(bytes <= said && bytes * 5 / 4 + 16 >= said, "{what}: {bytes} bytes, the page says {said}");
    }
}
