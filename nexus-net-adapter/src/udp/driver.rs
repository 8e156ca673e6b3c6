//! One socket, one endpoint: [`Driver::drive`] moves datagrams between them, everything else is for streams.
//!
//! 1. One batch of datagrams goes in, and whatever time has made due is done.
//! 2. What is to leave goes out, until the endpoint has nothing more or the socket takes nothing more.
//! 3. The caller learns when to come back.

use heapless::{Deque, Vec};
use rand_core::TryCryptoRng;
use udp_sec::error::CloseCode;
use udp_sec::handshake::identity::Policy;
use udp_sec::keys::PublicKey;
use udp_sec::stats::RejectCounts;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::{Connection, Path, ReadError, Transmit, WriteError};
use udp_sec_recovery::endpoint::{ConnectError, Endpoint, Output, Pool, SessionId};
use udp_sec_recovery::event::{Closure, Event};

use super::datagrams::{Datagrams, Received, SendError, SocketCounts};
use crate::stream::{CloseReason, Interest, PeerIdentity, StreamError};

/// Sends in one step; more work means another step, so that receiving is never starved.
const SENDS_PER_STEP: usize = 16;

/// When the driver has something to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// At this time, if not earlier because a datagram arrives or the application does something.
    pub wake_at: Option<Instant>,
    /// Whether it waits for the socket to take datagrams again.
    pub blocked: bool,
}

/// A handshake that the application has begun and that has not succeeded; a failed one stays until released.
#[derive(Debug)]
struct Opening {
    id: SessionId,
    failed: Option<CloseReason>,
}

/// An [`Endpoint`] and the socket it runs on, with what the application has not taken yet.
#[derive(Debug)]
pub struct Driver<B, R, P: Pool, A: Policy, const SESSIONS: usize, const HANDSHAKES: usize> {
    endpoint: Endpoint<P, A, SESSIONS, HANDSHAKES>,
    datagrams: B,
    rng: R,
    /// Datagrams that the socket did not take, still in its buffer.
    held: Option<Transmit>,
    openings: Vec<Opening, HANDSHAKES>,
    /// Sessions that peers have opened and nobody has accepted.
    backlog: Deque<SessionId, SESSIONS>,
    counts: SocketCounts,
}

impl<B, R, P, A, const SESSIONS: usize, const HANDSHAKES: usize> Driver<B, R, P, A, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
{
    /// Runs `endpoint` over `datagrams`, with `rng` for handshakes.
    pub const fn new(endpoint: Endpoint<P, A, SESSIONS, HANDSHAKES>, datagrams: B, rng: R) -> Self {
        Self {
            endpoint,
            datagrams,
            rng,
            held: None,
            openings: Vec::new(),
            backlog: Deque::new(),
            counts: SocketCounts { sends: 0, held: 0, too_large: 0, failed: 0, batches: 0 },
        }
    }

    /// One step, at `now`: receives, does what is due, sends. Each event is shown to `on_event` as well, for
    /// callers that have somebody to wake.
    pub fn drive(&mut self, now: Instant, on_event: impl FnMut(SessionId, Event)) -> Next {
        let received = self.receive(now);
        self.endpoint.handle_timeout(now);
        let next = self.send(now, on_event);
        match received {
            Received::More => Next { wake_at: Some(now), ..next },
            Received::All | Received::Nothing => next,
        }
    }

    /// A step without receiving: sends what the application's last call made due.
    pub fn flush(&mut self, now: Instant, on_event: impl FnMut(SessionId, Event)) -> Next {
        self.send(now, on_event)
    }

    /// One batch of datagrams in.
    fn receive(&mut self, now: Instant) -> Received {
        let Self { endpoint, datagrams, rng, .. } = self;
        let received = datagrams.receive(now, |path, datagram| {
            endpoint.handle_datagram(now, rng, path, datagram);
        });
        if received != Received::Nothing {
            self.counts.batches = self.counts.batches.saturating_add(1);
            self.endpoint.end_of_batch();
        }
        received
    }

    /// What is to leave, out; what is to be told, noted.
    fn send(&mut self, now: Instant, mut on_event: impl FnMut(SessionId, Event)) -> Next {
        if let Some(held) = self.held.take() {
            self.hand_over(now, held);
        }
        let mut sends = 0;
        while self.held.is_none() {
            if sends == SENDS_PER_STEP {
                return Next { wake_at: Some(now), blocked: false };
            }
            match self.endpoint.poll_output(now, self.datagrams.buffer()) {
                Output::Transmit(transmit) => {
                    self.hand_over(now, transmit);
                    sends = sends.saturating_add(1);
                }
                Output::Event(id, event) => {
                    self.note(id, event);
                    on_event(id, event);
                }
                Output::Wait(wake_at) => return Next { wake_at, blocked: false },
            }
        }
        // What else is due waits for the socket, too: a time to wake at would make the caller spin.
        Next { wake_at: None, blocked: true }
    }

    fn hand_over(&mut self, now: Instant, transmit: Transmit) {
        let counter = match self.datagrams.send(now, &transmit) {
            Ok(()) => &mut self.counts.sends,
            Err(SendError::WouldBlock) => {
                self.held = Some(transmit);
                &mut self.counts.held
            }
            Err(SendError::TooLarge) => {
                self.endpoint.path_too_narrow(transmit.path);
                &mut self.counts.too_large
            }
            Err(SendError::Failed) => &mut self.counts.failed,
        };
        *counter = counter.saturating_add(1);
    }

    fn note(&mut self, id: SessionId, event: Event) {
        let opening = self.openings.iter().position(|opening| opening.id == id);
        match (event, opening) {
            (Event::Established, Some(opening)) => {
                self.openings.swap_remove(opening);
            }
            (Event::Closed(why), Some(opening)) => {
                if let Some(opening) = self.openings.get_mut(opening) {
                    opening.failed = Some(why.into());
                }
            }
            (Event::Established, None) => {
                let endpoint = &self.endpoint;
                self.backlog.retain(|waiting| endpoint.peek(*waiting).is_some());
                // A place for every session there can be.
                _ = self.backlog.push_back(id);
            }
            _ => {}
        }
    }

    /// Begins a handshake with the holder of `peer` over `path`. There is a session once it has succeeded, see
    /// [`opened`](Self::opened); [`release`](Self::release) gives it up.
    ///
    /// # Errors
    /// See [`Endpoint::connect`].
    pub fn connect(&mut self, now: Instant, path: Path, peer: &PublicKey) -> Result<SessionId, ConnectError> {
        if self.openings.is_full() {
            return Err(ConnectError::TooManyAttempts);
        }
        let id = self.endpoint.connect(now, &mut self.rng, path, peer)?;
        self.openings.push(Opening { id, failed: None }).map_err(|_| ConnectError::TooManyAttempts)?;
        Ok(id)
    }

    /// Whether the session `id` has begun.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] while the handshake is under way, [`StreamError::Closed`] if it failed, or if the
    /// endpoint has forgotten the session because it had to give way to a newer one.
    pub fn opened(&self, id: SessionId) -> Result<(), StreamError> {
        let opening = self.openings.iter().find(|opening| opening.id == id);
        match (opening, self.endpoint.peek(id)) {
            (Some(opening), _) => Err(opening.failed.map_or(StreamError::WouldBlock, StreamError::Closed)),
            (None, Some(_)) => Ok(()),
            (None, None) => Err(StreamError::Closed(CloseReason::Superseded)),
        }
    }

    /// Takes the next session that a peer has opened.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] while there is none.
    pub fn accept(&mut self) -> Result<SessionId, StreamError> {
        while let Some(id) = self.backlog.pop_front() {
            if self.endpoint.peek(id).is_some() {
                return Ok(id);
            }
        }
        Err(StreamError::WouldBlock)
    }

    /// Reads from the session `id`; 0 is the end of its stream.
    ///
    /// # Errors
    /// As [`ReliableStream::read`](crate::stream::ReliableStream::read) with a deadline in the past.
    pub fn read(&mut self, id: SessionId, buf: &mut [u8]) -> Result<usize, StreamError> {
        if buf.is_empty() {
            return Ok(0);
        }
        match self.session(id)?.read(buf) {
            Ok(0) => Err(StreamError::WouldBlock),
            Ok(count) => Ok(count),
            Err(ReadError::Finished) => Ok(0),
            Err(ReadError::Closed(why)) => Err(StreamError::Closed(why.into())),
        }
    }

    /// Writes to the session `id`.
    ///
    /// # Errors
    /// As [`ReliableStream::write`](crate::stream::ReliableStream::write) with a deadline in the past.
    pub fn write(&mut self, id: SessionId, data: &[u8]) -> Result<usize, StreamError> {
        match self.session(id)?.write(data) {
            Ok(0) if !data.is_empty() => Err(StreamError::WouldBlock),
            Ok(count) => Ok(count),
            Err(WriteError::Finished) => Err(StreamError::Finished),
            Err(WriteError::Closed(why)) => Err(StreamError::Closed(why.into())),
        }
    }

    /// Ends our direction of the session `id`.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the session ended before.
    pub fn finish(&mut self, id: SessionId) -> Result<(), StreamError> {
        let session = self.session(id)?;
        match session.closure() {
            None | Some(Closure::Complete) => {
                session.finish();
                Ok(())
            }
            Some(why) => Err(StreamError::Closed(why.into())),
        }
    }

    /// Aborts the session `id`; a handshake under way is left to [`release`](Self::release).
    pub fn abort(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.endpoint.session(id) {
            session.abort(now, CloseCode::AppAbort);
        }
    }

    /// Whether `interest` in the session `id` is met; the end of the session meets any.
    ///
    /// # Errors
    /// As [`ReliableStream::wait`](crate::stream::ReliableStream::wait) with a deadline in the past.
    pub fn ready(&mut self, id: SessionId, interest: Interest) -> Result<(), StreamError> {
        let session = match self.session(id) {
            Ok(session) => session,
            Err(StreamError::Closed(_)) if interest != Interest::Delivered => return Ok(()),
            Err(why) => return Err(why),
        };
        if interest == Interest::Delivered {
            return match session.closure() {
                _ if session.is_delivered() => Ok(()),
                None => Err(StreamError::WouldBlock),
                Some(why) => Err(StreamError::Closed(why.into())),
            };
        }
        let readable = interest.in_reading() && (session.readable() > 0 || session.is_drained());
        let writable = interest.in_writing() && session.is_writable();
        if session.closure().is_some() || readable || writable {
            return Ok(());
        }
        if interest.in_writing() {
            session.await_low_water();
        }
        Err(StreamError::WouldBlock)
    }

    /// Whether the session `id` has ended, and how: `Ok` when both directions are complete.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] while it is open, [`StreamError::Closed`] when it ended in another way.
    pub fn ended(&self, id: SessionId) -> Result<(), StreamError> {
        self.opened(id)?;
        match self.endpoint.peek(id).and_then(Connection::closure) {
            None => Err(StreamError::WouldBlock),
            Some(Closure::Complete) => Ok(()),
            Some(why) => Err(StreamError::Closed(why.into())),
        }
    }

    /// The application is done with `id`, session or handshake; an open one is aborted.
    pub fn release(&mut self, now: Instant, id: SessionId) {
        self.openings.retain(|opening| opening.id != id);
        self.endpoint.release(now, id);
    }

    /// The session `id`.
    ///
    /// # Errors
    /// As [`opened`](Self::opened).
    pub fn session(&mut self, id: SessionId) -> Result<&mut Connection<P::Storage>, StreamError> {
        self.opened(id)?;
        self.endpoint.session(id).ok_or(StreamError::Closed(CloseReason::Superseded))
    }

    /// The session `id`, to look at.
    #[must_use]
    pub fn peek(&self, id: SessionId) -> Option<&Connection<P::Storage>> {
        self.endpoint.peek(id)
    }

    /// Who the peer of the session `id` is.
    #[must_use]
    pub fn peer(&self, id: SessionId) -> Option<PeerIdentity> {
        self.endpoint.peek(id).map(|session| PeerIdentity::proven(*session.peer()))
    }

    /// How many sessions there are, those not yet released included.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.endpoint.sessions()
    }

    /// Whether there is no session, and nothing left to say about those there were.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.endpoint.sessions() == 0 && self.endpoint.farewells() == 0
    }

    /// Our public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.endpoint.public_key()
    }

    /// What was dropped so far, and why.
    #[must_use]
    pub const fn rejects(&self) -> &RejectCounts {
        self.endpoint.rejects()
    }

    /// What happened at the socket so far.
    #[must_use]
    pub const fn counts(&self) -> SocketCounts {
        self.counts
    }

    /// The socket.
    pub const fn datagrams(&mut self) -> &mut B {
        &mut self.datagrams
    }
}

impl From<Closure> for CloseReason {
    fn from(why: Closure) -> Self {
        match why {
            Closure::Complete => Self::Complete,
            Closure::ByPeer(code) => Self::ByPeer(code),
            Closure::ByUs(code) => Self::ByUs(code),
            Closure::Refused(code) => Self::Refused(code),
            Closure::TimedOut => Self::IdleTimeout,
            Closure::HandshakeTimeout => Self::HandshakeTimeout,
            Closure::NoPath => Self::NoPath,
            Closure::IdentityProofInvalid => Self::IdentityProofInvalid,
            Closure::Superseded => Self::Superseded,
        }
    }
}
