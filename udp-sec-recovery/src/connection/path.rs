//! The two addresses that datagrams of a session travel between.

use core::net::{IpAddr, SocketAddr};

/// Where a datagram came from or goes to, and the local address it reached or leaves from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Path {
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// Our own address, where the socket can tell: replies leave from the address that the datagram reached.
    pub local: Option<IpAddr>,
}

impl Path {
    /// A path to `remote` from whichever local address the system chooses.
    #[must_use]
    pub const fn to(remote: SocketAddr) -> Self {
        Self { remote, local: None }
    }
}
