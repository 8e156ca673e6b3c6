//! One socket, one identity, any number of sessions.

use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;
use std::vec::Vec;

use udp_sec::handshake::identity::Policy;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::stats::RejectCounts;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, ConnectError};

use super::SESSIONS_PER_PEER;
use super::attendant::Attendant;
use super::shared::Shared;
use super::stream::HostStream;
use super::tasks::Wish;
use super::waiting::Topic;
use crate::stream::StreamError;
use crate::udp::SocketCounts;

/// A host asks for an acknowledgement of every 32nd packet at least: batches are large, and receivers acknowledge
/// at the end of each anyway.
const ACK_STEP: u8 = 32;

/// Initiations per second that a host looks into without a cookie: a fifth of one core.
const UNPROVEN_PER_SECOND: u16 = 1_000;

/// What a host wants: acknowledgements suited to batches, several sessions per peer; the rest as every endpoint.
#[must_use]
pub fn config(keypair: StaticKeypair, application: ApplicationProtocol) -> Config {
    // The endpoint sets the credit: it knows the size of its buffers.
    let parameters = Parameters { ack_step: ACK_STEP, ..Parameters::new(application, 0) };
    Config {
        sessions_per_peer: SESSIONS_PER_PEER,
        unproven_per_second: UNPROVEN_PER_SECOND,
        ..Config::new(keypair, parameters)
    }
}

/// Who may open a session.
#[derive(Clone, Debug)]
pub enum Peers {
    /// Whoever knows our public key. The application looks at [`PeerIdentity`](crate::stream::PeerIdentity) itself.
    Any,
    /// The holders of these keys, and nobody if there are none.
    Only(Vec<PublicKey>),
}

impl Policy for Peers {
    fn authorizes(&self, peer: &PublicKey) -> bool {
        match self {
            Self::Any => true,
            // All are compared, each in constant time, so that the time does not tell which one it was.
            Self::Only(keys) => keys.iter().fold(false, |found, key| found | (key == peer)),
        }
    }
}

/// Why no session was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The handshake could not begin.
    NotBegun(ConnectError),
    /// The handshake did not succeed.
    Failed(StreamError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBegun(why) => why.fmt(f),
            Self::Failed(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

impl From<ConnectError> for OpenError {
    fn from(why: ConnectError) -> Self {
        Self::NotBegun(why)
    }
}

impl From<StreamError> for OpenError {
    fn from(why: StreamError) -> Self {
        Self::Failed(why)
    }
}

/// An identity at a socket. Clones are the same endpoint; it lives as long as one of them or of its streams.
///
/// Nothing runs in the background unless asked for: datagrams are received, acknowledged and sent again while some
/// thread is in a call on the endpoint or on one of its streams, or while there is an [`Attendant`], and at no other
/// time. What was written leaves in the call, as far as the network permits; end with [`HostStream::close`] or
/// [`HostStream::flush`], which wait for the rest.
#[derive(Clone, Debug)]
pub struct HostEndpoint {
    shared: Arc<Shared>,
}

impl HostEndpoint {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Binds to `address` (port 0: any) and lets `peers` open sessions.
    ///
    /// # Errors
    /// Those of the system, among them [`io::ErrorKind::AddrInUse`].
    pub fn bind(address: SocketAddr, config: Config, peers: Peers) -> io::Result<Self> {
        Shared::bind(address, config, peers).map(|shared| Self::new(Arc::new(shared)))
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.shared.socket.local_addr()
    }

    /// Our public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.shared.look(|driver| *driver.public_key())
    }

    /// The clock that deadlines are measured by.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.shared.clock.now()
    }

    /// Opens a session with the holder of `peer` at `remote`.
    ///
    /// # Errors
    /// [`OpenError`]; nobody there, or the wrong key, is
    /// [`HandshakeTimeout`](crate::stream::CloseReason::HandshakeTimeout) once the handshake budget is spent.
    pub fn connect(
        &self,
        remote: SocketAddr,
        peer: &PublicKey,
        deadline: Instant,
    ) -> Result<HostStream, OpenError> {
        let mut stream = self.begin(remote, peer)?;
        stream.established(deadline)?;
        Ok(stream)
    }

    /// As [`connect`](Self::connect), for a task; the handshake budget is the limit. To drop the future is to give
    /// the handshake up. Needs an [`Attendant`], or a thread that attends.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connected(&self, remote: SocketAddr, peer: &PublicKey) -> Result<HostStream, OpenError> {
        let mut stream = self.begin(remote, peer)?;
        poll_fn(|context| stream.poll_established(context)).await?;
        Ok(stream)
    }

    /// Begins a session with the holder of `peer` at `remote`. Nothing can be read or written before it is
    /// [`established`](HostStream::established); to drop the stream is to give the handshake up.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn begin(&self, remote: SocketAddr, peer: &PublicKey) -> Result<HostStream, ConnectError> {
        let id = self.shared.act(|driver, now| driver.connect(now, Path::to(remote), peer))?;
        Ok(HostStream::new(Arc::clone(&self.shared), id))
    }

    /// Takes the next session that a peer opens.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while there is none.
    pub fn accept(&self, deadline: Instant) -> Result<HostStream, StreamError> {
        let id = self.shared.wait_for(Topic::Accept, deadline, |driver| driver.accept())?;
        Ok(HostStream::new(Arc::clone(&self.shared), id))
    }

    /// As [`accept`](Self::accept), for a task. Needs an [`Attendant`], or a thread that attends.
    pub async fn accepted(&self) -> HostStream {
        poll_fn(|context| self.poll_accept(context)).await
    }

    /// Takes the next session that a peer opens, or wakes the task of `context` once there may be one. Of several
    /// tasks, the last is woken.
    pub fn poll_accept(&self, context: &Context<'_>) -> Poll<HostStream> {
        match self.shared.poll_for(Wish::Accept, context, |driver| driver.accept()) {
            Poll::Ready(Ok(id)) => Poll::Ready(HostStream::new(Arc::clone(&self.shared), id)),
            // Accepting waits, and fails in no other way.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }

    /// Starts a thread that keeps all sessions going while no other thread waits: for programs made of tasks, which
    /// must not block. One is enough for an endpoint. It ends when what is returned is dropped.
    ///
    /// # Errors
    /// The system has no more threads to give.
    pub fn attend_in_background(&self) -> io::Result<Attendant> {
        Attendant::start(&self.shared)
    }

    /// Keeps all sessions going until the deadline, and does nothing else: for a thread of its own, in programs whose
    /// other threads are not always in a call.
    pub fn attend(&self, deadline: Instant) {
        // Nothing ends this before its time.
        _ = self.shared.wait_for(Topic::Nothing, deadline, |_| Err::<(), _>(StreamError::WouldBlock));
    }

    /// Waits until nothing is left of any session: the peers know that they are over, and will not ask again. For
    /// the end of a program, after its streams have been dropped.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while anything is left.
    pub fn linger(&self, deadline: Instant) -> Result<(), StreamError> {
        self.shared.wait_for(Topic::Progress, deadline, |driver| match driver.is_silent() {
            true => Ok(()),
            false => Err(StreamError::WouldBlock),
        })
    }

    /// How many sessions there are, those not yet accepted or released included.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.look(|driver| driver.sessions())
    }

    /// What was dropped so far, and why.
    #[must_use]
    pub fn rejects(&self) -> RejectCounts {
        self.shared.look(|driver| driver.rejects().clone())
    }

    /// What happened at the socket so far.
    #[must_use]
    pub fn socket_counts(&self) -> SocketCounts {
        self.shared.look(|driver| driver.counts())
    }
}
