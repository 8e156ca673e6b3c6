//! smoltcp behind the facade: TCP and UDP over IPv4, and IPv6 with the feature `smoltcp-ipv6`, for devices; no
//! allocation.
//!
//! The caller lends the memory and keeps the link: a [`Device`](smoltcp::phy::Device) for frames or packets, and an
//! [`Interface`](smoltcp::iface::Interface) with its addresses and routes. [`Sockets`] holds the sockets, made once
//! over the memory lent; opening and closing only changes which of them are in use. [`SmoltcpStack`] is the
//! [`NetStack`](crate::net::NetStack); what it opens shares the [`Sockets`] with it.
//!
//! ```
//! use nexus_net_adapter::backend::smoltcp::smoltcp::iface::{Config, Interface, SocketStorage};
//! use nexus_net_adapter::backend::smoltcp::smoltcp::phy::{Loopback, Medium};
//! use nexus_net_adapter::backend::smoltcp::smoltcp::time::Instant;
//! use nexus_net_adapter::backend::smoltcp::smoltcp::wire::{EthernetAddress, IpCidr};
//! use nexus_net_adapter::backend::smoltcp::{SmoltcpStack, Sockets, TcpBuffers, UdpBuffers};
//! use nexus_net_adapter::net::{NetSocketAddrV4, NetStack, TickRate, UdpSocket};
//!
//! let mut udp = UdpBuffers::<4, 4096>::new();
//! let mut tcp = TcpBuffers::<4096, 4096>::new();
//! let mut storage = [SocketStorage::EMPTY; 2];
//! let mut sockets = Sockets::new(&mut storage);
//! sockets.add_udp(&mut udp)?;
//! sockets.add_tcp(&mut tcp)?;
//!
//! let mut device = Loopback::new(Medium::Ethernet);
//! let mut config = Config::new(EthernetAddress([2, 0, 0, 0, 0, 1]).into());
//! config.random_seed = 4; // from the system's entropy: TCP's sequence numbers come from it
//! let mut interface = Interface::new(config, &mut device, Instant::ZERO);
//! interface.update_ip_addrs(|own| own.push("192.0.2.1/24".parse().unwrap()).unwrap());
//!
//! let mut stack = SmoltcpStack::new(device, interface, &sockets, TickRate::MILLIS, 5);
//! let mut socket = stack.udp_bind(NetSocketAddrV4::new([192, 0, 2, 1], 7))?;
//! socket.send_to(b"echo", socket.local_addr())?;
//! let mut buf = [0; 64];
//! let answer = (0..).find_map(|millisecond| {
//!     stack.poll(millisecond);
//!     socket.recv_from(&mut buf).ok()
//! });
//! assert_eq!(answer, Some((4, NetSocketAddrV4::new([192, 0, 2, 1], 7))));
//! # Ok::<(), nexus_net_adapter::net::NetError>(())
//! ```
//!
//! # What differs from a host's stack
//! - An unspecified local address is any address of either version of IP.
//! - A datagram to a neighbour that does not answer for its address holds up those behind it in the same socket, for
//!   at most three seconds; then they are dropped.
//! - Nothing is fragmented: a datagram longer than the link's packets is refused. 1200 bytes need an MTU of 1228 over
//!   IPv4, 1248 over IPv6, and over Ethernet 14 more.
//! - ICMP errors decide nothing, as everywhere (`docs/protocol.md` section 6).

mod listener;
mod ports;
mod stack;
mod storage;
mod table;
mod tcp;
mod udp;

pub use ::smoltcp;

pub use listener::SmoltcpListener;
pub use stack::SmoltcpStack;
pub use storage::{Sockets, TcpBuffers, UdpBuffers};
pub use tcp::SmoltcpTcp;
pub use udp::SmoltcpUdp;

/// Sockets that one stack can have, of both kinds together.
pub const SOCKETS_MAX: usize = 32;
/// Ports that one stack can listen at.
pub const LISTENERS_MAX: usize = 8;
