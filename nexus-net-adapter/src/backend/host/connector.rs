//! The calling side of a host: udp-sec, TCP, or the caller's own transport, as the user wants.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::vec::Vec;

use udp_sec::error::Reject;
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::Config;

use super::tcp::{HostTcpStream, TcpError, connect_tcp};
use super::{HostClock, HostEndpoint, HostStream, OpenError, Peers};
use crate::select::{Attempts, Event, Happened, Mode, NoSession, NoStream, SelectedStream, select};
use crate::stream::{ReliableStream, StreamError};
use crate::tcp;

/// Where a peer is, and who.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Destination {
    /// Its static public key, whichever way it is reached.
    pub peer: PublicKey,
    /// Where it listens for udp-sec.
    pub udp_sec: SocketAddr,
    /// Where it listens for TCP.
    pub tcp: SocketAddr,
}

/// Whether udp-sec is to be used from here, and from where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UdpSec {
    /// From any port of any address.
    Anywhere,
    /// From this address.
    From(SocketAddr),
    /// Not at all.
    Disabled,
}

/// The stream that a [`HostConnector`] opens.
pub type HostSelected<Q = NoStream> = SelectedStream<HostStream, HostTcpStream, Q>;

/// There is no session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotConnected {
    /// What was tried last, and why it was the last.
    pub why: NoSession,
    /// Answers over udp-sec that did not open and decided nothing: somebody answers there who is not the peer.
    pub forgeries: u64,
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl core::error::Error for NotConnected {}

/// Opens sessions by the transport that the user wants. It accepts none.
#[derive(Clone, Debug)]
pub struct HostConnector {
    config: Config,
    udp_sec: UdpSec,
    clock: HostClock,
}

impl HostConnector {
    /// A connector with `config`'s identity. No attempt takes longer than its handshake budget, nor than the selection's
    /// own.
    #[must_use]
    pub fn new(config: Config, udp_sec: UdpSec) -> Self {
        Self { config, udp_sec, clock: HostClock::start() }
    }

    /// Opens a session with `to` in `mode`. Every decision is shown to `on_event`.
    ///
    /// Over udp-sec each session has a socket of its own, which lives as long as the stream.
    ///
    /// # Errors
    /// [`NotConnected`]: what was tried last, and why it was the last.
    pub fn connect(
        &self,
        to: &Destination,
        mode: Mode,
        on_event: impl FnMut(Event),
    ) -> Result<HostSelected, NotConnected> {
        self.connect_with(to, mode, |_| Err(Happened::Disabled), on_event)
    }

    /// As [`connect`](Self::connect), with `quic` to open the caller's own stream where the mode asks for it.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_with<Q: ReliableStream>(
        &self,
        to: &Destination,
        mode: Mode,
        quic: impl FnMut(Duration) -> Result<Q, Happened>,
        on_event: impl FnMut(Event),
    ) -> Result<HostSelected<Q>, NotConnected> {
        let mut attempts = HostAttempts { connector: self, to, quic, forgeries: 0 };
        let selected = select(mode, &mut attempts, on_event);
        selected.map_err(|why| NotConnected { why, forgeries: attempts.forgeries })
    }

    fn bind(&self, to: &Destination, budget: Duration) -> Result<HostEndpoint, Happened> {
        let local = match self.udp_sec {
            UdpSec::Anywhere => any_port(to.udp_sec),
            UdpSec::From(local) => local,
            UdpSec::Disabled => return Err(Happened::Disabled),
        };
        let handshake_budget = budget.min(self.config.handshake_budget);
        let config = Config { handshake_budget, ..self.config.clone() };
        HostEndpoint::bind(local, config, Peers::Only(Vec::new())).map_err(|_| Happened::CannotBind)
    }

    fn tcp(&self, to: &Destination, budget: Duration) -> Result<HostTcpStream, Happened> {
        let budget = budget.min(self.config.handshake_budget);
        let config = tcp::Config { handshake_budget: budget, ..tcp::Config::from(&self.config) };
        connect_tcp(to.tcp, &config, &to.peer, self.clock, self.clock.now() + budget).map_err(Happened::from)
    }
}

/// Any port of any address from which `remote` can be reached.
const fn any_port(remote: SocketAddr) -> SocketAddr {
    let any = match remote {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(any, 0)
}

/// A host's attempts to reach one destination.
struct HostAttempts<'c, F> {
    connector: &'c HostConnector,
    to: &'c Destination,
    quic: F,
    forgeries: u64,
}

impl<Q: ReliableStream, F: FnMut(Duration) -> Result<Q, Happened>> Attempts for HostAttempts<'_, F> {
    type UdpSec = HostStream;
    type Tcp = HostTcpStream;
    type Quic = Q;

    fn udp_sec(&mut self, budget: Duration) -> Result<HostStream, Happened> {
        let endpoint = self.connector.bind(self.to, budget)?;
        let opened = endpoint.connect(self.to.udp_sec, &self.to.peer, Instant::MAX);
        opened.map_err(|why| {
            self.forgeries = endpoint.rejects().get(Reject::HandshakeFailed);
            why.into()
        })
    }

    fn tcp(&mut self, budget: Duration) -> Result<HostTcpStream, Happened> {
        self.connector.tcp(self.to, budget)
    }

    fn quic(&mut self, budget: Duration) -> Result<Q, Happened> {
        (self.quic)(budget)
    }
}

impl From<OpenError> for Happened {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotBegun(why) => why.into(),
            OpenError::Failed(why) => of_stream(why),
        }
    }
}

impl From<TcpError> for Happened {
    fn from(error: TcpError) -> Self {
        match error {
            TcpError::Connection(_) => Self::ConnectionFailed,
            TcpError::NotBegun(reject) => reject.into(),
            TcpError::Failed(why) => of_stream(why),
        }
    }
}

/// What the error of a stream that never opened means.
fn of_stream(error: StreamError) -> Happened {
    match error {
        StreamError::Closed(reason) => reason.into(),
        StreamError::WouldBlock | StreamError::TimedOut => Happened::Silence,
        StreamError::Finished => Happened::LocalLimit,
    }
}

#[cfg(test)]
mod tests;
