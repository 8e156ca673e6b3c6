//! What all commands that talk to a peer share: their arguments, and errors that say what to do.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use nexus_net_adapter::backend::host::{HostEndpoint, HostStream, OpenError, Peers, config};
use nexus_net_adapter::stream::{CloseReason, StreamError};
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};

use crate::keys::{self, PublicKeyText};

/// How long a closing session is given to tell the peer.
const LINGER: Duration = Duration::from_secs(5);

/// The waiting side's arguments.
#[derive(clap::Args, Debug)]
pub(crate) struct Listening {
    /// Our key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The public key of a peer who may connect; give it once for each
    #[arg(long, value_name = "KEY", required = true)]
    allow: Vec<PublicKeyText>,
    /// Address and port to listen at; port 0 chooses a free one
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:4433")]
    listen: SocketAddr,
}

/// The calling side's arguments.
#[derive(clap::Args, Debug)]
pub(crate) struct Calling {
    /// Our key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The peer's public key
    #[arg(long, value_name = "KEY")]
    peer: PublicKeyText,
    /// Seconds to wait for the peer's answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
    /// The peer's address and port
    #[arg(value_name = "ADDRESS")]
    address: String,
}

impl Listening {
    /// Binds the socket and says where.
    pub(crate) fn bind(&self, application: &[u8]) -> Result<HostEndpoint> {
        let allowed = self.allow.iter().map(|key| key.0).collect();
        let endpoint = bind(&self.key, self.listen, application, Peers::Only(allowed), None)?;
        eprintln!("listening on {}", endpoint.local_addr()?);
        Ok(endpoint)
    }
}

impl Calling {
    /// Connects to the peer.
    pub(crate) fn connect(&self, application: &[u8]) -> Result<(HostEndpoint, HostStream)> {
        let remote = resolve(&self.address)?;
        let any = match remote {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let budget = Duration::from_secs(self.timeout);
        let peer = self.peer.0;
        let endpoint = bind(&self.key, any, application, Peers::Only(vec![peer]), Some(budget))?;
        let opened = endpoint.connect(remote, &peer, Instant::MAX);
        let stream = opened.map_err(|error| explain_open(&error, &endpoint, &peer, remote))?;
        Ok((endpoint, stream))
    }
}

/// Gives closing sessions the time to tell their peers.
pub(crate) fn linger(endpoint: &HostEndpoint) {
    // Not in time only means that a peer learns of the end by its own timeout.
    _ = endpoint.linger(endpoint.now() + LINGER);
}

/// The error of a stream in the middle of its work.
pub(crate) fn explain(error: StreamError) -> anyhow::Error {
    match error {
        StreamError::Closed(CloseReason::IdleTimeout) => {
            anyhow!(
                "the peer has fallen silent: its program or the network is gone; try again when it is back"
            )
        }
        StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort)) => {
            anyhow!("the peer gave up; its own error message says why")
        }
        other => anyhow!("the connection ended: {other}"),
    }
}

fn bind(
    key: &std::path::Path,
    address: SocketAddr,
    application: &[u8],
    peers: Peers,
    budget: Option<Duration>,
) -> Result<HostEndpoint> {
    let application = ApplicationProtocol::new(application).map_err(|error| anyhow!("{error}"))?;
    let mut config = config(keys::load(key)?, application);
    if let Some(budget) = budget {
        config.handshake_budget = budget;
    }
    config.sessions_per_peer = 16;
    config.keepalive = true;
    HostEndpoint::bind(address, config, peers).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("{address} is in use: another program listens there; choose another port with --listen")
        }
        ErrorKind::PermissionDenied => anyhow!("{address} may not be used: ports below 1024 are for root"),
        ErrorKind::AddrNotAvailable => anyhow!("{address} is not an address of this machine"),
        _ => anyhow!(error).context(format!("no socket at {address}")),
    })
}

fn resolve(address: &str) -> Result<SocketAddr> {
    let mut found = address.to_socket_addrs().with_context(|| {
        format!("'{address}' is not an address: give it as HOST:PORT, for example 192.0.2.7:4433")
    })?;
    match found.next() {
        Some(address) if address.port() != 0 => Ok(address),
        Some(_) => bail!("port 0 cannot be called"),
        None => bail!("'{address}' has no address"),
    }
}

fn explain_open(
    error: &OpenError,
    endpoint: &HostEndpoint,
    peer: &PublicKey,
    remote: SocketAddr,
) -> anyhow::Error {
    let forged = endpoint.rejects().get(Reject::HandshakeFailed) > 0;
    match error {
        OpenError::Failed(StreamError::Closed(CloseReason::HandshakeTimeout)) if forged => anyhow!(
            "somebody at {remote} answers, but not the holder of {}; check --peer",
            keys::to_text(peer)
        ),
        OpenError::Failed(StreamError::Closed(CloseReason::HandshakeTimeout)) => anyhow!(
            "no answer from {remote}: is the peer listening there, is its key {}, and has it been given ours with \
             --allow {}? It answers nobody else, and a firewall that drops UDP looks the same",
            keys::to_text(peer),
            keys::to_text(&endpoint.public_key()),
        ),
        OpenError::Failed(StreamError::Closed(CloseReason::Refused(CloseCode::NoAppProtocol))) => {
            anyhow!("the peer runs another udpsec command: `send` calls `recv`, and `connect` calls `listen`")
        }
        other => anyhow!("no connection to {remote}: {other}"),
    }
}
