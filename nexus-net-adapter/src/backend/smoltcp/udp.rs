//! [`SmoltcpUdp`]: a datagram socket.

use core::marker::PhantomData;
use core::net::{IpAddr, SocketAddr};

use smoltcp::socket::udp;
use smoltcp::wire::{IpAddress, IpEndpoint};

use super::storage::Sockets;
use super::table::Parting;
use crate::net::{NetError, NetSocketAddr, NetSocketAddrV4, UdpSocket, validate_udp_payload_len};

/// Bytes of UDP's header.
const UDP_HEADER: usize = 8;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;

/// A datagram socket of a [`SmoltcpStack`](super::SmoltcpStack). What it was given still leaves after it is dropped.
#[derive(Debug)]
pub struct SmoltcpUdp<'s, A = NetSocketAddrV4> {
    sockets: &'s Sockets<'s>,
    slot: usize,
    local: A,
    address: PhantomData<fn() -> A>,
}

impl<'s, A: NetSocketAddr> SmoltcpUdp<'s, A> {
    pub(super) const fn new(sockets: &'s Sockets<'s>, slot: usize, local: A) -> Self {
        Self { sockets, slot, local, address: PhantomData }
    }
}

impl<A> Drop for SmoltcpUdp<'_, A> {
    fn drop(&mut self) {
        self.sockets.table.borrow_mut().let_go(self.slot, Parting::Closed);
    }
}

impl<A: NetSocketAddr> UdpSocket<A> for SmoltcpUdp<'_, A> {
    fn local_addr(&self) -> A {
        self.local
    }

    fn send_to(&mut self, buf: &[u8], remote: A) -> Result<usize, NetError> {
        validate_udp_payload_len(buf.len())?;
        let remote = remote.into();
        let header = if remote.is_ipv4() { IPV4_HEADER } else { IPV6_HEADER };
        let table = &mut *self.sockets.table.borrow_mut();
        if buf.len().saturating_add(header + UDP_HEADER) > table.mtu {
            return Err(NetError::InvalidInput("longer than the link's packets"));
        }
        let socket = table.udp(self.slot).ok_or(NetError::Internal("not a UDP socket"))?;
        match socket.send_slice(buf, endpoint(remote)?) {
            Ok(()) => {
                table.unpolled = true;
                Ok(buf.len())
            }
            Err(udp::SendError::BufferFull) if buf.len() > socket.payload_send_capacity() => {
                Err(NetError::NoBufs)
            }
            Err(udp::SendError::BufferFull) => Err(NetError::WouldBlock),
            Err(udp::SendError::Unaddressable) => Err(NetError::InvalidInput("nobody has that address")),
        }
    }

    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, A), NetError> {
        let table = &mut *self.sockets.table.borrow_mut();
        let socket = table.udp(self.slot).ok_or(NetError::Internal("not a UDP socket"))?;
        loop {
            let (datagram, from) = socket.recv().map_err(|_| NetError::WouldBlock)?;
            // To a socket of any address, peers of the other version of IP may send; this one cannot name them.
            let Ok(from) = A::try_from(socket_addr(from.endpoint)) else { continue };
            let room = buf.get_mut(..datagram.len()).ok_or(NetError::NoBufs)?;
            room.copy_from_slice(datagram);
            return Ok((datagram.len(), from));
        }
    }
}

/// smoltcp's form of an address with a port.
pub(super) fn endpoint(address: SocketAddr) -> Result<IpEndpoint, NetError> {
    Ok(IpEndpoint::new(ip_address(address.ip())?, address.port()))
}

/// smoltcp's form of an address, if it is of a version of IP that is built in.
pub(super) const fn ip_address(ip: IpAddr) -> Result<IpAddress, NetError> {
    match ip {
        IpAddr::V4(ip) => Ok(IpAddress::Ipv4(ip)),
        #[cfg(feature = "smoltcp-ipv6")]
        IpAddr::V6(ip) => Ok(IpAddress::Ipv6(ip)),
        #[cfg(not(feature = "smoltcp-ipv6"))]
        IpAddr::V6(_) => Err(NetError::Unsupported),
    }
}

/// The form of `core`.
fn socket_addr(endpoint: IpEndpoint) -> SocketAddr {
    SocketAddr::new(endpoint.addr.into(), endpoint.port)
}
