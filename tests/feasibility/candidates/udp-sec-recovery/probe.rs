//! Control: our loss recovery builds.
#![no_std]

pub use udp_sec_recovery::endpoint::Endpoint;
