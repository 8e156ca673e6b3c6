//! Can a QUIC stack be built, and driven, where there is no `std`? The answer, with its evidence, as tests.
//!
//! Each folder in `candidates/` asks one question of one release, and holds the answer found:
//!
//! | file | what it is |
//! | --- | --- |
//! | `dependencies.toml` | the release, and the features it is asked with |
//! | `probe.rs` | a `no_std` library that uses it: the question is whether that compiles |
//! | `verdict.txt` | the answer: it builds, or which crates stop it and each one's first error |
//! | `Cargo.lock` | all versions of that build; our own crates take the workspace's |
//! | `calls.txt` | where that build reads a clock or draws random bytes by itself (optional) |
//! | `signatures.rs` | by which types time and randomness reach it: compiles on the host (optional) |
//!
//! ```text
//! candidate ──> cargo ──> messages ─────────> verdict ──┐
//! (a folder)      └─────> cfg, shipped ─────> calls ────┴─> report    compared, tabulated, written as JSON
//! ```
//!
//! `tests/records.rs` looks at the records alone and runs with all other tests. `tests/stacks.rs` downloads and
//! builds; it runs by `scripts/feasibility.sh` only. What it all means is in `docs/feasibility.md`.

pub mod calls;
pub mod candidate;
pub mod cargo;
pub mod cfg;
pub mod messages;
pub mod report;
pub mod shipped;
pub mod verdict;
