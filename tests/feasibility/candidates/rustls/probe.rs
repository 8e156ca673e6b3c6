//! Is TLS 1.3 to be had without `std`?
#![no_std]

pub use rustls::ClientConfig;
pub use rustls::client::UnbufferedClientConnection;
