//! What the streams stand on: the only places that touch a socket, a clock or the system's entropy.

#[cfg(feature = "std")]
pub mod host;
#[cfg(feature = "udp")]
pub mod memory;
#[cfg(feature = "net")]
pub mod memory_net;
#[cfg(feature = "tcp")]
pub mod pipe;
#[cfg(feature = "smoltcp")]
pub mod smoltcp;
#[cfg(all(feature = "tokio", feature = "tcp"))]
pub mod tokio;
