//! What all commands that talk to a peer share: who we are, which transports count, and errors that say what to do.
//!
//! | module | concept |
//! | --- | --- |
//! | [`calling`] | the side that calls: one attempt after the other, and why there is no session |
//! | [`listening`] | the side that waits, at a UDP and a TCP port of the same number |
//! | [`stream`] | what both end with |
//! | [`task`] | that, for tasks |

mod calling;
mod listening;
mod stream;
mod task;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use nexus_net_adapter::backend::host::config;
use nexus_net_adapter::select::{Event, Mode, VARIABLE};
use nexus_net_adapter::stream::{CloseReason, StreamError};
use udp_sec::error::CloseCode;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec_recovery::endpoint::Config;

pub(crate) use calling::{Bounds, Caller, Calling, Failure};
pub(crate) use listening::{Listener, Listening};
pub(crate) use stream::Session;
pub(crate) use task::{TaskStream, TokioSelected};

use crate::keys;

/// Sessions that one peer may have with us at once.
const SESSIONS_PER_PEER: usize = 16;

/// Both sides' arguments.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Settings {
    /// Our key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file with a key that both sides have beforehand: without it, no session (`udpsec keygen --pre-shared` makes one)
    #[arg(long, value_name = "FILE")]
    psk: Option<PathBuf>,
    /// What carries the session: auto (udp-sec, and TCP where that does not get through), udp-sec, tcp or quic
    #[arg(long, value_name = "NAME", env = VARIABLE, default_value_t = Mode::Auto)]
    pub(crate) transport: Mode,
    /// Print each decision about the transport also as the line by which logs are judged
    #[arg(long)]
    markers: bool,
}

impl Settings {
    /// What a session of `application` is to be like.
    pub(crate) fn config(&self, application: &[u8]) -> Result<Config> {
        let application = ApplicationProtocol::new(application).map_err(|error| anyhow!("{error}"))?;
        let mut config = config(keys::load(&self.key)?, application);
        config.sessions_per_peer = SESSIONS_PER_PEER;
        config.keepalive = true;
        if let Some(path) = &self.psk {
            // It serves every handshake until the program ends.
            config.credentials.pre_shared_keys = Some(Box::leak(Box::new(keys::load_shared(path)?)));
        }
        Ok(config)
    }

    /// Shows a decision to whoever watches. That there is no session, the error says that follows from it.
    pub(crate) fn show(&self, event: &Event) {
        if !matches!(event, Event::Failed { .. }) {
            eprintln!("{event}");
        }
        if let Some(marker) = event.marker().filter(|_| self.markers) {
            eprintln!("{marker}");
        }
    }
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
