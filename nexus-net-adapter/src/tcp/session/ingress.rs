//! From records to what they mean: the steps of a session, and its end.
//!
//! 1. A response opens the caller's session, the first sealed record that of the called.
//! 2. Each further record is judged by what came before it.
//! 3. Who breaks the rules under its own keys is told so; what the peer has not sealed is not answered at all.

use core::mem;

use rand_core::TryCryptoRng;
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::Policy;
use udp_sec::handshake::{Accepted, Answer, Records, Responder};
use udp_sec::session::record::RecordSession;
use udp_sec::time::{Duration, Instant};

use super::super::Config;
use super::super::inbox::{Inbox, Opened};
use super::super::liveness::Liveness;
use super::super::memory::Buffer;
use super::super::record::{Expected, Record};
use super::{Begun, Direction, Phase, SecureTcp, Wire};
use crate::stream::{CloseReason, PeerIdentity};

impl<B: Buffer> SecureTcp<B> {
    /// Takes whole records, until there is something to read, or none is left.
    pub(super) fn process(&mut self, now: Instant) {
        while !self.inbox.has_text() {
            let step = match &mut self.phase {
                Phase::Calling(..) => self.read_response(now),
                Phase::HalfOpen(session, ..) | Phase::Open(session, _) => {
                    let opened = self.inbox.open(session);
                    opened.map(|opened| opened.map(|opened| self.on_opened(now, opened)))
                }
                Phase::Called(_) | Phase::Over(_) => return,
            };
            match step {
                Ok(Some(())) => {}
                Ok(None) if self.wire == Wire::Ended && self.peer.is_some() => {
                    self.end(CloseReason::ConnectionLost);
                }
                Ok(None) if self.wire == Wire::Ended => self.end(CloseReason::HandshakeTimeout),
                Ok(None) => return,
                Err(reject) => self.break_off(reject),
            }
        }
    }

    /// The Response, if it is there. One that does not open is not the peer's, and the next bytes will not be either.
    fn read_response(&mut self, now: Instant) -> Result<Option<()>, Reject> {
        let Some(response) = self.inbox.take(Expected::Handshake)? else { return Ok(None) };
        let calling = mem::replace(&mut self.phase, Phase::Over(CloseReason::HandshakeTimeout));
        let Phase::Calling(initiator, begun) = calling else { return Ok(None) };
        match initiator.read_response(response) {
            Answer::Established { session, parameters } => {
                self.open(now, session, begun, parameters.idle_timeout);
                // The peer's side is not open before it has heard from this one.
                self.say(now, Record::Alive);
                Ok(Some(()))
            }
            Answer::Refused(code) => {
                self.end(CloseReason::Refused(code));
                Ok(Some(()))
            }
            Answer::Unproven => {
                self.reject = Some(Reject::IdentityProofInvalid);
                self.end(CloseReason::IdentityProofInvalid);
                Ok(Some(()))
            }
            Answer::Rejected(_, reject) => Err(reject),
        }
    }

    /// A record has opened: the peer is there.
    fn on_opened(&mut self, now: Instant, opened: Opened) {
        if matches!(self.phase, Phase::HalfOpen(..)) {
            let confirmed = mem::replace(&mut self.phase, Phase::Over(CloseReason::HandshakeTimeout));
            if let Phase::HalfOpen(session, begun, idle_timeout) = confirmed {
                self.open(now, session, begun, idle_timeout);
            }
        }
        if let Phase::Open(_, liveness) = &mut self.phase {
            liveness.heard(now);
            if opened.is_eliciting() {
                liveness.asked();
            }
        }
        match opened {
            Opened::Malformed => self.close(now, CloseCode::MalformedFrame),
            Opened::Record(record) => self.on_record(now, record),
        }
    }

    fn on_record(&mut self, now: Instant, record: Record) {
        match (record, self.theirs) {
            (Record::Alive | Record::Ping, _) | (Record::Data, Direction::Open) => {}
            (Record::Fin, Direction::Open) => {
                self.theirs = Direction::Finished;
                self.complete(now);
            }
            (Record::Data | Record::Fin, Direction::Finished) => {
                self.inbox.clear();
                self.close(now, CloseCode::FinalSizeChanged);
            }
            // Whoever says so has all that we sent: our FIN came before.
            (Record::Close(CloseCode::NoError), Direction::Finished) if self.ours == Direction::Finished => {
                self.end(CloseReason::Complete);
            }
            (Record::Close(code), _) => self.end(CloseReason::ByPeer(code)),
        }
    }

    fn open(&mut self, now: Instant, session: RecordSession, begun: Begun, idle_timeout: Duration) {
        self.peer = Some(PeerIdentity::proven(*session.peer()));
        let liveness = Liveness::new(now, begun.idle_timeout.min(idle_timeout), begun.keepalive);
        self.phase = Phase::Open(session, liveness);
    }

    /// Once both directions are finished: tells the peer that all of its bytes have arrived.
    pub(super) fn complete(&mut self, now: Instant) {
        if (self.ours, self.theirs) == (Direction::Finished, Direction::Finished) {
            self.say(now, Record::Close(CloseCode::NoError));
        }
    }

    /// Sends a record that is not data.
    pub(super) fn say(&mut self, now: Instant, record: Record) {
        let Phase::Open(session, liveness) = &mut self.phase else { return };
        if self.wire != Wire::Open {
            return;
        }
        if self.outbox.put_record(session, record).is_err() {
            self.end(CloseReason::ByUs(CloseCode::KeyLimit));
        } else if record.is_eliciting() {
            liveness.asks(now);
        }
    }

    /// Ends the session, and tells the peer why.
    pub(super) fn close(&mut self, now: Instant, code: CloseCode) {
        self.say(now, Record::Close(code));
        self.end(CloseReason::ByUs(code));
    }

    /// Ends the session over something that the peer has not sealed.
    pub(super) fn break_off(&mut self, reject: Reject) {
        self.reject = Some(reject);
        self.end(CloseReason::ConnectionLost);
    }

    /// Ends the session. The keys are gone; sealed records may still leave.
    #[inline(never)] // Called from many places.
    pub(super) fn end(&mut self, reason: CloseReason) {
        self.outbox.drop_unsealed();
        self.phase = Phase::Over(reason);
    }
}

/// The answer to the Initiation in `inbox`, if it is there as a whole.
pub(super) fn respond<B: Buffer, P: Policy + ?Sized, R: TryCryptoRng + ?Sized>(
    inbox: &mut Inbox<B>,
    config: &Config,
    policy: &P,
    rng: &mut R,
) -> Result<Option<Accepted<Records>>, Reject> {
    let Some(initiation) = inbox.take(Expected::Handshake)? else { return Ok(None) };
    let responder = Responder::with_credentials(config.keypair.clone(), config.credentials);
    let checked = responder.check_mac1(initiation)?;
    let authorized = responder.read_record(checked, rng)?.authorize(policy)?;
    let id = rng.try_next_u64().map_err(|_| Reject::EntropyUnavailable)?;
    authorized.accept(id, &config.parameters).map(Some)
}
