//! [`SecureTcp`]: one session, from the first byte to the last, as a state machine.
//!
//! 1. Bytes of the wire go where [`room`](SecureTcp::room) says, and [`received`](SecureTcp::received) looks at them:
//!    whole records are taken one by one, as far as the application has read what came before.
//! 2. The application reads and writes; time passes in [`handle_timeout`](SecureTcp::handle_timeout).
//! 3. What [`transmit`](SecureTcp::transmit) gives, leaves; [`sent`](SecureTcp::sent) says how much of it did.

mod ingress;

use rand_core::TryCryptoRng;
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::Policy;
use udp_sec::handshake::{Accepted, Caller, Initiator, Records};
use udp_sec::keys::PublicKey;
use udp_sec::session::record::RecordSession;
use udp_sec::time::{Duration, Instant};

use super::Config;
use super::inbox::Inbox;
use super::liveness::{Due, Liveness};
use super::memory::{Buffer, Memory};
use super::outbox::Outbox;
use super::record::Record;
use crate::stream::{CloseReason, Interest, PeerIdentity, StreamError};
use ingress::respond;

/// One end of a session over a byte stream, without the byte stream.
#[derive(Debug)]
pub struct SecureTcp<B> {
    phase: Phase,
    /// The peer, from its first record that proves it is there.
    peer: Option<PeerIdentity>,
    ours: Direction,
    theirs: Direction,
    wire: Wire,
    inbox: Inbox<B>,
    outbox: Outbox<B>,
    low_water: u64,
    reject: Option<Reject>,
}

/// How far the session is.
#[derive(Debug)]
enum Phase {
    /// The Initiation is on its way.
    Calling(Initiator<Records>, Begun),
    /// No Initiation has been answered yet.
    Called(Begun),
    /// The Response is on its way. The peer may be a recording: nothing of ours is sent to it.
    HalfOpen(RecordSession, Begun, Duration),
    /// Both have proven who they are, and that they are there.
    Open(RecordSession, Liveness),
    /// It is over; there are no keys any more.
    Over(CloseReason),
}

/// A handshake's deadline, and what the session will need.
#[derive(Clone, Copy, Debug)]
struct Begun {
    deadline: Instant,
    idle_timeout: Duration,
    keepalive: bool,
}

/// One direction of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Open,
    Finished,
}

/// What is known of the byte stream below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wire {
    /// It carries both ways.
    Open,
    /// Nothing can be sent any more.
    Unsendable,
    /// Nothing will arrive any more.
    Ended,
}

impl<B: Buffer> SecureTcp<B> {
    /// Calls the holder of `peer`.
    ///
    /// # Errors
    /// As [`Initiator::for_records`], among them [`Reject::EntropyUnavailable`]: then nothing leaves.
    pub fn connect<R: TryCryptoRng + ?Sized>(
        now: Instant,
        memory: Memory<B>,
        config: &Config,
        peer: &PublicKey,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        let id = rng.try_next_u64().map_err(|_| Reject::EntropyUnavailable)?;
        let caller = Caller { keypair: &config.keypair, credentials: config.credentials };
        let initiator = Initiator::for_records(caller, peer, id, &config.parameters, rng)?;
        let mut outbox = Outbox::new(memory.outbound);
        outbox.put_message(initiator.datagram()).ok_or(Reject::OversizeDatagram)?;
        Ok(Self::new(Phase::Calling(initiator, Begun::new(now, config)), memory.inbound, outbox))
    }

    /// Waits to be called; [`answer`](Self::answer) decides by whom.
    pub fn accept(now: Instant, memory: Memory<B>, config: &Config) -> Self {
        Self::new(Phase::Called(Begun::new(now, config)), memory.inbound, Outbox::new(memory.outbound))
    }

    fn new(phase: Phase, inbound: B, outbox: Outbox<B>) -> Self {
        Self {
            phase,
            peer: None,
            ours: Direction::Open,
            theirs: Direction::Open,
            wire: Wire::Open,
            inbox: Inbox::new(inbound),
            outbox,
            low_water: 0,
            reject: None,
        }
    }

    /// Answers the Initiation, as soon as it is there. A peer that `policy` does not know, or that knows nothing of us,
    /// gets no byte of an answer.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] while the Initiation is not there; [`StreamError::Closed`] if nothing comes of it,
    /// as [`CloseReason::ByUs`] if the peer was refused, else [`reject`](Self::reject) tells why.
    pub fn answer<P: Policy + ?Sized, R: TryCryptoRng + ?Sized>(
        &mut self,
        config: &Config,
        policy: &P,
        rng: &mut R,
    ) -> Result<(), StreamError> {
        let begun = match &self.phase {
            Phase::Called(begun) => *begun,
            Phase::Over(reason) => return Err(StreamError::Closed(*reason)),
            _ => return Ok(()),
        };
        if self.wire == Wire::Ended {
            self.end(CloseReason::HandshakeTimeout);
            return self.closed();
        }
        match respond(&mut self.inbox, config, policy, rng) {
            Ok(None) => return Err(StreamError::WouldBlock),
            Ok(Some(Accepted::HalfOpen { response, session, parameters })) => {
                let idle_timeout = begun.idle_timeout.min(parameters.idle_timeout);
                self.phase = Phase::HalfOpen(session, begun, idle_timeout);
                // There is room: nothing else has been sent.
                _ = self.outbox.put_message(&response);
                return Ok(());
            }
            Ok(Some(Accepted::Refused { response, code })) => {
                _ = self.outbox.put_message(&response);
                self.end(CloseReason::ByUs(code));
            }
            Err(reject) => self.break_off(reject),
        }
        self.closed()
    }

    // The wire.

    /// Where the next bytes that arrive go. Empty while the application has to read first, and after the end.
    pub fn room(&mut self) -> &mut [u8] {
        match (&self.phase, self.wire) {
            (Phase::Over(_), _) | (_, Wire::Ended) => &mut [],
            _ => self.inbox.room(),
        }
    }

    /// `count` bytes have arrived in the [`room`](Self::room).
    pub fn received(&mut self, now: Instant, count: usize) {
        self.inbox.received(count);
        self.process(now);
    }

    /// Nothing more will arrive. Without the peer's authenticated word for it, that is not the end of its stream but the
    /// loss of the connection.
    pub fn received_end(&mut self, now: Instant) {
        self.wire = Wire::Ended;
        self.process(now);
    }

    /// What is to leave now, as far as the byte stream takes it.
    pub fn transmit(&mut self) -> &[u8] {
        if let Phase::Open(session, _) = &mut self.phase {
            if self.outbox.ready(session).is_err() {
                self.end(CloseReason::ByUs(CloseCode::KeyLimit));
            }
        }
        self.outbox.transmit()
    }

    /// The first `count` bytes of [`transmit`](Self::transmit) have left.
    pub fn sent(&mut self, now: Instant, count: usize) {
        self.outbox.sent(count);
        if let Phase::Open(_, liveness) = &mut self.phase {
            liveness.sent(now);
        }
    }

    /// Nothing can leave any more.
    pub fn send_failed(&mut self) {
        self.outbox.clear();
        if self.wire == Wire::Open {
            self.wire = Wire::Unsendable;
        }
    }

    /// Whether all has been said: the byte stream may be finished.
    pub fn is_silent(&self) -> bool {
        matches!(self.phase, Phase::Over(_)) && self.outbox.is_empty()
    }

    // Time.

    /// Does what time has made due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Calling(_, begun) | Phase::Called(begun) | Phase::HalfOpen(_, begun, _) => {
                if now >= begun.deadline {
                    self.end(CloseReason::HandshakeTimeout);
                }
            }
            Phase::Open(_, liveness) => match liveness.due(now) {
                // A peer whose bytes wait to be read is not silent.
                Due::Timeout if self.inbox.has_text() => liveness.heard(now),
                Due::Timeout => self.end(CloseReason::IdleTimeout),
                // Whatever is on its way already is a sign of life; and where nothing can leave, none will.
                Due::Sign | Due::Question if self.wire != Wire::Open || !self.outbox.is_empty() => {
                    liveness.sent(now);
                }
                Due::Sign => self.say(now, Record::Alive),
                Due::Question => self.say(now, Record::Ping),
                Due::Nothing => {}
            },
            Phase::Over(_) => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) will have something to do.
    pub fn wake_at(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Calling(_, begun) | Phase::Called(begun) | Phase::HalfOpen(_, begun, _) => {
                Some(begun.deadline)
            }
            Phase::Open(_, liveness) => Some(liveness.wake_at()),
            Phase::Over(_) => None,
        }
    }

    // The application.

    /// Who the peer is, once it has proven that it is there.
    pub const fn peer(&self) -> Option<PeerIdentity> {
        self.peer
    }

    /// What the peer sent that made an end of it, if it was that.
    pub const fn reject(&self) -> Option<Reject> {
        self.reject
    }

    /// Takes bytes of the stream; 0 is its end.
    ///
    /// # Errors
    /// As [`ReliableStream::read`](crate::stream::ReliableStream::read) with a deadline in the past.
    pub fn read(&mut self, now: Instant, buf: &mut [u8]) -> Result<usize, StreamError> {
        if buf.is_empty() {
            return Ok(0);
        }
        match self.inbox.read(buf) {
            0 if self.theirs == Direction::Finished => Ok(0),
            0 => self.closed().and(Err(StreamError::WouldBlock)),
            count => {
                if !self.inbox.has_text() {
                    if let Phase::Open(_, liveness) = &mut self.phase {
                        liveness.heard(now);
                    }
                    self.process(now);
                }
                Ok(count)
            }
        }
    }

    /// Gives bytes to the stream, and returns how many it took.
    ///
    /// # Errors
    /// As [`ReliableStream::write`](crate::stream::ReliableStream::write) with a deadline in the past.
    pub fn write(&mut self, now: Instant, data: &[u8]) -> Result<usize, StreamError> {
        if self.ours == Direction::Finished {
            return Err(StreamError::Finished);
        }
        self.closed()?;
        let Phase::Open(session, liveness) = &mut self.phase else { return Err(StreamError::WouldBlock) };
        match self.wire {
            Wire::Open => {}
            // What is still to be read may know a better reason, but writing is over.
            _ if self.inbox.has_text() => return Err(StreamError::Closed(CloseReason::ConnectionLost)),
            _ => return Err(StreamError::WouldBlock),
        }
        match self.outbox.put_data(session, data) {
            Ok(0) if !data.is_empty() => Err(StreamError::WouldBlock),
            Ok(count) => {
                liveness.asks(now);
                Ok(count)
            }
            Err(_) => {
                self.end(CloseReason::ByUs(CloseCode::KeyLimit));
                self.closed().and(Err(StreamError::WouldBlock))
            }
        }
    }

    /// Ends our direction.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the session ended before, [`StreamError::WouldBlock`] if it has not begun.
    pub fn finish(&mut self, now: Instant) -> Result<(), StreamError> {
        if self.ours == Direction::Finished {
            return match self.phase {
                Phase::Over(CloseReason::Complete) => Ok(()),
                _ => self.closed(),
            };
        }
        self.closed()?;
        if !matches!(self.phase, Phase::Open(..)) {
            return Err(StreamError::WouldBlock);
        }
        self.ours = Direction::Finished;
        self.say(now, Record::Fin);
        self.complete(now);
        Ok(())
    }

    /// Gives the session up. What the byte stream has not taken, and the application has not read, is gone.
    pub fn abort(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Over(_)) {
            self.outbox.drop_unsealed();
            self.close(now, CloseCode::AppAbort);
            self.inbox.clear();
        }
    }

    /// Bytes that the byte stream has not taken yet, with what surrounds them on the wire.
    pub fn unsent(&self) -> u64 {
        u64::try_from(self.outbox.unsent()).unwrap_or(u64::MAX)
    }

    /// See [`ReliableStream::set_low_water`](crate::stream::ReliableStream::set_low_water).
    pub const fn set_low_water(&mut self, mark: u64) {
        self.low_water = mark;
    }

    /// Whether `interest` is met; the end of the session meets any.
    ///
    /// # Errors
    /// As [`ReliableStream::wait`](crate::stream::ReliableStream::wait) with a deadline in the past.
    pub fn ready(&self, interest: Interest) -> Result<(), StreamError> {
        if interest == Interest::Delivered {
            // At the end the outbox is empty for other reasons, too.
            return match self.ended() {
                Err(StreamError::WouldBlock) if self.outbox.is_empty() => Ok(()),
                ended => ended,
            };
        }
        let readable = self.inbox.has_text() || self.theirs == Direction::Finished;
        let low = self.low_water == 0 || self.unsent() <= self.low_water;
        let writable = matches!(self.phase, Phase::Open(..)) && low && self.outbox.is_roomy();
        let met = interest.in_reading() && readable || interest.in_writing() && writable;
        if met || self.is_over() { Ok(()) } else { Err(StreamError::WouldBlock) }
    }

    /// Whether the handshake is done, and with whom.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] while it is not, [`StreamError::Closed`] if it failed.
    pub fn established(&self) -> Result<PeerIdentity, StreamError> {
        match self.peer {
            Some(peer) => Ok(peer),
            None => self.closed().and(Err(StreamError::WouldBlock)),
        }
    }

    /// Whether the session has ended, and how: `Ok` when both directions are complete.
    ///
    /// # Errors
    /// [`StreamError::WouldBlock`] while it is open, [`StreamError::Closed`] when it ended in another way.
    pub fn ended(&self) -> Result<(), StreamError> {
        match self.phase {
            Phase::Over(CloseReason::Complete) => Ok(()),
            _ => self.closed().and(Err(StreamError::WouldBlock)),
        }
    }

    const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    #[inline(never)] // Asked for in many places.
    fn closed(&self) -> Result<(), StreamError> {
        match self.phase {
            Phase::Over(reason) => Err(StreamError::Closed(reason)),
            _ => Ok(()),
        }
    }
}

impl Begun {
    fn new(now: Instant, config: &Config) -> Self {
        Self {
            deadline: now + config.handshake_budget,
            idle_timeout: config.parameters.idle_timeout,
            keepalive: config.keepalive,
        }
    }
}

#[cfg(test)]
mod tests;
