//! The tool as its users run it: real processes, real sockets on the loopback interface, real files.
//!
//! | module | what is tested |
//! | --- | --- |
//! | `cli` | keys, files, pipes, simulations, and errors that say what to do |
//! | `transport` | which transport carries a session |
//! | `blocked` | the same where UDP does not get through |
//! | `paths` | the same on paths that are narrow, or whose router lies |
//! | `forward` | forwarded ports, used by programs that know nothing of it |
//! | `pre_shared` | keys that both sides have beforehand |
//! | `lost` | what becomes of forwarded ports when a side dies |
//! | `memory` | which keys are in memory when a session has ended |
//! | `stranger` | the tool against an implementation of the protocol in Python, `tests/stranger` |
//!
//! `process`, `network`, `wires` and `web` are what they share.

mod blocked;
mod cli;
mod forward;
mod lost;
mod memory;
mod network;
mod paths;
mod pre_shared;
mod process;
mod stranger;
mod transport;
mod web;
mod wires;
