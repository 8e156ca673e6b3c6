//! [`SecureTcpStream`]: a [`SecureTcp`] on a byte stream, and waiting by that stream's clock.

use rand_core::TryCryptoRng;
use udp_sec::error::Reject;
use udp_sec::handshake::identity::Policy;
use udp_sec::keys::PublicKey;
use udp_sec::time::Instant;

use super::Config;
use super::bytes::{ByteStream, ByteStreamError, Readiness};
use super::memory::{Buffer, Memory};
use super::session::SecureTcp;
use crate::stream::{Interest, PeerIdentity, ReliableStream, StreamError};

/// A stream to one authenticated peer over the byte stream `T`.
///
/// Dropping it aborts the session unless both directions are complete: [`close`](Self::close) is the way to end it.
#[derive(Debug)]
pub struct SecureTcpStream<T: ByteStream, B: Buffer> {
    transport: T,
    session: SecureTcp<B>,
}

impl<T: ByteStream, B: Buffer> SecureTcpStream<T, B> {
    /// Calls the holder of `peer` over `transport`. Nothing waits; [`established`](Self::established) does.
    ///
    /// # Errors
    /// See [`SecureTcp::connect`].
    pub fn connect<R: TryCryptoRng + ?Sized>(
        transport: T,
        memory: Memory<B>,
        config: &Config,
        peer: &PublicKey,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        let session = SecureTcp::connect(transport.now(), memory, config, peer, rng)?;
        Ok(Self { transport, session })
    }

    /// The called side of `transport`; [`answer`](Self::answer) comes next.
    pub fn accept(transport: T, memory: Memory<B>, config: &Config) -> Self {
        let session = SecureTcp::accept(transport.now(), memory, config);
        Self { transport, session }
    }

    /// Waits for the caller's Initiation, and answers it if `policy` lets the caller in.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if it does not, or if what came is no Initiation for us: [`reject`](Self::reject) tells
    /// why, the caller learns nothing. [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while nothing came.
    pub fn answer<P: Policy + ?Sized, R: TryCryptoRng + ?Sized>(
        &mut self,
        config: &Config,
        policy: &P,
        rng: &mut R,
        deadline: Instant,
    ) -> Result<(), StreamError> {
        self.wait_for(deadline, |session, _| session.answer(config, policy, rng))
    }

    /// Waits until the peer has proven who it is, and that it is there now.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if it does not within the handshake budget, refuses, or the connection is lost;
    /// [`StreamError::WouldBlock`] or [`StreamError::TimedOut`] while it has not.
    pub fn established(&mut self, deadline: Instant) -> Result<PeerIdentity, StreamError> {
        self.wait_for(deadline, |session, _| session.established())
    }

    /// Finishes our direction and waits for the end: both directions complete, everything arrived.
    ///
    /// What the peer still sends is not read by this, and holds the end up.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the session ended otherwise, [`StreamError::WouldBlock`] or
    /// [`StreamError::TimedOut`] if it has not ended.
    pub fn close(&mut self, deadline: Instant) -> Result<(), StreamError> {
        self.wait_for(deadline, |session, now| session.finish(now))?;
        self.wait_for(deadline, |session, _| session.ended())
    }

    /// What the peer sent that made an end of it, if it was that.
    #[must_use]
    pub const fn reject(&self) -> Option<Reject> {
        self.session.reject()
    }

    /// The byte stream below.
    #[must_use]
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// When something will be due even if nothing arrives, for callers that wait for several streams at once.
    #[must_use]
    pub fn wake_at(&self) -> Option<Instant> {
        self.session.wake_at()
    }

    /// Calls `attempt` until it does not ask to wait, or the deadline has passed.
    fn wait_for<R>(
        &mut self,
        deadline: Instant,
        mut attempt: impl FnMut(&mut SecureTcp<B>, Instant) -> Result<R, StreamError>,
    ) -> Result<R, StreamError> {
        let mut outcome = Err(StreamError::WouldBlock);
        let late = self.wait_until(deadline, &mut |session, now| {
            outcome = attempt(session, now);
            !matches!(outcome, Err(StreamError::WouldBlock))
        });
        late.map_or(outcome, Err)
    }

    /// The same for all that is waited for: calls `attempt` until it says that it is done; if the deadline passes
    /// before, what that is called.
    fn wait_until(
        &mut self,
        deadline: Instant,
        attempt: &mut dyn FnMut(&mut SecureTcp<B>, Instant) -> bool,
    ) -> Option<StreamError> {
        let mut late = StreamError::WouldBlock;
        loop {
            let now = self.transport.now();
            self.session.handle_timeout(now);
            let mut is_done = attempt(&mut self.session, now);
            if !is_done {
                // Only now: what has arrived before is served without a look at the byte stream.
                self.send(now);
                self.receive(now);
                is_done = attempt(&mut self.session, now);
            }
            match (self.send(now), is_done) {
                (_, true) => return None,
                // What has just left has made room that the attempt did not see.
                (Sent::Some, false) => continue,
                (Sent::Nothing, false) if now >= deadline => return Some(late),
                (Sent::Nothing, false) => {}
            }
            late = StreamError::TimedOut;
            let wake_at = self.session.wake_at().unwrap_or(Instant::MAX);
            let readiness = self.readiness();
            self.transport.wait(readiness, wake_at.min(deadline));
        }
    }

    /// Takes what has arrived, as far as there is room for it.
    fn receive(&mut self, now: Instant) {
        loop {
            let room = self.session.room();
            if room.is_empty() {
                return;
            }
            match self.transport.receive(room) {
                Ok(0) | Err(ByteStreamError::Lost) => self.session.received_end(now),
                Ok(count) => self.session.received(now, count),
                Err(ByteStreamError::WouldBlock) => return,
            }
        }
    }

    /// Hands over what is to leave, as far as the byte stream takes it.
    fn send(&mut self, now: Instant) -> Sent {
        let mut sent = Sent::Nothing;
        loop {
            let bytes = self.session.transmit();
            if bytes.is_empty() {
                break;
            }
            match self.transport.send(bytes) {
                Ok(count) => {
                    self.session.sent(now, count);
                    sent = Sent::Some;
                }
                Err(ByteStreamError::WouldBlock) => break,
                Err(ByteStreamError::Lost) => self.session.send_failed(),
            }
        }
        if self.session.is_silent() {
            self.transport.finish();
        }
        sent
    }

    /// What the byte stream is waited for, as long as the last call would have had to wait: for callers that wait
    /// by themselves. A direction that is part of it was tried, in vain.
    pub fn readiness(&mut self) -> Readiness {
        match (self.session.room().is_empty(), self.session.transmit().is_empty()) {
            (false, true) => Readiness::Receive,
            (false, false) => Readiness::Either,
            (true, false) => Readiness::Send,
            (true, true) => Readiness::Neither,
        }
    }
}

/// Whether anything has left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sent {
    Nothing,
    Some,
}

impl<T: ByteStream, B: Buffer> Drop for SecureTcpStream<T, B> {
    fn drop(&mut self) {
        self.abort();
    }
}

impl<T: ByteStream, B: Buffer> ReliableStream for SecureTcpStream<T, B> {
    fn now(&self) -> Instant {
        self.transport.now()
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.session.peer()
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        self.wait_for(deadline, |session, now| session.read(now, buf))
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        self.wait_for(deadline, |session, now| session.write(now, data))
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.wait_for(Instant::ZERO, |session, now| session.finish(now))
    }

    fn abort(&mut self) {
        let now = self.transport.now();
        self.session.abort(now);
        self.send(now);
    }

    fn unsent(&self) -> u64 {
        self.session.unsent()
    }

    fn set_low_water(&mut self, mark: u64) {
        self.session.set_low_water(mark);
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        self.wait_for(deadline, |session, _| session.ready(interest))
    }
}

#[cfg(test)]
mod tests;
