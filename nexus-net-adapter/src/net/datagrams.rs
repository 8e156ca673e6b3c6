//! [`StackDatagrams`]: a datagram socket of any stack, below a [`Driver`](crate::udp::Driver).

use core::marker::PhantomData;

use udp_sec::limits::DATAGRAM_MAX;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::{Path, Transmit};

use super::MAX_UDP_DATAGRAM_BYTES;
use super::address::{NetSocketAddr, NetSocketAddrV4, NetSocketAddrV6};
use super::error::NetError;
use super::polled::{PolledStack, Ticker};
use super::stack::{NetStack, NetStackV6, UdpSocket};
use crate::udp::{Clock, Datagrams, Received, SendError};

/// Datagrams taken in one go, so that sending is never starved.
const BATCH: usize = 32;

/// A socket of a [`PolledStack`], with room for one datagram each way. Polls the stack before it receives.
#[derive(Debug)]
pub struct StackDatagrams<'p, N, T, U, A> {
    stack: &'p PolledStack<N, T>,
    socket: U,
    outbound: [u8; DATAGRAM_MAX],
    inbound: [u8; MAX_UDP_DATAGRAM_BYTES],
    address: PhantomData<fn() -> A>,
}

impl<'p, N: NetStack, T: Ticker, U: UdpSocket<A>, A: NetSocketAddr> StackDatagrams<'p, N, T, U, A> {
    /// Over `socket`, which is one of `stack`.
    pub const fn new(stack: &'p PolledStack<N, T>, socket: U) -> Self {
        let (outbound, inbound) = ([0; DATAGRAM_MAX], [0; MAX_UDP_DATAGRAM_BYTES]);
        Self { stack, socket, outbound, inbound, address: PhantomData }
    }

    /// Where the socket is bound.
    pub fn local_addr(&self) -> A {
        self.socket.local_addr()
    }

    /// Sends, and where there is no room, once more after a poll has made some.
    fn send_to(&mut self, len: usize, remote: A) -> Result<(), NetError> {
        let datagram = self.outbound.get(..len).ok_or(NetError::InvalidInput("more than the buffer"))?;
        let outcome = match self.socket.send_to(datagram, remote) {
            Err(NetError::WouldBlock | NetError::NoBufs) => {
                self.stack.poll();
                self.socket.send_to(datagram, remote)
            }
            outcome => outcome,
        };
        if outcome.is_ok() {
            self.stack.touch();
        }
        outcome.map(|_| ())
    }
}

impl<N: NetStack, T: Ticker, U: UdpSocket<A>, A: NetSocketAddr> Datagrams for StackDatagrams<'_, N, T, U, A> {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.outbound
    }

    fn send(&mut self, _now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        let remote = A::try_from(transmit.path.remote).map_err(|_| SendError::Failed)?;
        self.send_to(transmit.len, remote).map_err(|why| match why {
            NetError::WouldBlock | NetError::NoBufs => SendError::WouldBlock,
            // An address from which a datagram came, or to which one left, is not what is wrong with it.
            NetError::InvalidInput(_) if transmit.len == DATAGRAM_MAX => SendError::TooLarge,
            _ => SendError::Failed,
        })
    }

    fn receive(&mut self, _now: Instant, mut deliver: impl FnMut(Path, &mut [u8])) -> Received {
        self.stack.poll();
        let mut received = Received::Nothing;
        for _ in 0..BATCH {
            match self.socket.recv_from(&mut self.inbound) {
                Ok((len, from)) => {
                    if let Some(datagram) = self.inbound.get_mut(..len) {
                        deliver(Path::to(from.into()), datagram);
                    }
                    received = Received::All;
                }
                // Longer than any of ours, and gone.
                Err(NetError::NoBufs) => received = Received::All,
                Err(_) => return received,
            }
        }
        Received::More
    }
}

impl<N: NetStack, T: Ticker> PolledStack<N, T> {
    /// A socket at `local` for sessions.
    ///
    /// # Errors
    /// See [`NetStack::udp_bind`].
    pub fn datagrams(
        &self,
        local: NetSocketAddrV4,
    ) -> Result<StackDatagrams<'_, N, T, N::Udp, NetSocketAddrV4>, NetError> {
        self.open(|stack| stack.udp_bind(local)).map(|socket| StackDatagrams::new(self, socket))
    }

    /// The same over IPv6.
    ///
    /// # Errors
    /// See [`NetStackV6::udp_bind_v6`].
    pub fn datagrams_v6(
        &self,
        local: NetSocketAddrV6,
    ) -> Result<StackDatagrams<'_, N, T, N::UdpV6, NetSocketAddrV6>, NetError>
    where
        N: NetStackV6,
    {
        self.open(|stack| stack.udp_bind_v6(local)).map(|socket| StackDatagrams::new(self, socket))
    }
}

impl<N: NetStack, T: Ticker> Clock for &PolledStack<N, T> {
    fn now(&self) -> Instant {
        PolledStack::now(self)
    }

    fn idle(&self, until: Instant) {
        self.wait(until);
    }
}
