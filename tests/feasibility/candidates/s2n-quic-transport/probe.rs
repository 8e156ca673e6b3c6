//! Are s2n-quic's connections to be had without `std`?
#![no_std]

pub use s2n_quic_transport::{connection, endpoint};
