//! Addresses of the facade, and what is asked of an address to work with either version of IP.

use core::fmt::Debug;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::error::NetError;

/// An IPv4 address, its bytes as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetIpAddrV4(pub [u8; 4]);

/// An IPv4 address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetSocketAddrV4 {
    /// The address; all zeros where a local address means any.
    pub ip: NetIpAddrV4,
    /// The port; 0 where a local port means any that is free.
    pub port: u16,
}

impl NetSocketAddrV4 {
    /// The address `ip` and the port `port`.
    #[must_use]
    pub const fn new(ip: [u8; 4], port: u16) -> Self {
        Self { ip: NetIpAddrV4(ip), port }
    }
}

/// An IPv6 address, its bytes as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetIpAddrV6(pub [u8; 16]);

/// An IPv6 address and a port. A stack has one link, so there is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetSocketAddrV6 {
    /// The address; all zeros where a local address means any.
    pub ip: NetIpAddrV6,
    /// The port; 0 where a local port means any that is free.
    pub port: u16,
}

impl NetSocketAddrV6 {
    /// The address `ip` and the port `port`.
    #[must_use]
    pub const fn new(ip: [u8; 16], port: u16) -> Self {
        Self { ip: NetIpAddrV6(ip), port }
    }
}

/// What the backends and bridges ask of an address: to be one of `core` on the other side.
pub trait NetSocketAddr: Copy + Debug + PartialEq + Into<SocketAddr> + TryFrom<SocketAddr> {}

impl<A: Copy + Debug + PartialEq + Into<SocketAddr> + TryFrom<SocketAddr>> NetSocketAddr for A {}

impl From<NetSocketAddrV4> for SocketAddr {
    fn from(address: NetSocketAddrV4) -> Self {
        Self::from((Ipv4Addr::from(address.ip.0), address.port))
    }
}

impl From<NetSocketAddrV6> for SocketAddr {
    fn from(address: NetSocketAddrV6) -> Self {
        Self::from((Ipv6Addr::from(address.ip.0), address.port))
    }
}

impl TryFrom<SocketAddr> for NetSocketAddrV4 {
    type Error = NetError;

    fn try_from(address: SocketAddr) -> Result<Self, NetError> {
        match address {
            SocketAddr::V4(address) => Ok(Self::new(address.ip().octets(), address.port())),
            SocketAddr::V6(_) => Err(NetError::InvalidInput("not an IPv4 address")),
        }
    }
}

impl TryFrom<SocketAddr> for NetSocketAddrV6 {
    type Error = NetError;

    fn try_from(address: SocketAddr) -> Result<Self, NetError> {
        match address {
            SocketAddr::V6(address) => Ok(Self::new(address.ip().octets(), address.port())),
            SocketAddr::V4(_) => Err(NetError::InvalidInput("not an IPv6 address")),
        }
    }
}
