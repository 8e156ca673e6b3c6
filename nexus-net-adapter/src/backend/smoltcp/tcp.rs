//! [`SmoltcpTcp`]: a connection.

use smoltcp::socket::tcp::{RecvError, State};

use super::storage::Sockets;
use super::table::{Parting, Table, Use};
use crate::net::{NetError, NetInstant, TcpStream, not_now, validate_tcp_write_len};

/// A connection of a [`SmoltcpStack`](super::SmoltcpStack).
///
/// Closed and dropped, it goes on by itself until all has arrived, for at most a minute. Dropped without that, it is
/// reset. Either way only if the stack is polled.
#[derive(Debug)]
pub struct SmoltcpTcp<'s> {
    sockets: &'s Sockets<'s>,
    slot: usize,
    parting: Parting,
}

impl<'s> SmoltcpTcp<'s> {
    pub(super) const fn new(sockets: &'s Sockets<'s>, slot: usize) -> Self {
        Self { sockets, slot, parting: Parting::Abort }
    }
}

/// Why a socket in this state neither reads nor writes.
fn refusal(table: &Table<'_>, slot: usize, state: State, deadline: Option<NetInstant>) -> NetError {
    let connecting = table.slots.get(slot).is_some_and(|slot| matches!(slot.usage, Use::Connecting { .. }));
    match state {
        State::SynSent | State::SynReceived => not_now(deadline, table.now),
        State::Closed if connecting => NetError::NotConnected,
        _ => NetError::Disconnected,
    }
}

impl Drop for SmoltcpTcp<'_> {
    fn drop(&mut self) {
        self.sockets.table.borrow_mut().let_go(self.slot, self.parting);
    }
}

impl TcpStream for SmoltcpTcp<'_> {
    fn read(&mut self, deadline: Option<NetInstant>, buf: &mut [u8]) -> Result<usize, NetError> {
        if self.parting == Parting::Closed {
            return Err(NetError::Disconnected);
        }
        let table = &mut *self.sockets.table.borrow_mut();
        let socket = table.tcp(self.slot).ok_or(NetError::Internal("not a TCP socket"))?;
        let state = socket.state();
        match socket.recv_slice(buf) {
            Ok(0) if !buf.is_empty() => Err(not_now(deadline, table.now)),
            Ok(count) => {
                // The peer is to know of the room.
                table.unpolled |= count > 0;
                Ok(count)
            }
            Err(RecvError::Finished) => Ok(0),
            Err(RecvError::InvalidState) => Err(refusal(table, self.slot, state, deadline)),
        }
    }

    fn write(&mut self, deadline: Option<NetInstant>, buf: &[u8]) -> Result<usize, NetError> {
        validate_tcp_write_len(buf.len())?;
        if self.parting == Parting::Closed {
            return Err(NetError::Disconnected);
        }
        let table = &mut *self.sockets.table.borrow_mut();
        let socket = table.tcp(self.slot).ok_or(NetError::Internal("not a TCP socket"))?;
        let state = socket.state();
        match socket.send_slice(buf) {
            Ok(0) if !buf.is_empty() => Err(not_now(deadline, table.now)),
            Ok(count) => {
                table.unpolled |= count > 0;
                Ok(count)
            }
            Err(_) => Err(refusal(table, self.slot, state, deadline)),
        }
    }

    fn close(&mut self) {
        self.parting = Parting::Closed;
        let table = &mut *self.sockets.table.borrow_mut();
        table.unpolled = true;
        if let Some(socket) = table.tcp(self.slot) {
            socket.close();
        }
    }
}
