//! One connection: a socket of this machine, joined to a stream of the session.
//!
//! Each direction ends by itself: the end of what one side sends is the end of what the other reads, and the way back
//! stays open. A reset on either side resets the other, so that no half of a transfer looks like a whole one.

use std::io::{self, ErrorKind, IoSlice};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::mux::MuxStream;
use super::spec::Target;
use super::wire::Refusal;

/// Bytes that are read from a socket at a time.
const CHUNK: usize = 32 * 1024;
/// How long a target may take to answer.
const CONNECT_BUDGET: Duration = Duration::from_secs(30);

/// Connects to `target`, by any of its addresses.
pub(crate) async fn connect(target: &Target) -> Result<TcpStream, Refusal> {
    let connecting = TcpStream::connect((target.host.as_str(), target.port));
    match timeout(CONNECT_BUDGET, connecting).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(error)) => Err(Refusal::of_connect(error.kind())),
        Err(_) => Err(Refusal::Unreachable),
    }
}

/// Joins `socket` and `stream` until both directions are at their end.
///
/// # Errors
/// What the peer reset the stream for. A socket that breaks is none of the caller's concern: the peer is told.
pub(crate) async fn join(mut socket: TcpStream, stream: MuxStream) -> Result<(), Refusal> {
    // Pieces arrive as they were sent; to wait for more would only delay them. Without it, things are slower.
    _ = socket.set_nodelay(true);
    let (reader, writer) = socket.split();
    let halves = async { tokio::try_join!(upload(reader, &stream), download(&stream, writer)) };
    let outcome = tokio::select! {
        outcome = halves => outcome.map(|_| ()),
        why = stream.reset_by_peer() => Err(Broken::Stream(why)),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(Broken::Socket) => {
            stream.reset(Refusal::ConnectionReset);
            Ok(())
        }
        Err(Broken::Stream(why)) => {
            reset(&socket);
            Err(why)
        }
    }
}

/// Makes the end of `socket` a reset, once it is dropped.
pub(crate) fn reset(socket: &TcpStream) {
    // Where that cannot be had, it is an end without one.
    _ = socket.set_zero_linger();
}

/// What broke a connection.
#[derive(Debug)]
enum Broken {
    Socket,
    Stream(Refusal),
}

impl From<Refusal> for Broken {
    fn from(why: Refusal) -> Self {
        Self::Stream(why)
    }
}

/// From the socket to the stream. What the stream has no room for stays in the socket.
async fn upload(socket: ReadHalf<'_>, stream: &MuxStream) -> Result<(), Broken> {
    let mut chunk = vec![0; CHUNK];
    loop {
        socket.readable().await.map_err(|_| Broken::Socket)?;
        match again(socket.try_read(&mut chunk))? {
            Some(0) => return Ok(stream.close()?),
            Some(count) => stream.write_all(chunk.get(..count).unwrap_or_default()).await?,
            None => {}
        }
    }
}

/// From the stream to the socket. What the socket does not take stays in the stream, and the peer gets no credit for it.
async fn download(stream: &MuxStream, mut socket: WriteHalf<'_>) -> Result<(), Broken> {
    loop {
        let step = stream.read_with(|first, second| {
            if first.is_empty() && second.is_empty() {
                return (0, Ok(Step::Ended));
            }
            match again(socket.try_write_vectored(&[IoSlice::new(first), IoSlice::new(second)])) {
                Ok(Some(count)) => (count, Ok(Step::Moved)),
                Ok(None) => (0, Ok(Step::Full)),
                Err(broken) => (0, Err(broken)),
            }
        });
        match step.await?? {
            Step::Moved => {}
            Step::Full => socket.writable().await.map_err(|_| Broken::Socket)?,
            Step::Ended => return socket.shutdown().await.map_err(|_| Broken::Socket),
        }
    }
}

enum Step {
    Moved,
    /// The socket takes nothing now.
    Full,
    Ended,
}

/// `None` where the socket has to be waited for.
fn again(outcome: io::Result<usize>) -> Result<Option<usize>, Broken> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(_) => Err(Broken::Socket),
    }
}
