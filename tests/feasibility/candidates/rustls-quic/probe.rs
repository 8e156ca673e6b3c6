//! Is TLS 1.3 as QUIC's handshake to be had without `std`?
#![no_std]

pub use rustls::quic::{ClientConnection, ServerConnection};
