//! `udpsec forward`: TCP ports of one side lead to targets of the other, over one session.
//!
//! ```text
//! client ── TCP ──► port here ──┐                      ┌──► TCP ── target there     -L, for each connection
//!                               ├═ a stream each of ═══┤
//! target ── TCP ◄── here ◄──────┘     one session      └─── port there ◄── TCP      -R
//! ```
//! | module | concept |
//! | --- | --- |
//! | [`spec`] | what is forwarded where, as people write it |
//! | [`wire`] | what the two sides say to each other |
//! | [`mux`] | the session and its streams, for tasks |
//! | [`relay`] | one connection |
//! | [`port`] | a port whose connections become streams |
//! | [`caller`] | the calling side, and trying again |
//! | [`server`] | the listening side, and what it permits |

mod caller;
mod mux;
mod port;
mod relay;
mod server;
mod spec;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use self::caller::Local;
use self::server::Server;
use self::spec::{Forwarding, ListenPermit, Permit};
use crate::keys::PublicKeyText;
use crate::network::{Bounds, Caller, Calling, Listening, Settings};

/// Forward TCP ports to the other side, in both directions, over one session
///
/// One side listens and says what callers may reach; the other calls and says what it wants forwarded.
#[derive(clap::Args, Debug)]
#[command(override_usage = "udpsec forward --key FILE --peer KEY [-L ...] [-R ...] ADDRESS\n       \
                            udpsec forward --key FILE --allow KEY --listen ADDRESS [--permit ...] [--permit-listen ...]")]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten, next_help_heading = "The side that calls")]
    calling: CallingArgs,
    #[command(flatten, next_help_heading = "The side that listens")]
    listening: ListeningArgs,
}

#[derive(clap::Args, Debug)]
struct CallingArgs {
    /// The peer's address and port
    #[arg(value_name = "ADDRESS", required_unless_present = "listen")]
    address: Option<String>,
    /// The peer's public key
    #[arg(long, value_name = "KEY", required_unless_present = "listen")]
    peer: Option<PublicKeyText>,
    /// Listen here, and connect there: on the peer's side, to HOST:PORT
    #[arg(short = 'L', long, value_name = "[BIND:]PORT:HOST:PORT")]
    local: Vec<Forwarding>,
    /// Listen there, on the peer's side, and connect here, to HOST:PORT
    #[arg(short = 'R', long, value_name = "[BIND:]PORT:HOST:PORT")]
    remote: Vec<Forwarding>,
    #[command(flatten)]
    bounds: Bounds,
}

#[derive(clap::Args, Debug)]
struct ListeningArgs {
    /// Address and port to listen at; port 0 chooses a free one
    #[arg(long, value_name = "ADDRESS", requires = "allow", conflicts_with_all = ["address", "peer", "local", "remote"])]
    listen: Option<SocketAddr>,
    /// The public key of a peer who may connect; give it once for each
    #[arg(long, value_name = "KEY", requires = "listen")]
    allow: Vec<PublicKeyText>,
    /// A target that callers may reach with -L, `HOST:*` for any port; give it once for each
    #[arg(long, value_name = "HOST:PORT", requires = "listen")]
    permit: Vec<Permit>,
    /// Where callers may listen with -R; give it once for each
    #[arg(long, value_name = "[BIND:]PORT", requires = "listen")]
    permit_listen: Vec<ListenPermit>,
}

/// Forwards until told to end.
pub(crate) async fn run(args: Args) -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    // Dropped at the end, and with it the sessions, which tells the peers.
    let tasks = LocalSet::new();
    tokio::select! {
        outcome = tasks.run_until(forward(args)) => outcome,
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    }
}

async fn forward(args: Args) -> Result<()> {
    let Args { settings, calling, listening } = args;
    if let Some(listen) = listening.listen {
        let listener = Listening { allow: listening.allow, listen }.bind(&settings, wire::APPLICATION)?;
        return Server::new(listening.permit, listening.permit_listen).run(listener, &settings).await;
    }
    let CallingArgs { address: Some(address), peer: Some(peer), local, remote, bounds } = calling else {
        bail!("ADDRESS and --peer say who is called, or --listen that we are");
    };
    if local.is_empty() && remote.is_empty() {
        bail!("nothing to forward: say what with -L or -R, for example -L 8080:localhost:80");
    }
    let mut bound = Vec::new();
    for forwarding in &local {
        bound.push(Local::bind(forwarding).await?);
    }
    let caller = Caller::new(&settings, &Calling { peer, address, bounds }, wire::APPLICATION)?;
    caller::run(Arc::new(caller), &bound, &remote).await
}
