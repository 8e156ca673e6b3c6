//! And s2n-quic's building blocks with a heap?
#![no_std]

pub use s2n_quic_core::buffer;
