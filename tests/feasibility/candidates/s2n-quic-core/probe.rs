//! Are s2n-quic's building blocks to be had without `std`?
#![no_std]

pub use s2n_quic_core::{frame, packet, recovery};
