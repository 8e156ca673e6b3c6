//! Two endpoints in virtual time over an emulated link: the laboratory in which udp-sec is proven.
//!
//! A [`Scenario`] says what happens, [`run`] plays it and returns a [`Report`]. Nothing else goes in: the same
//! scenario gives the same report, to the last byte of every datagram (`trace`), on every machine. Each step checks
//! the invariants in [`invariants`]; a violation panics with the scenario, whose seed replays it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod application;
pub mod attacker;
pub mod chaos;
pub mod grid;
pub mod guest;
pub mod healing;
pub mod invariants;
pub mod network;
pub mod node;
pub mod pattern;
pub mod pool;
pub mod report;
pub mod scenario;
pub mod side;
pub mod trace;
pub mod world;

pub use report::{Outcome, Report};
pub use scenario::{Profile, Scenario};
pub use world::run;
