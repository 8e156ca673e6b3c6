//! Control: Noise builds, so the way of asking is not what fails.
#![no_std]

pub use snow::HandshakeState;
