//! The calling side: udp-sec, then TCP where the mode allows it, and for what reason there is no session.

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::{Context, Result, anyhow, bail};
use nexus_net_adapter::backend::host::{Destination, HostConnector, NotConnected, UdpSec};
use nexus_net_adapter::select::{Happened, Mode, Transport};
use udp_sec::error::CloseCode;
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::Config;

use super::{Session, Settings};
use crate::keys::{self, PublicKeyText};

/// The calling side's arguments.
#[derive(clap::Args, Debug)]
pub(crate) struct Calling {
    /// The peer's public key
    #[arg(long, value_name = "KEY")]
    pub(crate) peer: PublicKeyText,
    /// The peer's address and port
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// What may be said about a call besides who is called.
#[derive(clap::Args, Debug)]
pub(crate) struct Bounds {
    /// Where the peer listens for TCP, if that is not the same address and port
    #[arg(long, value_name = "ADDRESS")]
    tcp_address: Option<String>,
    /// Seconds to wait for the peer's answer, over each transport (over udp-sec at most 5 if TCP can follow)
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=30))]
    timeout: u64,
}

/// Calls one peer, as often as asked.
pub(crate) struct Caller {
    settings: Settings,
    config: Config,
    to: Destination,
}

/// Why there is no session, for programs and for people.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: Happened,
    pub(crate) advice: anyhow::Error,
}

impl Caller {
    /// Nothing is called yet.
    pub(crate) fn new(settings: &Settings, calling: &Calling, application: &[u8]) -> Result<Self> {
        let udp = resolve(&calling.address)?;
        let tcp = calling.bounds.tcp_address.as_deref().map_or(Ok(udp), resolve)?;
        let timeout = Duration::from_secs(calling.bounds.timeout);
        let config = Config { handshake_budget: timeout, ..settings.config(application)? };
        let to = Destination { peer: calling.peer.0, udp_sec: udp, tcp };
        Ok(Self { settings: settings.clone(), config, to })
    }

    /// Opens a session.
    pub(crate) fn call(&self) -> Result<Session, Failure> {
        let connector = HostConnector::new(self.config.clone(), UdpSec::Anywhere);
        let mode = self.settings.transport;
        let connected = connector.connect(&self.to, mode, |event| self.settings.show(&event));
        match connected {
            Ok(stream) => Ok(Session { stream, attendant: None }),
            Err(failed) => Err(Failure { reason: failed.why.reason, advice: self.explain(&failed) }),
        }
    }

    /// What failed, and what to do about it.
    fn explain(&self, NotConnected { why: failed, forgeries }: &NotConnected) -> anyhow::Error {
        let Destination { peer, udp_sec: udp, tcp } = &self.to;
        let theirs = keys::to_text(peer);
        let ours = keys::to_text(self.config.keypair.public());
        let forged = *forgeries > 0;
        let shared = match self.config.credentials.pre_shared_keys {
            Some(_) => " Both sides need the same file for --psk.",
            None => "",
        };
        let questions = format!(
            "is the peer listening there, is its key {theirs}, and has it been given ours with --allow {ours}?{shared}"
        );
        match (failed.transport, failed.reason) {
            (_, Happened::Silence | Happened::ConnectionFailed) if forged => {
                anyhow!("somebody at {udp} answers, but not the holder of {theirs}; check --peer.{shared}")
            }
            (Transport::UdpSec, Happened::Silence) => anyhow!(
                "no answer from {udp} over udp-sec: {questions} It answers nobody else, and a firewall that drops UDP \
                 looks the same; --transport auto would try TCP as well"
            ),
            (_, Happened::Silence | Happened::ConnectionFailed) => anyhow!(
                "no answer from {tcp} over TCP{}: {questions} It answers nobody else",
                if failed.mode == Mode::Auto {
                    format!(", nor from {udp} over udp-sec")
                } else {
                    String::new()
                }
            ),
            (_, Happened::NoPath) => anyhow!(
                "the path to {udp} does not carry datagrams of 1200 bytes: raise the MTU, or use --transport tcp"
            ),
            (_, Happened::Refused(CloseCode::NoAppProtocol)) => anyhow!(
                "the peer runs another udpsec command: `send` calls `recv`, `connect` calls `listen`, and `forward` \
                 calls `forward --listen`"
            ),
            (Transport::Quic, Happened::Disabled) => anyhow!(
                "quic is blocked: this tool brings no QUIC of its own; use --transport auto, udp-sec or tcp"
            ),
            _ => anyhow!("no connection to {udp}: {failed}"),
        }
    }
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
