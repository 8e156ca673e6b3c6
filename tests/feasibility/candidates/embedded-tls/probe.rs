//! Control: a TLS client for streams, made for `no_std`, builds.
#![no_std]

pub use embedded_tls::TlsConnection;
