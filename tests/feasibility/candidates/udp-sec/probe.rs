//! Control: our packet layer builds.
#![no_std]

pub use udp_sec::keys::StaticKeypair;
