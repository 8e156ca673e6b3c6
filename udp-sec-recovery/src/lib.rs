//! One reliable byte stream per udp-sec session: acknowledgements, loss recovery, congestion control, flow control.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod connection;
pub mod endpoint;
pub mod event;
pub mod frame;
pub mod limits;
pub mod memory;
pub mod recv;
pub mod ring;
pub mod send;
pub mod span;
pub mod stats;

#[cfg(test)]
extern crate std;
