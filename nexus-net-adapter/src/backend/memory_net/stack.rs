//! [`MemoryStack`]: the sockets at one address.

use super::MemoryNet;
use super::sockets::{MemoryListener, MemoryTcp, MemoryUdp};
use crate::net::{NetError, NetInstant, NetIpAddrV4, NetSocketAddrV4, NetStack};

/// One address of a [`MemoryNet`].
#[derive(Clone, Copy, Debug)]
pub struct MemoryStack<'n, const SOCKETS: usize, const QUEUE: usize> {
    net: &'n MemoryNet<SOCKETS, QUEUE>,
    ip: NetIpAddrV4,
}

impl<'n, const SOCKETS: usize, const QUEUE: usize> MemoryStack<'n, SOCKETS, QUEUE> {
    pub(super) const fn new(net: &'n MemoryNet<SOCKETS, QUEUE>, ip: NetIpAddrV4) -> Self {
        Self { net, ip }
    }

    fn check(&self, local: NetSocketAddrV4) -> Result<(), NetError> {
        if local.ip == self.ip || local.ip.0 == [0; 4] {
            Ok(())
        } else {
            Err(NetError::InvalidInput("not an address of this stack"))
        }
    }
}

impl<'n, const SOCKETS: usize, const QUEUE: usize> NetStack for MemoryStack<'n, SOCKETS, QUEUE> {
    type Udp = MemoryUdp<'n, SOCKETS, QUEUE>;
    type TcpListener = MemoryListener<'n, SOCKETS, QUEUE>;
    type TcpStream = MemoryTcp<'n, SOCKETS, QUEUE>;

    fn poll(&mut self, now: NetInstant) {
        self.net.core.borrow_mut().poll(self.ip, now);
    }

    fn next_wake(&self) -> Option<NetInstant> {
        self.net.core.borrow().next_wake(self.ip)
    }

    fn udp_bind(&mut self, local: NetSocketAddrV4) -> Result<Self::Udp, NetError> {
        self.check(local)?;
        let (index, port) = self.net.core.borrow_mut().bind(self.ip, local.port)?;
        Ok(MemoryUdp::new(self.net, index, NetSocketAddrV4 { port, ..local }))
    }

    fn tcp_listen(&mut self, local: NetSocketAddrV4, backlog: usize) -> Result<Self::TcpListener, NetError> {
        self.check(local)?;
        if backlog == 0 {
            return Err(NetError::InvalidInput("a backlog of 0"));
        }
        let (index, port) = self.net.core.borrow_mut().listen(self.ip, local.port, backlog)?;
        let bound = NetSocketAddrV4 { ip: self.ip, port };
        Ok(MemoryListener::new(self.net, index, NetSocketAddrV4 { port, ..local }, bound))
    }

    fn tcp_connect(
        &mut self,
        remote: NetSocketAddrV4,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStream, NetError> {
        if remote.port == 0 || remote.ip.0 == [0; 4] {
            return Err(NetError::InvalidInput("nobody has that address"));
        }
        let mut core = self.net.core.borrow_mut();
        if deadline.is_some_and(|deadline| core.now > deadline) {
            return Err(NetError::TimedOut);
        }
        Ok(MemoryTcp::new(self.net, core.connect(self.ip, remote)?))
    }
}
