//! Streams for one thread: an endpoint in a cell, and waiting as the embedding system sees fit.

use core::cell::RefCell;

use rand_core::TryCryptoRng;
use udp_sec::handshake::identity::Policy;
use udp_sec::keys::PublicKey;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{ConnectError, Pool, SessionId};
use udp_sec_recovery::event::Event;

use super::datagrams::Datagrams;
use super::driver::{Driver, Next};
use crate::stream::{Interest, PeerIdentity, ReliableStream, StreamError};

/// The time, and what to do while there is nothing to do.
pub trait Clock {
    /// The present.
    fn now(&self) -> Instant;

    /// Called when nothing is due before `until` unless a datagram arrives. May sleep until either, return at once
    /// (which makes waiting a busy loop), or serve other tasks.
    fn idle(&self, until: Instant);

    /// Called for each event of each session, for logs. The endpoint is in use meanwhile, and must be left alone.
    fn observe(&self, id: SessionId, event: Event) {
        _ = (id, event);
    }
}

/// What is tried again until it says that it is done.
type Attempt<'a, B, R, P, A, const SESSIONS: usize, const HANDSHAKES: usize> =
    dyn FnMut(&mut Driver<B, R, P, A, SESSIONS, HANDSHAKES>, Instant) -> bool + 'a;

/// A [`Driver`] and a clock, for one thread. Its streams borrow it.
#[derive(Debug)]
pub struct UdpSecEndpoint<B, R, P: Pool, A: Policy, C, const SESSIONS: usize, const HANDSHAKES: usize> {
    /// Borrowed for the length of one call of ours, and never while anything of the caller's runs that could know
    /// this endpoint: a second borrow cannot happen.
    driver: RefCell<Driver<B, R, P, A, SESSIONS, HANDSHAKES>>,
    clock: C,
}

impl<B, R, P, A, C, const SESSIONS: usize, const HANDSHAKES: usize>
    UdpSecEndpoint<B, R, P, A, C, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
    C: Clock,
{
    /// Runs `driver` by `clock`.
    pub const fn new(driver: Driver<B, R, P, A, SESSIONS, HANDSHAKES>, clock: C) -> Self {
        Self { driver: RefCell::new(driver), clock }
    }

    /// Begins a session with the holder of `peer` over `path`. The stream comes at once; its
    /// [`peer`](ReliableStream::peer) is known, and anything can be read or written, once the handshake has succeeded.
    ///
    /// # Errors
    /// See [`Endpoint::connect`](udp_sec_recovery::endpoint::Endpoint::connect). A handshake that fails later is
    /// what reading and writing report.
    pub fn connect(
        &self,
        path: Path,
        peer: &PublicKey,
    ) -> Result<UdpSecStream<'_, B, R, P, A, C, SESSIONS, HANDSHAKES>, ConnectError> {
        let now = self.clock.now();
        let mut driver = self.driver.borrow_mut();
        let id = driver.connect(now, path, peer)?;
        self.flush(&mut driver, now);
        Ok(UdpSecStream { endpoint: self, id })
    }

    /// Takes the next session that a peer opens.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while there is none.
    pub fn accept(
        &self,
        deadline: Instant,
    ) -> Result<UdpSecStream<'_, B, R, P, A, C, SESSIONS, HANDSHAKES>, StreamError> {
        let id = self.wait_for(deadline, |driver, _| driver.accept())?;
        Ok(UdpSecStream { endpoint: self, id })
    }

    /// Does what is due, and returns when something will be next: for programs that own the loop.
    pub fn drive(&self) -> Next {
        self.step(&mut self.driver.borrow_mut(), self.clock.now())
    }

    /// Counters and sessions, to look at.
    ///
    /// # Panics
    /// If `at` calls anything else of this endpoint or of its streams: it is in use meanwhile.
    pub fn look<T>(&self, at: impl FnOnce(&Driver<B, R, P, A, SESSIONS, HANDSHAKES>) -> T) -> T {
        at(&self.driver.borrow())
    }

    /// One step of the driver.
    fn step(&self, driver: &mut Driver<B, R, P, A, SESSIONS, HANDSHAKES>, now: Instant) -> Next {
        driver.drive(now, |id, event| self.clock.observe(id, event))
    }

    /// A step without receiving.
    fn flush(&self, driver: &mut Driver<B, R, P, A, SESSIONS, HANDSHAKES>, now: Instant) -> Next {
        driver.flush(now, |id, event| self.clock.observe(id, event))
    }

    /// Calls `attempt` until it does not ask to wait, or the deadline has passed.
    fn wait_for<T>(
        &self,
        deadline: Instant,
        mut attempt: impl FnMut(&mut Driver<B, R, P, A, SESSIONS, HANDSHAKES>, Instant) -> Result<T, StreamError>,
    ) -> Result<T, StreamError> {
        let mut outcome = Err(StreamError::WouldBlock);
        let late = self.wait_until(deadline, &mut |driver, now| {
            outcome = attempt(driver, now);
            !matches!(outcome, Err(StreamError::WouldBlock))
        });
        late.map_or(outcome, Err)
    }

    /// The same for all that is waited for: calls `attempt` until it says that it is done; if the deadline passes
    /// before, what that is called.
    fn wait_until(
        &self,
        deadline: Instant,
        attempt: &mut Attempt<'_, B, R, P, A, SESSIONS, HANDSHAKES>,
    ) -> Option<StreamError> {
        let mut late = StreamError::WouldBlock;
        loop {
            let now = self.clock.now();
            let mut driver = self.driver.borrow_mut();
            self.step(&mut driver, now);
            let is_done = attempt(&mut driver, now);
            let next = self.flush(&mut driver, now);
            drop(driver);
            if is_done {
                return None;
            }
            if now >= deadline {
                return Some(late);
            }
            late = StreamError::TimedOut;
            self.clock.idle(next.wake_at.map_or(deadline, |wake_at| wake_at.min(deadline)));
        }
    }
}

/// One session of a [`UdpSecEndpoint`]. Dropping it aborts the session unless both directions are complete.
#[derive(Debug)]
pub struct UdpSecStream<'e, B, R, P, A, C, const SESSIONS: usize, const HANDSHAKES: usize>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
    C: Clock,
{
    endpoint: &'e UdpSecEndpoint<B, R, P, A, C, SESSIONS, HANDSHAKES>,
    id: SessionId,
}

impl<B, R, P, A, C, const SESSIONS: usize, const HANDSHAKES: usize>
    UdpSecStream<'_, B, R, P, A, C, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
    C: Clock,
{
    /// The session's name at the driver, for [`UdpSecEndpoint::look`].
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }
}

impl<B, R, P, A, C, const SESSIONS: usize, const HANDSHAKES: usize> Drop
    for UdpSecStream<'_, B, R, P, A, C, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
    C: Clock,
{
    fn drop(&mut self) {
        let now = self.endpoint.clock.now();
        let mut driver = self.endpoint.driver.borrow_mut();
        driver.release(now, self.id);
        self.endpoint.flush(&mut driver, now);
    }
}

impl<B, R, P, A, C, const SESSIONS: usize, const HANDSHAKES: usize> ReliableStream
    for UdpSecStream<'_, B, R, P, A, C, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
    C: Clock,
{
    fn now(&self) -> Instant {
        self.endpoint.clock.now()
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.endpoint.driver.borrow().peer(self.id)
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        self.endpoint.wait_for(deadline, |driver, _| driver.read(self.id, buf))
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        self.endpoint.wait_for(deadline, |driver, _| driver.write(self.id, data))
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.endpoint.wait_for(Instant::ZERO, |driver, _| driver.finish(self.id))
    }

    fn abort(&mut self) {
        // Ends at once, and cannot fail.
        _ = self.endpoint.wait_for(Instant::ZERO, |driver, now| {
            driver.abort(now, self.id);
            Ok(())
        });
    }

    fn unsent(&self) -> u64 {
        self.endpoint.driver.borrow_mut().session(self.id).map_or(0, |session| session.unsent())
    }

    fn set_low_water(&mut self, mark: u64) {
        if let Ok(session) = self.endpoint.driver.borrow_mut().session(self.id) {
            session.set_low_water(mark);
        }
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        self.endpoint.wait_for(deadline, |driver, _| driver.ready(self.id, interest))
    }
}
