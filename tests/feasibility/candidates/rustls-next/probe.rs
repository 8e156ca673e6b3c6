//! Will TLS 1.3 be to be had without `std`?
#![no_std]

pub use rustls::ClientConfig;
