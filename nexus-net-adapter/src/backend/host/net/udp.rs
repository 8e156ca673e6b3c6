//! [`HostNetUdp`]: a datagram socket of the system.

use core::marker::PhantomData;
use core::net::SocketAddr;
use std::net::UdpSocket as SystemSocket;
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};

use super::Shared;
use super::errors::{again, failure};
use super::watch::{Want, Watched};
use crate::backend::host::narrow::look_again;
use crate::net::{
    MAX_UDP_DATAGRAM_BYTES, NetError, NetSocketAddr, NetSocketAddrV4, UdpSocket, validate_udp_payload_len,
};

/// A datagram socket of a [`HostNet`](super::HostNet).
#[derive(Debug)]
pub struct HostNetUdp<A = NetSocketAddrV4> {
    watched: Arc<Watched<SystemSocket>>,
    local: A,
    address: PhantomData<fn() -> A>,
}

impl<A: NetSocketAddr> HostNetUdp<A> {
    pub(super) fn bind(shared: &Shared, local: A) -> Result<Self, NetError> {
        let address: SocketAddr = local.into();
        let socket =
            Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP)).map_err(failure)?;
        if address.is_ipv6() {
            socket.set_only_v6(true).map_err(failure)?;
        }
        socket.set_nonblocking(true).map_err(failure)?;
        socket.bind(&address.into()).map_err(failure)?;
        whole(&socket, address);
        let socket = SystemSocket::from(socket);
        let address = socket.local_addr().map_err(failure)?;
        let local = A::try_from(address).map_err(|_| NetError::Internal("another version of IP"))?;
        Ok(Self { watched: shared.watch.add(socket), local, address: PhantomData })
    }

    /// What is put off is waited for.
    fn outcome<T>(&self, outcome: Result<T, NetError>, otherwise: Want) -> Result<T, NetError> {
        let wants = if matches!(outcome, Err(NetError::WouldBlock)) { otherwise } else { Want::Nothing };
        self.watched.wants(wants);
        outcome
    }
}

/// Datagrams are not fragmented, and no ICMP message is believed about how long they may be (`docs/protocol.md`
/// section 6). Where the system does not offer that, they may arrive in pieces.
fn whole(socket: &Socket, address: SocketAddr) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::net::sockopt::{
            Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
        };
        _ = match address {
            SocketAddr::V4(_) => set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE),
            SocketAddr::V6(_) => set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::PROBE),
        };
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (socket, address);
}

impl<A: NetSocketAddr> UdpSocket<A> for HostNetUdp<A> {
    fn local_addr(&self) -> A {
        self.local
    }

    fn send_to(&mut self, buf: &[u8], remote: A) -> Result<usize, NetError> {
        validate_udp_payload_len(buf.len())?;
        let remote: SocketAddr = remote.into();
        if remote.port() == 0 || remote.ip().is_unspecified() {
            return Err(NetError::InvalidInput("nobody has that address"));
        }
        let outcome = again(|| look_again(|| self.watched.socket.send_to(buf, remote)));
        self.outcome(outcome, Want::Send)
    }

    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, A), NetError> {
        // One byte more than any datagram may have tells those that have.
        let mut whole = [0; MAX_UDP_DATAGRAM_BYTES + 1];
        let received = again(|| self.watched.socket.recv_from(&mut whole));
        let (count, from) = self.outcome(received, Want::Receive)?;
        let datagram = whole.get(..count).filter(|datagram| datagram.len() <= MAX_UDP_DATAGRAM_BYTES);
        let (Some(datagram), Some(room)) = (datagram, buf.get_mut(..count)) else {
            return Err(NetError::NoBufs);
        };
        room.copy_from_slice(datagram);
        let from = A::try_from(from).map_err(|_| NetError::Internal("another version of IP"))?;
        Ok((count, from))
    }
}
