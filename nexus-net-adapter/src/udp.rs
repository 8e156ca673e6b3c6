//! udp-sec over any datagram socket, without an operating system.
//!
//! ```text
//! Datagrams (a socket) <── Driver ──> Endpoint (sessions)
//!                            ^
//!            UdpSecEndpoint ─┘  one thread, waits through a Clock  ──> UdpSecStream: ReliableStream
//!            backend::host ──┘  many threads, waits in the system  ──> HostStream:   ReliableStream
//! ```

mod datagrams;
mod driver;
mod local;

pub use datagrams::{Datagrams, Received, SendError, SocketCounts};
pub use driver::{Driver, Next};
pub use local::{Clock, UdpSecEndpoint, UdpSecStream};

#[cfg(test)]
mod tests;
