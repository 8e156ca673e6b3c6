//! What the streams stand on: the only places that touch a socket, a clock or the system's entropy.

#[cfg(feature = "std")]
pub mod host;
#[cfg(feature = "udp")]
pub mod memory;
#[cfg(feature = "tcp")]
pub mod pipe;
