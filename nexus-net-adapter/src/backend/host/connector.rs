//! The calling side of a host: udp-sec, TCP, or the caller's own transport, as the user wants.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::vec::Vec;

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

/// Opens sessions by the transport that the user wants. It accepts none.
#[derive(Clone, Debug)]
pub struct HostConnector {
    config: Config,
    udp_sec: UdpSec,
    clock: HostClock,
}

impl HostConnector {
    /// A connector with `config`'s identity. Its handshake budget does not count: the selection has its own.
    #[must_use]
    pub fn new(config: Config, udp_sec: UdpSec) -> Self {
        Self { config, udp_sec, clock: HostClock::start() }
    }

    /// Opens a session with `to` in `mode`. Every decision is shown to `on_event`.
    ///
    /// Over udp-sec each session has a socket of its own, which lives as long as the stream.
    ///
    /// # Errors
    /// [`NoSession`]: what was tried last, and why it was the last.
    pub fn connect(
        &self,
        to: &Destination,
        mode: Mode,
        on_event: impl FnMut(Event),
    ) -> Result<HostSelected, NoSession> {
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
    ) -> Result<HostSelected<Q>, NoSession> {
        select(mode, &mut HostAttempts { connector: self, to, quic }, on_event)
    }

    fn udp_sec(&self, to: &Destination, budget: Duration) -> Result<HostStream, Happened> {
        let local = match self.udp_sec {
            UdpSec::Anywhere => any_port(to.udp_sec),
            UdpSec::From(local) => local,
            UdpSec::Disabled => return Err(Happened::Disabled),
        };
        let config = Config { handshake_budget: budget, ..self.config.clone() };
        let nobody = Peers::Only(Vec::new());
        let endpoint = HostEndpoint::bind(local, config, nobody).map_err(|_| Happened::CannotBind)?;
        endpoint.connect(to.udp_sec, &to.peer, Instant::MAX).map_err(Happened::from)
    }

    fn tcp(&self, to: &Destination, budget: Duration) -> Result<HostTcpStream, Happened> {
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
}

impl<Q: ReliableStream, F: FnMut(Duration) -> Result<Q, Happened>> Attempts for HostAttempts<'_, F> {
    type UdpSec = HostStream;
    type Tcp = HostTcpStream;
    type Quic = Q;

    fn udp_sec(&mut self, budget: Duration) -> Result<HostStream, Happened> {
        self.connector.udp_sec(self.to, budget)
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
