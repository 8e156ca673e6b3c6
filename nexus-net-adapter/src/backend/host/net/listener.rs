//! [`HostNetListener`]: a port of the system that peers can connect to.

use std::net::TcpListener as SystemListener;
use std::sync::Arc;

use super::Shared;
use super::errors::{again, failure};
use super::tcp::HostNetTcp;
use super::watch::{Want, Watched};
use crate::net::{NetError, NetInstant, NetSocketAddr, NetSocketAddrV4, TcpListener, not_now};

/// A listening port of a [`HostNet`](super::HostNet).
#[derive(Debug)]
pub struct HostNetListener<A = NetSocketAddrV4> {
    watched: Arc<Watched<SystemListener>>,
    shared: Arc<Shared>,
    local: A,
}

impl<A: NetSocketAddr> HostNetListener<A> {
    pub(super) fn new(shared: &Arc<Shared>, socket: SystemListener) -> Result<Self, NetError> {
        let address = socket.local_addr().map_err(failure)?;
        let local = A::try_from(address).map_err(|_| NetError::Internal("another version of IP"))?;
        Ok(Self { watched: shared.watch.add(socket), shared: Arc::clone(shared), local })
    }
}

impl<A: NetSocketAddr> TcpListener<A> for HostNetListener<A> {
    type Stream = HostNetTcp;

    fn local_addr(&self) -> A {
        self.local
    }

    fn accept(&mut self, deadline: Option<NetInstant>) -> Result<Self::Stream, NetError> {
        loop {
            match again(|| self.watched.socket.accept()) {
                Ok((socket, _)) => {
                    self.watched.wants(Want::Nothing);
                    socket.set_nonblocking(true).map_err(failure)?;
                    return Ok(HostNetTcp::accepted(&self.shared, socket));
                }
                Err(NetError::WouldBlock) => {
                    self.watched.wants(Want::Receive);
                    return Err(not_now(deadline, self.shared.now()));
                }
                // It was gone before it was taken.
                Err(NetError::Disconnected | NetError::NotConnected) => {}
                Err(why) => return Err(why),
            }
        }
    }
}
