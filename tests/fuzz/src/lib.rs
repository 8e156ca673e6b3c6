//! The fuzz targets: each is a function of any bytes that panics where a property does not hold.
//!
//! The fuzzer calls them through the one-liners in `libfuzzer/`; `tests/corpus.rs` calls them with the committed
//! corpora, on any toolchain. Each returns what became of its input, so that the tests notice a corpus that no longer
//! gets anywhere. `docs/testing.md` has the table of what each asserts.
#![forbid(unsafe_code)]

mod initiator;
mod input;
mod keys;
mod log;
mod noise;
mod responder;

pub mod datagram;
pub mod frames;
pub mod mux;
pub mod mux_peer;
pub mod parameters;
pub mod peer;
pub mod records;
pub mod recovery;
pub mod seeds;
pub mod session;
pub mod stranger;

/// What became of an input, in a word.
pub type Outcome = &'static str;

/// A target: its name, which is also that of its corpus and of its program, and the function.
pub type Target = (&'static str, fn(&[u8]) -> Outcome);

/// Every target.
pub const TARGETS: &[Target] = &[
    ("datagram", datagram::run),
    ("frames", frames::run),
    ("parameters", parameters::run),
    ("initiator", initiator::run),
    ("responder", responder::run),
    ("stranger", stranger::run),
    ("peer", peer::run),
    ("session", session::run),
    ("recovery", recovery::run),
    ("mux", mux::run),
    ("mux_peer", mux_peer::run),
    ("records", records::run),
];

/// Runs the target called `name`.
///
/// # Panics
/// When a property does not hold, or there is no such target.
pub fn run(name: &str, data: &[u8]) -> Outcome {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("no target {name}")).1(data)
}
