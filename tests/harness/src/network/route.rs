//! The network between the hosts: each client's access with its NAT, and the links that all share.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use lossy_link::{End, Link, LinkConfig};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;

use super::plan::{Plan, client_address};
use crate::world::SERVER;

/// A datagram that has come to a host.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) host: usize,
    /// Where it came from, as that host sees it.
    pub(super) path: Path,
    pub(super) data: Vec<u8>,
}

/// Every way there is.
#[derive(Debug)]
pub(super) struct Routes {
    /// Of client 1 and on.
    access: Vec<lossy_link::Path>,
    /// Toward the server, tagged with the source; from it, tagged with the destination.
    shared: Option<[Link<SocketAddr>; 2]>,
}

impl Routes {
    pub(super) fn new(plan: &Plan) -> Self {
        let access = plan.access.iter().zip(1..).map(|(access, host)| {
            let (to_server, to_client) = (access.to_server.clone(), access.to_client.clone());
            let seed = plan.seed.wrapping_add((host as u64) << 56);
            let address = client_address(host, 1, 40_000);
            let mut path = lossy_link::Path::new(address, SERVER, to_server, to_client, seed);
            if let Some(lifetime) = access.forgets_after {
                path.forget_after(lifetime);
            }
            path
        });
        let shared = plan.shared.clone().map(|[up, down]| {
            let [seed_up, seed_down] = lossy_link::direction_seeds(!plan.seed);
            [Link::new(up, seed_up), Link::new(down, seed_down)]
        });
        Self { access: access.collect(), shared }
    }

    /// Takes a datagram of `host` to `destination`.
    pub(super) fn send(&mut self, now: Instant, host: usize, destination: SocketAddr, data: Vec<u8>) {
        match (host.checked_sub(1), &mut self.shared) {
            (Some(client), _) => self.access[client].send(now, End::Client, destination, data),
            (None, Some([_, down])) => down.send(now, destination, data),
            (None, None) => self.send_to_client(now, destination, data),
        }
    }

    /// The next datagram that has arrived at a host by `now`. What leaves one link by then goes on to the next first.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Arrival> {
        while let Some(delivery) = self.shared.as_mut().and_then(|[_, down]| down.poll(now)) {
            self.send_to_client(now, delivery.tag, delivery.data);
        }
        for client in 0..self.access.len() {
            while let Some(arrival) = self.access[client].poll(now) {
                let path = Path { remote: arrival.source, local: None };
                match (arrival.to, &mut self.shared) {
                    (End::Client, _) => return Some(Arrival { host: client + 1, path, data: arrival.data }),
                    (End::Server, Some([up, _])) => up.send(now, arrival.source, arrival.data),
                    (End::Server, None) => return Some(at_server(arrival.source, arrival.data)),
                }
            }
        }
        let delivery = self.shared.as_mut().and_then(|[up, _]| up.poll(now))?;
        Some(at_server(delivery.tag, delivery.data))
    }

    /// When a datagram next comes out of a link.
    pub(super) fn next_delivery(&self) -> Option<Instant> {
        let access = self.access.iter().filter_map(lossy_link::Path::next_delivery);
        let shared = self.shared.iter().flatten().filter_map(Link::next_delivery);
        access.chain(shared).min()
    }

    /// Where the network sees the client `host`.
    pub(super) fn client_address(&self, now: Instant, host: usize) -> SocketAddr {
        self.access[host - 1].client_address(now)
    }

    /// The client `host` is seen at `address` from now on.
    pub(super) fn rebind(&mut self, now: Instant, host: usize, address: SocketAddr) {
        self.access[host - 1].rebind(now, address);
    }

    /// The access of the client `host` is another from now on.
    pub(super) fn relink(&mut self, host: usize, [to_server, to_client]: [LinkConfig; 2]) {
        self.access[host - 1].reconfigure(to_server, to_client);
    }

    fn send_to_client(&mut self, now: Instant, destination: SocketAddr, data: Vec<u8>) {
        // The number of the host is in its address.
        let IpAddr::V4(address) = destination.ip() else { return };
        let host = usize::from(address.octets()[1]);
        if let Some(path) = host.checked_sub(1).and_then(|client| self.access.get_mut(client)) {
            path.send(now, End::Server, destination, data);
        }
    }
}

fn at_server(source: SocketAddr, data: Vec<u8>) -> Arrival {
    Arrival { host: 0, path: Path { remote: source, local: Some(SERVER.ip()) }, data }
}
