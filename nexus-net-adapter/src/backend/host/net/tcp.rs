//! [`HostNetTcp`]: a connection of the system.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as SystemStream};
use std::sync::Arc;

use socket2::SockRef;

use super::Shared;
use super::errors::again;
use super::watch::{Want, Watched};
use crate::net::{NetError, NetInstant, TcpStream, not_now, validate_tcp_write_len};

/// A connection of a [`HostNet`](super::HostNet). Closed and dropped, the system sends what is left; dropped without
/// that, it is reset.
#[derive(Debug)]
pub struct HostNetTcp {
    watched: Arc<Watched<SystemStream>>,
    shared: Arc<Shared>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Connecting { deadline: Option<NetInstant> },
    Open,
    NotConnected,
    Closed,
}

impl HostNetTcp {
    pub(super) fn connecting(
        shared: &Arc<Shared>,
        socket: SystemStream,
        deadline: Option<NetInstant>,
    ) -> Self {
        Self::new(shared, socket, State::Connecting { deadline })
    }

    pub(super) fn accepted(shared: &Arc<Shared>, socket: SystemStream) -> Self {
        Self::new(shared, socket, State::Open)
    }

    fn new(shared: &Arc<Shared>, socket: SystemStream, state: State) -> Self {
        // Records are already as large as they can be; to wait for more would only delay them.
        _ = socket.set_nodelay(true);
        Self { watched: shared.watch.add(socket), shared: Arc::clone(shared), state }
    }

    /// Whether bytes can go either way, as far as the system knows by now.
    fn connected(&mut self) -> Result<(), NetError> {
        let State::Connecting { deadline } = self.state else {
            return match self.state {
                State::NotConnected => Err(NetError::NotConnected),
                State::Closed => Err(NetError::Disconnected),
                State::Open | State::Connecting { .. } => Ok(()),
            };
        };
        let socket = &self.watched.socket;
        if !matches!(socket.take_error(), Ok(None)) {
            self.state = State::NotConnected;
        } else if socket.peer_addr().is_ok() {
            self.state = State::Open;
        } else if deadline.is_some_and(|deadline| self.shared.now() > deadline) {
            self.state = State::NotConnected;
        } else {
            self.watched.wants(Want::Send);
            return Err(NetError::WouldBlock);
        }
        self.connected()
    }

    /// What is put off is waited for, unless it is late.
    fn outcome(
        &self,
        outcome: Result<usize, NetError>,
        deadline: Option<NetInstant>,
        otherwise: Want,
    ) -> Result<usize, NetError> {
        match outcome {
            Err(NetError::WouldBlock) => {
                self.watched.wants(otherwise);
                Err(not_now(deadline, self.shared.now()))
            }
            // Only a connection that there was can be lost.
            Err(NetError::NotConnected) if self.state == State::Open => Err(NetError::Disconnected),
            outcome => {
                self.watched.wants(Want::Nothing);
                outcome
            }
        }
    }
}

impl Drop for HostNetTcp {
    fn drop(&mut self) {
        if self.state != State::Closed {
            // A linger time of 0 turns the close that follows into a reset.
            _ = SockRef::from(&self.watched.socket).set_linger(Some(core::time::Duration::ZERO));
        }
    }
}

impl TcpStream for HostNetTcp {
    fn read(&mut self, deadline: Option<NetInstant>, buf: &mut [u8]) -> Result<usize, NetError> {
        let outcome = match self.connected() {
            // The system would not say whether there is anything to read.
            Ok(()) if buf.is_empty() => Ok(0),
            Ok(()) => again(|| (&self.watched.socket).read(buf)),
            Err(NetError::WouldBlock) => return Err(not_now(deadline, self.shared.now())),
            Err(why) => Err(why),
        };
        self.outcome(outcome, deadline, Want::Receive)
    }

    fn write(&mut self, deadline: Option<NetInstant>, buf: &[u8]) -> Result<usize, NetError> {
        validate_tcp_write_len(buf.len())?;
        let outcome = match self.connected() {
            Ok(()) => again(|| (&self.watched.socket).write(buf)),
            Err(NetError::WouldBlock) => return Err(not_now(deadline, self.shared.now())),
            Err(why) => Err(why),
        };
        self.outcome(outcome, deadline, Want::Send)
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.watched.wants(Want::Nothing);
        // Nothing is lost if the connection is already gone.
        _ = self.watched.socket.shutdown(Shutdown::Write);
    }
}
