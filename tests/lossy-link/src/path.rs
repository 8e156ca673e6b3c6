//! The network between one client and one server: a link each way, and a NAT in front of the client.
//!
//! The NAT gives the client a public address; what the server sees may change at set times (rebinding of
//! port, address or both), without the client's knowledge. A datagram to an address the NAT no longer
//! holds is dropped, also if it was already under way when the binding changed.

use alloc::vec::Vec;
use core::net::SocketAddr;

use udp_sec::time::{Duration, Instant};

use crate::config::LinkConfig;
use crate::link::Link;
use crate::random::direction_seeds;

/// An end of a [`Path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Behind the NAT.
    Client,
    /// On the open side.
    Server,
}

/// A datagram that has come to an end of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it arrived.
    pub at: Instant,
    /// The end it came to.
    pub to: End,
    /// The address it came from, as that end sees it.
    pub source: SocketAddr,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// Two links and a NAT.
#[derive(Clone, Debug)]
pub struct Path {
    server: SocketAddr,
    /// The client's public addresses, each with the time from which it holds; ordered by that time.
    bindings: Vec<(Instant, SocketAddr)>,
    /// Tagged with the source address behind the NAT.
    to_server: Link<SocketAddr>,
    /// Tagged with the destination address.
    to_client: Link<SocketAddr>,
    unreachable: u64,
    forgetting: Option<Forgetting>,
}

/// A NAT that forgets a mapping which the client has not used for some time (RFC 4787 section 4.3: only what goes out
/// refreshes it).
#[derive(Clone, Copy, Debug)]
struct Forgetting {
    lifetime: Duration,
    last_used: Option<Instant>,
}

impl Forgetting {
    /// Whether the mapping is gone at `now`.
    fn has_forgotten(&self, now: Instant) -> bool {
        self.last_used.is_some_and(|used| now.saturating_since(used) > self.lifetime)
    }
}

impl Path {
    /// A path on which the server sees the client as `client`. Each direction has randomness of its own,
    /// derived from `seed`.
    #[must_use]
    pub fn new(
        client: SocketAddr,
        server: SocketAddr,
        to_server: LinkConfig,
        to_client: LinkConfig,
        seed: u64,
    ) -> Self {
        let [seed_to_server, seed_to_client] = direction_seeds(seed);
        Self {
            server,
            bindings: Vec::from([(Instant::ZERO, client)]),
            to_server: Link::new(to_server, seed_to_server),
            to_client: Link::new(to_client, seed_to_client),
            unreachable: 0,
            forgetting: None,
        }
    }

    /// The NAT forgets the client once it has sent nothing for `lifetime`: from then on nothing gets in, and the next
    /// datagram that goes out gets another port.
    pub fn forget_after(&mut self, lifetime: Duration) {
        self.forgetting = Some(Forgetting { lifetime, last_used: None });
    }

    /// Both links are as these say from now on; see [`Link::reconfigure`].
    pub fn reconfigure(&mut self, to_server: LinkConfig, to_client: LinkConfig) {
        self.to_server.reconfigure(to_server);
        self.to_client.reconfigure(to_client);
    }

    /// From `at` on, the server sees the client as `client`. Calls may come in any order of `at`; the later
    /// call wins where two name the same time.
    pub fn rebind(&mut self, at: Instant, client: SocketAddr) {
        let place = self.bindings.partition_point(|&(from, _)| from <= at);
        self.bindings.insert(place, (at, client));
    }

    /// The client's public address at `now`.
    #[must_use]
    pub fn client_address(&self, now: Instant) -> SocketAddr {
        let next = self.bindings.partition_point(|&(from, _)| from <= now);
        // The binding made by `new` holds from the beginning of time, so there always is one before `next`.
        self.bindings[next - 1].1
    }

    /// The server's address, which never changes.
    #[must_use]
    pub fn server_address(&self) -> SocketAddr {
        self.server
    }

    /// Sends a datagram from an end to an address. One for an address that nobody has is counted in
    /// [`unreachable`](Self::unreachable) and dropped.
    pub fn send(&mut self, now: Instant, from: End, destination: SocketAddr, data: impl Into<Vec<u8>>) {
        match from {
            End::Client if destination == self.server => {
                self.refresh_mapping(now);
                self.to_server.send(now, self.client_address(now), data);
            }
            End::Client => self.unreachable += 1,
            End::Server => self.to_client.send(now, destination, data),
        }
    }

    /// The next datagram that has arrived by `now`, at either end, in the order of arrival (at the same
    /// time, the server's first).
    pub fn poll(&mut self, now: Instant) -> Option<Arrival> {
        loop {
            let server_first = match (self.to_server.next_delivery(), self.to_client.next_delivery()) {
                (Some(server), Some(client)) => server <= client,
                (server, _) => server.is_some(),
            };
            if server_first {
                let delivery = self.to_server.poll(now)?;
                return Some(Arrival {
                    at: delivery.at,
                    to: End::Server,
                    source: delivery.tag,
                    data: delivery.data,
                });
            }
            let delivery = self.to_client.poll(now)?;
            let forgotten = self.forgetting.is_some_and(|nat| nat.has_forgotten(delivery.at));
            if !forgotten && delivery.tag == self.client_address(delivery.at) {
                return Some(Arrival {
                    at: delivery.at,
                    to: End::Client,
                    source: self.server,
                    data: delivery.data,
                });
            }
            self.unreachable += 1;
        }
    }

    /// The client sends at `now`, through a new port if the NAT has forgotten the old one.
    fn refresh_mapping(&mut self, now: Instant) {
        let Some(nat) = &mut self.forgetting else { return };
        let forgotten = nat.has_forgotten(now);
        nat.last_used = Some(now);
        if forgotten {
            let mut client = self.client_address(now);
            client.set_port(client.port().wrapping_add(1).max(1));
            self.rebind(now, client);
        }
    }

    /// When the next datagram arrives at either end (or at the NAT, which may drop it); `None` while the
    /// path is empty.
    #[must_use]
    pub fn next_delivery(&self) -> Option<Instant> {
        self.to_server.next_delivery().into_iter().chain(self.to_client.next_delivery()).min()
    }

    /// The link toward `end`, for its counters.
    #[must_use]
    pub fn link_to(&self, end: End) -> &Link<SocketAddr> {
        match end {
            End::Server => &self.to_server,
            End::Client => &self.to_client,
        }
    }

    /// Datagrams dropped because nobody had the address they were sent to.
    #[must_use]
    pub fn unreachable(&self) -> u64 {
        self.unreachable
    }
}

#[cfg(test)]
mod tests;
