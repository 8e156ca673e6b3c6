//! The two addresses that datagrams of a session travel between, and what may go where nobody has shown to receive.

use core::net::{IpAddr, SocketAddr};

use crate::limits;

/// Where a datagram came from or goes to, and the local address it reached or leaves from.
#[derive(Clone, Copy, Eq, Debug, Hash)]
#[expect(
    clippy::derived_hash_with_manual_eq,
    reason = "equal is what is equal in every field, as if derived"
)]
pub struct Path {
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// Our own address, where the socket can tell: replies leave from the address that the datagram reached.
    pub local: Option<IpAddr>,
}

impl PartialEq for Path {
    #[inline(never)] // Asked for in many places.
    fn eq(&self, other: &Self) -> bool {
        self.leads_to(&other.remote) && self.local == other.local
    }
}

impl Path {
    /// A path to `remote` from whichever local address the system chooses.
    #[must_use]
    pub const fn to(remote: SocketAddr) -> Self {
        Self { remote, local: None }
    }

    /// Whether it leads to `remote`.
    #[inline(never)] // Two kinds of addresses make it long, and it is asked for in many places.
    pub(crate) fn leads_to(&self, remote: &SocketAddr) -> bool {
        self.remote == *remote
    }
}

/// What may still be sent to an address that has not shown to be the peer's: three times the bytes that came from there,
/// less those that went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance(u64);

impl Allowance {
    /// Nothing came from there, and nothing went.
    pub(super) const NOTHING: Self = Self(0);

    /// `bytes` came from there.
    pub(super) const fn on_received(&mut self, bytes: u64) {
        self.0 = self.0.saturating_add(bytes.saturating_mul(limits::UNPROVEN_FACTOR));
    }

    /// `bytes` went there.
    pub(super) const fn on_sent(&mut self, bytes: u64) {
        self.0 = self.0.saturating_sub(bytes);
    }

    /// Bytes that may go there.
    pub(super) const fn room(self) -> u64 {
        self.0
    }
}

/// The path in use, as long as the peer has not shown that it receives there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unproven {
    /// What may be sent.
    pub(super) allowance: Allowance,
    /// What the peer has to repeat. An acknowledgement would not do: packet numbers can be guessed.
    pub(super) challenge: [u8; 8],
}
