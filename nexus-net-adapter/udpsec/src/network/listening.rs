//! The waiting side: a UDP and a TCP port of the same number, and whoever calls at either.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use anyhow::{Result, anyhow, bail};
use nexus_net_adapter::backend::host::{
    Attendant, HostClock, HostEndpoint, HostTcpListener, HostTcpStream, Peers,
};
use nexus_net_adapter::select::{Event, Mode, SelectedStream};
use nexus_net_adapter::tcp;
use tokio::sync::mpsc;
use udp_sec::time::Instant;
use udp_sec_recovery::endpoint::Config;

use super::{Session, Settings};
use crate::keys::PublicKeyText;

/// Callers that wait until the one before them was taken. More of them wait in their handshakes.
const WAITING_MAX: usize = 4;
/// Ports that are tried where any will do, until one is free for both transports.
const PORTS_TRIED: usize = 32;

/// The waiting side's arguments.
#[derive(clap::Args, Debug)]
pub(crate) struct Listening {
    /// The public key of a peer who may connect; give it once for each
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) allow: Vec<PublicKeyText>,
    /// Address and port to listen at; port 0 chooses a free one
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:4433")]
    pub(crate) listen: SocketAddr,
}

/// Takes the sessions that peers open.
pub(crate) struct Listener {
    udp: Option<(HostEndpoint, Arc<Attendant>)>,
    tcp: Option<mpsc::Receiver<HostTcpStream>>,
}

impl Listening {
    /// Binds the ports of the transports that `settings` want, and says where.
    pub(crate) fn bind(&self, settings: &Settings, application: &[u8]) -> Result<Listener> {
        let peers = Peers::Only(self.allow.iter().map(|key| key.0).collect());
        let config = settings.config(application)?;
        let (udp, tcp) = self.ports(settings.transport, &config, &peers)?;
        let (address, transports) = match (&udp, &tcp) {
            (Some(udp), Some(_)) => (udp.local_addr()?, "udp-sec and tcp"),
            (Some(udp), None) => (udp.local_addr()?, "udp-sec"),
            (None, Some(tcp)) => (tcp.local_addr()?, "tcp"),
            (None, None) => {
                bail!("quic is blocked: this tool brings none; use --transport auto, udp-sec or tcp")
            }
        };
        eprintln!("listening on {address}");
        eprintln!("serving {transports}");
        let attended = |endpoint: HostEndpoint| {
            io::Result::Ok((endpoint.clone(), endpoint.attend_in_background()?.into()))
        };
        Ok(Listener { udp: udp.map(attended).transpose()?, tcp: tcp.map(accept_all) })
    }

    /// The same port for both, where both are wanted.
    fn ports(
        &self,
        mode: Mode,
        config: &Config,
        peers: &Peers,
    ) -> Result<(Option<HostEndpoint>, Option<HostTcpListener>)> {
        let udp = |address| HostEndpoint::bind(address, config.clone(), peers.clone());
        let tcp = |address| {
            HostTcpListener::bind(address, tcp::Config::from(config), peers.clone(), HostClock::start())
        };
        let explain = |error| self.explain(error);
        Ok(match mode {
            Mode::Quic => (None, None),
            Mode::UdpSec => (Some(udp(self.listen).map_err(explain)?), None),
            Mode::Tcp => (None, Some(tcp(self.listen).map_err(explain)?)),
            Mode::Auto => {
                let mut tries = if self.listen.port() == 0 { PORTS_TRIED } else { 1 };
                loop {
                    let endpoint = udp(self.listen).map_err(explain)?;
                    match tcp(endpoint.local_addr()?) {
                        Ok(listener) => break (Some(endpoint), Some(listener)),
                        Err(error) if error.kind() == ErrorKind::AddrInUse && tries > 1 => tries -= 1,
                        Err(error) => {
                            return Err(explain(error)
                                .context("no port for TCP, which --transport udp-sec goes without"));
                        }
                    }
                }
            }
        })
    }

    fn explain(&self, error: io::Error) -> anyhow::Error {
        let address = self.listen;
        match error.kind() {
            ErrorKind::AddrInUse => {
                anyhow!(
                    "{address} is in use: another program listens there; choose another port with --listen"
                )
            }
            ErrorKind::PermissionDenied => {
                anyhow!("{address} may not be used: ports below 1024 are for root")
            }
            ErrorKind::AddrNotAvailable => anyhow!("{address} is not an address of this machine"),
            _ => anyhow!(error).context(format!("no socket at {address}")),
        }
    }
}

impl Listener {
    /// The next session, by whichever transport.
    pub(crate) async fn accept(&mut self, settings: &Settings) -> Result<Session> {
        let Self { udp, tcp } = self;
        let datagrams = async {
            match udp {
                Some((endpoint, attendant)) => {
                    let stream = SelectedStream::UdpSec(endpoint.accepted().await);
                    Some(Session { stream, attendant: Some(Arc::clone(attendant)) })
                }
                None => pending().await,
            }
        };
        let connections = async {
            match tcp {
                Some(accepted) => {
                    let stream = SelectedStream::Tcp(accepted.recv().await?);
                    Some(Session { stream, attendant: None })
                }
                None => pending().await,
            }
        };
        let session = tokio::select! {
            session = datagrams => session,
            session = connections => session,
        };
        let session =
            session.ok_or_else(|| anyhow!("nobody can call any more: the TCP socket has failed"))?;
        settings.show(&Event::Selected(session.stream.transport()));
        Ok(session)
    }
}

/// Takes the sessions that peers open over TCP, in a thread: their handshakes wait for several sockets at once.
fn accept_all(mut listener: HostTcpListener) -> mpsc::Receiver<HostTcpStream> {
    let (taker, accepted) = mpsc::channel(WAITING_MAX);
    thread::spawn(move || {
        while let Ok(stream) = listener.accept(Instant::MAX) {
            if taker.blocking_send(stream).is_err() {
                return;
            }
        }
    });
    accepted
}
