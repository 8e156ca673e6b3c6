//! The sockets facade of nexus-net: TCP and UDP of whatever stack there is, polled, bounded, without a clock.
//!
//! ```text
//! application ── TcpStream ◄── Secured ◄── any ReliableStream      a session where a connection was expected
//!
//! udp::Driver ──► udp::Datagrams ◄── StackDatagrams ──► UdpSocket     ┐
//! SecureTcp   ──► tcp::ByteStream ◄── StackBytes    ──► TcpStream     ├ of any NetStack
//! both wait by ───────────────────── PolledStack    ──► poll, next_wake ┘
//! ```
//! Names and shapes are those that the services of the OS use, so that a stack or a service of theirs fits by an
//! `impl` that forwards each call. IPv6 has traits of the same form beside them, see [`NetStackV6`].
//!
//! # What a stack promises
//! - Nothing waits. What cannot be done now is [`NetError::WouldBlock`], or [`NetError::TimedOut`] once the call's
//!   deadline lies before the time of the last [`NetStack::poll`]. A deadline decides only about waiting: what is
//!   there is handed over, however late.
//! - Nothing moves unless somebody calls [`NetStack::poll`], and at the latest when [`NetStack::next_wake`] says.
//! - Nothing grows: every queue has a bound, and what does not fit is an error or, for datagrams, lost.
//!
//! Reading order: [`NetStack`], then [`PolledStack`], then [`Secured`].

mod address;
#[cfg(feature = "tcp")]
mod bytes;
#[cfg(feature = "udp")]
mod datagrams;
mod error;
#[cfg(feature = "udp")]
mod listener;
mod polled;
mod secured;
mod stack;
mod ticks;

pub use address::{NetIpAddrV4, NetIpAddrV6, NetSocketAddr, NetSocketAddrV4, NetSocketAddrV6};
#[cfg(feature = "tcp")]
pub use bytes::StackBytes;
#[cfg(feature = "udp")]
pub use datagrams::StackDatagrams;
pub use error::NetError;
#[cfg(feature = "udp")]
pub use listener::SecuredListener;
pub use polled::{PolledStack, Ticker};
pub use secured::Secured;
pub use stack::{NetStack, NetStackV6, TcpListener, TcpStream, UdpSocket};
pub use ticks::{NetInstant, TickRate};

/// The longest payload of a datagram, in bytes.
pub const MAX_UDP_DATAGRAM_BYTES: usize = 1500;
/// The most that one write to a TCP stream may be given, in bytes.
pub const MAX_TCP_WRITE_BYTES: usize = 16 * 1024;

/// # Errors
/// [`NetError::InvalidInput`] above [`MAX_UDP_DATAGRAM_BYTES`].
pub const fn validate_udp_payload_len(len: usize) -> Result<(), NetError> {
    if len > MAX_UDP_DATAGRAM_BYTES { Err(NetError::InvalidInput("datagram too long")) } else { Ok(()) }
}

/// # Errors
/// [`NetError::InvalidInput`] above [`MAX_TCP_WRITE_BYTES`].
pub const fn validate_tcp_write_len(len: usize) -> Result<(), NetError> {
    if len > MAX_TCP_WRITE_BYTES { Err(NetError::InvalidInput("write too long")) } else { Ok(()) }
}

/// The answer of a call that finds nothing to do, by the time `now` of the last poll.
pub(crate) fn not_now(deadline: Option<NetInstant>, now: NetInstant) -> NetError {
    if deadline.is_some_and(|deadline| now > deadline) { NetError::TimedOut } else { NetError::WouldBlock }
}

#[cfg(test)]
mod tests;
