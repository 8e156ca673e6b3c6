//! A network in memory behind the facade: any number of stacks, no link, no loss, no clock but what polls tell.
//!
//! A [`MemoryNet`] has `SOCKETS` sockets for all its stacks together, with a queue of `QUEUE` bytes each, and holds no
//! other memory; a socket is a UDP port, a listening port, or one end of a connection. As on a real stack nothing
//! arrives before the receiving stack is polled; then it does at once, so that every run is the same.
//!
//! ```
//! use nexus_net_adapter::backend::memory_net::MemoryNet;
//! use nexus_net_adapter::net::{NetSocketAddrV4, NetStack, UdpSocket};
//!
//! let net = MemoryNet::<8, 4096>::new();
//! let (mut left, mut right) = (net.stack([192, 0, 2, 1]), net.stack([192, 0, 2, 2]));
//! let mut asks = left.udp_bind(NetSocketAddrV4::new([0; 4], 0))?;
//! let mut answers = right.udp_bind(NetSocketAddrV4::new([0; 4], 7))?;
//! asks.send_to(b"echo", NetSocketAddrV4::new([192, 0, 2, 2], 7))?;
//! right.poll(1);
//! assert_eq!(answers.recv_from(&mut [0; 64])?.0, 4);
//! # Ok::<(), nexus_net_adapter::net::NetError>(())
//! ```

mod core;
mod sockets;
mod stack;

use ::core::cell::RefCell;

use self::core::Core;
use crate::net::NetIpAddrV4;

pub use sockets::{MemoryListener, MemoryTcp, MemoryUdp};
pub use stack::MemoryStack;

/// The network and all its sockets.
#[derive(Debug)]
pub struct MemoryNet<const SOCKETS: usize, const QUEUE: usize> {
    core: RefCell<Core<SOCKETS, QUEUE>>,
}

impl<const SOCKETS: usize, const QUEUE: usize> MemoryNet<SOCKETS, QUEUE> {
    /// A network without sockets.
    #[must_use]
    pub const fn new() -> Self {
        Self { core: RefCell::new(Core::new()) }
    }

    /// The stack at `ip`; asked twice for the same, both are the same one.
    #[must_use]
    pub const fn stack(&self, ip: [u8; 4]) -> MemoryStack<'_, SOCKETS, QUEUE> {
        MemoryStack::new(self, NetIpAddrV4(ip))
    }

    /// Datagrams that found nobody, or no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.core.borrow().dropped
    }
}

impl<const SOCKETS: usize, const QUEUE: usize> Default for MemoryNet<SOCKETS, QUEUE> {
    fn default() -> Self {
        Self::new()
    }
}
