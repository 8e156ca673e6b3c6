//! `udpsec listen` and `udpsec connect`: a two-way pipe between two terminals or programs, like netcat.

use anyhow::{Context, Result};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::network::{self, Caller, Calling, Listening, Session, Settings, TaskStream, TokioSelected};

const APPLICATION: &[u8] = b"udpsec-pipe/1";
/// Bytes that are moved at a time.
const CHUNK: usize = 65_536;

/// Wait for a peer, then join its stream to standard input and output
#[derive(clap::Args, Debug)]
pub(crate) struct ListenArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    listening: Listening,
}

/// Call a peer that listens, then join its stream to standard input and output
#[derive(clap::Args, Debug)]
pub(crate) struct ConnectArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    calling: Calling,
}

/// Waits for one peer and serves it.
pub(crate) async fn run_listen(args: &ListenArgs) -> Result<()> {
    let mut listener = args.listening.bind(&args.settings, APPLICATION)?;
    let session = listener.accept(&args.settings).await?;
    eprintln!("connected with {}", session.peer_addr()?);
    join(session).await
}

/// Calls a peer.
pub(crate) async fn run_connect(args: &ConnectArgs) -> Result<()> {
    let caller = Caller::new(&args.settings, &args.calling, APPLICATION)?;
    join(caller.call().map_err(|failure| failure.advice)?).await
}

/// Joins the session to standard input and output, until both directions are at their end.
async fn join(session: Session) -> Result<()> {
    let mut session = session.into_tasks()?;
    let halves = TaskStream::new(&mut session.stream);
    let copying = async { tokio::try_join!(send_input(&halves), print_output(&halves)) };
    let copied = tokio::select! {
        copied = copying => copied,
        never = halves.attend() => match never {},
    };
    let outcome = match copied {
        Ok(_) => session.close().await.map_err(network::explain),
        Err(error) => {
            session.stream.abort();
            Err(error)
        }
    };
    session.end();
    outcome
}

/// Sends standard input to its end, then finishes our direction.
async fn send_input(stream: &TaskStream<'_, TokioSelected>) -> Result<()> {
    let mut input = tokio::io::stdin();
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = input.read(&mut buffer).await.context("standard input cannot be read")?;
        if count == 0 {
            return stream.finish().map_err(network::explain);
        }
        match stream.write_all(buffer.get(..count).unwrap_or_default()).await {
            // The other direction says why.
            Err(StreamError::Closed(_)) => return Ok(()),
            sent => sent.map_err(network::explain)?,
        }
    }
}

/// Prints what arrives, to its end.
async fn print_output(stream: &TaskStream<'_, TokioSelected>) -> Result<()> {
    let mut output = tokio::io::stdout();
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = stream.read(&mut buffer).await.map_err(network::explain)?;
        if count == 0 {
            return Ok(());
        }
        output
            .write_all(buffer.get(..count).unwrap_or_default())
            .await
            .context("standard output is closed")?;
        output.flush().await.context("standard output is closed")?;
    }
}
