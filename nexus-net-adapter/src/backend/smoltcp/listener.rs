//! [`SmoltcpListener`]: a port that peers can connect to.

use super::storage::Sockets;
use super::tcp::SmoltcpTcp;
use crate::net::{NetError, NetInstant, NetSocketAddr, NetSocketAddrV4, TcpListener, not_now};

/// A listening port of a [`SmoltcpStack`](super::SmoltcpStack).
///
/// Each connection that waits to be accepted holds a TCP socket, and so does the port itself while it can take one
/// more; a peer that finds none of them is refused.
#[derive(Debug)]
pub struct SmoltcpListener<'s, A: NetSocketAddr = NetSocketAddrV4> {
    sockets: &'s Sockets<'s>,
    local: A,
}

impl<'s, A: NetSocketAddr> SmoltcpListener<'s, A> {
    pub(super) const fn new(sockets: &'s Sockets<'s>, local: A) -> Self {
        Self { sockets, local }
    }

    fn port(&self) -> u16 {
        self.local.into().port()
    }
}

impl<A: NetSocketAddr> Drop for SmoltcpListener<'_, A> {
    fn drop(&mut self) {
        self.sockets.table.borrow_mut().stop_listening(self.port());
    }
}

impl<'s, A: NetSocketAddr> TcpListener<A> for SmoltcpListener<'s, A> {
    type Stream = SmoltcpTcp<'s>;

    fn local_addr(&self) -> A {
        self.local
    }

    fn accept(&mut self, deadline: Option<NetInstant>) -> Result<Self::Stream, NetError> {
        let table = &mut *self.sockets.table.borrow_mut();
        match table.accept(self.port()) {
            Some(slot) => Ok(SmoltcpTcp::new(self.sockets, slot)),
            None => Err(not_now(deadline, table.now)),
        }
    }
}
