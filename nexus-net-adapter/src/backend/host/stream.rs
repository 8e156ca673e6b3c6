//! One session of a [`HostEndpoint`](super::HostEndpoint).

use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;

use udp_sec::time::Instant;
use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::stats::{PathState, Stats};

use super::endpoint::HostEndpoint;
use super::shared::Shared;
use super::storage::HostStorage;
use super::tasks::Wish;
use super::waiting::Topic;
use crate::stream::{Interest, PeerIdentity, PollReady, ReliableStream, StreamError};

/// A stream to one peer. Clones are the same stream, so that one thread can read while another writes.
///
/// Dropping the last clone aborts the session unless it is over: [`close`](Self::close) is the way to end it.
#[derive(Clone, Debug)]
pub struct HostStream {
    session: Arc<SessionHandle>,
}

/// Releases the session when the last clone is gone.
#[derive(Debug)]
struct SessionHandle {
    shared: Arc<Shared>,
    id: SessionId,
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.shared.release(self.id);
    }
}

impl HostStream {
    pub(super) fn new(shared: Arc<Shared>, id: SessionId) -> Self {
        Self { session: Arc::new(SessionHandle { shared, id }) }
    }

    /// The endpoint that it is a session of.
    #[must_use]
    pub fn endpoint(&self) -> HostEndpoint {
        HostEndpoint::new(Arc::clone(&self.session.shared))
    }

    /// Waits until the handshake that [`HostEndpoint::begin`] began has succeeded.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if it failed, [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while it is
    /// under way.
    pub fn established(&mut self, deadline: Instant) -> Result<(), StreamError> {
        let id = self.session.id;
        self.shared().wait_for(Topic::Session(id), deadline, |driver| driver.opened(id))
    }

    /// As [`established`](Self::established), for a task, which is woken in the reader's place.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if it failed.
    pub fn poll_established(&mut self, context: &Context<'_>) -> Poll<Result<(), StreamError>> {
        let id = self.session.id;
        self.shared().poll_for(Wish::Session(id, Interest::Readable), context, |driver| driver.opened(id))
    }

    /// Writes all of `data`.
    ///
    /// # Errors
    /// As [`write`](ReliableStream::write); an unknown part of `data` may have been taken.
    pub fn write_all(&mut self, mut data: &[u8], deadline: Instant) -> Result<(), StreamError> {
        while !data.is_empty() {
            let count = self.write(data, deadline)?;
            data = data.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads until `buf` is full or the stream ends, and returns how many bytes that were.
    ///
    /// # Errors
    /// As [`read`](ReliableStream::read); a part of `buf` may have been filled.
    pub fn read_full(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        let mut filled = 0_usize;
        while let Some(room) = buf.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read(room, deadline)? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        Ok(filled)
    }

    /// Finishes our direction and waits for the end: both directions complete, every byte acknowledged.
    ///
    /// What the peer still sends is not read by this, and holds the end up if it fills the buffer.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the session ended otherwise, [`StreamError::WouldBlock`] or
    /// [`StreamError::TimedOut`] if it has not ended.
    pub fn close(&mut self, deadline: Instant) -> Result<(), StreamError> {
        self.finish()?;
        let id = self.session.id;
        self.shared().wait_for(Topic::Session(id), deadline, |driver| driver.ended(id))
    }

    /// As [`close`](Self::close), for a task.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the session ended otherwise.
    pub async fn closed(&mut self) -> Result<(), StreamError> {
        poll_fn(|context| self.poll_close(context)).await
    }

    /// As [`closed`](Self::closed); the task is woken in the reader's place.
    ///
    /// # Errors
    /// As [`closed`](Self::closed).
    pub fn poll_close(&mut self, context: &Context<'_>) -> Poll<Result<(), StreamError>> {
        let id = self.session.id;
        if let Err(why) = self.finish() {
            return Poll::Ready(Err(why));
        }
        self.shared().poll_for(Wish::Session(id, Interest::Readable), context, |driver| driver.ended(id))
    }

    /// Waits until the peer has acknowledged every byte written.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn flush(&mut self, deadline: Instant) -> Result<(), StreamError> {
        let id = self.session.id;
        self.shared().wait_for(Topic::Progress, deadline, |driver| {
            match driver.peek(id).map_or(0, Connection::unacknowledged) {
                0 => Ok(()),
                _ => driver.ended(id),
            }
        })
    }

    /// The session's counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.peek(Connection::stats).unwrap_or_default()
    }

    /// What congestion control knows of the path at this moment.
    #[must_use]
    pub fn path_state(&self) -> PathState {
        self.peek(Connection::path_state).unwrap_or_default()
    }

    /// The peer's address.
    ///
    /// # Errors
    /// The session had to give way to a newer one, and is forgotten.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peek(|session| session.path().remote).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn peek<T>(&self, at: impl FnOnce(&Connection<HostStorage>) -> T) -> Option<T> {
        self.shared().look(|driver| driver.peek(self.session.id).map(at))
    }

    fn shared(&self) -> &Shared {
        &self.session.shared
    }
}

impl ReliableStream for HostStream {
    fn now(&self) -> Instant {
        self.shared().clock.now()
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.shared().look(|driver| driver.peer(self.session.id))
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        let id = self.session.id;
        self.shared().wait_for(Topic::Session(id), deadline, |driver| driver.read(id, buf))
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        let id = self.session.id;
        self.shared().wait_for(Topic::Session(id), deadline, |driver| driver.write(id, data))
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.shared().act(|driver, _| driver.finish(self.session.id))
    }

    fn abort(&mut self) {
        self.shared().act(|driver, now| driver.abort(now, self.session.id));
    }

    fn unsent(&self) -> u64 {
        self.shared().look(|driver| driver.session(self.session.id).map_or(0, |session| session.unsent()))
    }

    fn set_low_water(&mut self, mark: u64) {
        self.shared().look(|driver| {
            if let Ok(session) = driver.session(self.session.id) {
                session.set_low_water(mark);
            }
        });
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        let id = self.session.id;
        let topic = match interest {
            // No event tells of acknowledgements.
            Interest::Delivered => Topic::Progress,
            _ => Topic::Session(id),
        };
        self.shared().wait_for(topic, deadline, |driver| driver.ready(id, interest))
    }
}

impl PollReady for HostStream {
    fn poll_ready(&mut self, interest: Interest, context: &mut Context<'_>) -> Poll<()> {
        let id = self.session.id;
        // Ready, and nothing else: the end meets every interest.
        self.shared()
            .poll_for(Wish::Session(id, interest), context, |driver| driver.ready(id, interest))
            .map(|_| ())
    }
}
