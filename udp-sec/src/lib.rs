//! Authenticated packets: the Noise IK handshake and the datagrams it protects.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod error;
pub mod stats;
pub mod time;
