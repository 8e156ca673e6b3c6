//! The committed corpora: every input keeps every property, and together they still get everywhere they should.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

/// All corpora together are no larger, in bytes.
const CORPORA_MAX: usize = 300_000;

/// What becomes of inputs of each target, at the least. A change after which the corpus gets nowhere fails here.
const REACHED: &[(&str, &[&str])] = &[
    ("datagram", &["initiation", "response", "cookie reply", "data", "malformed"]),
    (
        "frames",
        &["padding", "ack", "stream", "max data", "data blocked", "path challenge", "close", "malformed"],
    ),
    ("parameters", &["accepted", "malformed"]),
    ("initiator", &["established", "refused", "udpsec.reject.handshake_failed"]),
    ("responder", &["accepted", "udpsec.reject.bad_mac1", "udpsec.reject.malformed_parameters"]),
    (
        "stranger",
        &["udpsec.reject.decrypt_failed", "udpsec.reject.bad_mac1", "udpsec.reject.peer_not_authorized"],
    ),
    ("peer", &["complete", "timed out", "malformed frame", "acknowledgement of an unsent packet"]),
    ("session", &["complete", "given up", "timed out"]),
    (
        "recovery",
        &["spans: full", "numbers: forgotten", "reassembly: finished", "send buffer", "congestion: reduced"],
    ),
    ("mux", &["closed", "reset"]),
    ("mux_peer", &["running", "mux.reject.unknown_stream_frame", "mux.reject.duplicate_stream_name"]),
    ("records", &["complete", "connection lost", "aborted", "final size changed", "no handshake"]),
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs of a target, in a fixed order.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("an input"))).collect()
}

/// Runs every input of `target`.
fn replay(target: &str) {
    let expected = REACHED.iter().find(|(name, _)| *name == target).expect("each has its line above").1;
    let mut reached = BTreeSet::new();
    for (path, input) in inputs(target) {
        let outcome = catch_unwind(AssertUnwindSafe(|| fuzz::run(target, &input))).unwrap_or_else(|broken| {
            eprintln!("to see it again: ./scripts/fuzz.sh --replay {target} {}", path.display());
            resume_unwind(broken)
        });
        reached.insert(outcome);
    }
    let missing: Vec<_> = expected.iter().filter(|outcome| !reached.contains(*outcome)).collect();
    assert!(missing.is_empty(), "no input of `{target}` reaches {missing:?}, only {reached:?}");
}

macro_rules! replays {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed_and_has_its_program() {
            let replayed = [$(stringify!($target)),*];
            let targets: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(targets, replayed);
            for target in targets {
                let program = format!("libfuzzer/fuzz_targets/{target}.rs");
                let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&program));
                let calls = format!("fuzz::run(\"{target}\", data)");
                assert!(text.is_ok_and(|text| text.contains(&calls)), "{program} does not run `{target}`");
            }
        }
    };
}

replays!(datagram frames parameters initiator responder stranger peer session recovery mux mux_peer records);

#[test]
fn seeds_keep_every_property() {
    for (name, target) in fuzz::TARGETS {
        let seeds = fuzz::seeds::of(name);
        assert!(!seeds.is_empty());
        seeds.iter().for_each(|seed| _ = target(seed));
    }
}

#[test]
fn corpora_are_small() {
    let sizes = fuzz::TARGETS.iter().flat_map(|(name, _)| inputs(name)).map(|(_, input)| input.len());
    let total: usize = sizes.sum();
    assert!(total <= CORPORA_MAX, "{total} bytes");
}

#[test]
#[should_panic(expected = "no target nothing")]
fn an_unknown_target_is_not_run() {
    fuzz::run("nothing", b"");
}
