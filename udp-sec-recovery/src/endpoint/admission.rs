//! From a stranger's datagram to a session: who is answered, who is let in, and what happens at each bound
//! (`docs/protocol.md` section 3).
//!
//! 1. An initiation with a valid `mac1` is worth a Diffie-Hellman, under load only with a cookie; a repeat gets the
//!    identical answer again.
//! 2. The peer's key must be allowed, then its parameters must be met, then it needs a half-open entry.
//! 3. The first data packet that opens confirms the entry: only now there is a session, buffers and an event.

use rand_core::TryCryptoRng;
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::Policy;
use udp_sec::handshake::params::Parameters;
use udp_sec::handshake::{Accepted, Answer, Authorized, CheckedInitiation, InitiationId};
use udp_sec::keys::PublicKey;
use udp_sec::limits::{COOKIE_REPLY_LEN, DATAGRAM_MAX, REPLAY_WORDS_MIN};
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};

use super::attempts::{self, Attempt};
use super::half_open::{HalfOpen, Source};
use super::pool::Pool;
use super::{Endpoint, SessionId};
use crate::connection::{Connection, Path, Start, Transmit, seal_close};
use crate::event::Closure;

/// Replies without a live entry that wait to leave: refusals, and CLOSE when the session table is full.
pub(super) const REPLIES_MAX: usize = 4;

/// A datagram that belongs to no live entry any more.
#[derive(Debug)]
pub(super) struct Reply {
    path: Path,
    bytes: [u8; DATAGRAM_MAX],
    len: usize,
}

/// A demand for a cookie, with the cookie.
#[derive(Debug)]
pub(super) struct CookieReply {
    path: Path,
    bytes: [u8; COOKIE_REPLY_LEN],
}

/// What becomes a connection once there is a place for it.
struct Newcomer {
    session: Session,
    initiation: Option<InitiationId>,
    parameters: Parameters,
    path: Path,
    path_proven: bool,
    round_trip: Option<Duration>,
    confirm_by: Option<Instant>,
}

impl<P: Pool, A: Policy, const SESSIONS: usize, const HANDSHAKES: usize>
    Endpoint<P, A, SESSIONS, HANDSHAKES>
{
    /// An initiation: the responder's first step.
    #[inline(never)] // Its frame is for handshakes; every other datagram does without.
    pub(super) fn on_initiation<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Instant,
        rng: &mut R,
        path: Path,
        datagram: &[u8],
    ) -> Result<(), Reject> {
        let checked = self.responder.check_mac1(datagram)?;
        let initiation = checked.id();
        if let Some(entry) = self.tables.half_open.find_initiation(&initiation) {
            entry.answer_again(path);
            return Ok(());
        }
        if self.tables.sessions.knows(&initiation) {
            // A late repeat of what has become a session: nothing to do, and nothing wrong with it.
            return Ok(());
        }
        let source = self.admit(now, rng, path, &checked)?;
        let authorized = self.identify(checked, rng)?;
        if self.calls_first(authorized.peer()) {
            // Simultaneous open: the peer has our initiation or will have it, and the answer to that is the session.
            return Ok(());
        }
        let mut replaced = self.tables.half_open.admit(now, authorized.peer())?;
        if self.tables.half_open.is_full() && replaced.is_none() {
            replaced = self.tables.half_open.oldest_unproven();
        }
        let id = self.fresh_id(rng)?;
        let accepted = self.accept(id, authorized);
        self.keep(now, (path, source), initiation, replaced, accepted)
    }

    // The steps of an initiation, each with a frame of its own: while keys are made, which goes deepest, the stack holds
    // only what that step needs. Inlined, they would hold all of it at once.

    /// Who calls, and whether it may.
    #[inline(never)]
    fn identify<R: TryCryptoRng + ?Sized>(
        &self,
        checked: CheckedInitiation<'_>,
        rng: &mut R,
    ) -> Result<Authorized, Reject> {
        self.responder.read(checked, rng).and_then(|incoming| incoming.authorize(&self.policy))
    }

    /// What it is told.
    #[inline(never)]
    fn accept(&self, id: u64, authorized: Authorized) -> Result<Accepted, Reject> {
        authorized.accept(id, &self.config.parameters)
    }

    /// Keeps what it is told, in place of the entry `replaced` if there is one.
    #[inline(never)]
    fn keep(
        &mut self,
        now: Instant,
        (path, source): (Path, Source),
        initiation: InitiationId,
        replaced: Option<InitiationId>,
        accepted: Result<Accepted, Reject>,
    ) -> Result<(), Reject> {
        match accepted? {
            Accepted::HalfOpen { response, session, parameters } => {
                let entry = HalfOpen::new(now, (path, source), initiation, response, session, parameters);
                self.tables.half_open.insert(entry, replaced)
            }
            Accepted::Refused { response, .. } => {
                let reply = Reply { path, bytes: response, len: response.len() };
                self.tables.replies.push_back(reply).map_err(|_| Reject::HalfOpenLimit)
            }
        }
    }

    /// Whether an initiation that is new to us is worth a Diffie-Hellman, and what is known of its source. Under load it
    /// takes a cookie: the half-open table is full, or those who prove nothing have spent their budget.
    fn admit<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Instant,
        rng: &mut R,
        path: Path,
        initiation: &CheckedInitiation<'_>,
    ) -> Result<Source, Reject> {
        let is_full = self.tables.half_open.is_full();
        if self.cookies.verify(now, path.remote, initiation) {
            let has_room = !is_full || self.tables.half_open.oldest_unproven().is_some();
            let admitted = has_room && self.load.admits_proven(now, path.remote);
            return if admitted { Ok(Source::Proven) } else { Err(Reject::HalfOpenLimit) };
        }
        if !is_full && self.load.admits_unproven(now) {
            return Ok(Source::Unproven);
        }
        if !self.tables.cookie_replies.is_full() {
            let bytes = self.cookies.reply(now, path.remote, initiation, rng)?;
            // There is room; where there is none, the caller's repeat may find some.
            _ = self.tables.cookie_replies.push_back(CookieReply { path, bytes });
        }
        Err(Reject::CookieRequired)
    }

    /// A cookie: the initiation leaves again at once, with the proof that we receive where it came from.
    pub(super) fn on_cookie(&mut self, id: u64, datagram: &[u8]) -> Result<(), Reject> {
        let mut attempts = self.tables.attempts.iter_mut();
        let attempt = attempts.find(|attempt| attempt.initiator.local_id() == id);
        let attempt = attempt.ok_or(Reject::UnknownSession)?;
        attempt.initiator.on_cookie(datagram)?;
        attempt.progress.on_cookie();
        Ok(())
    }

    /// A response: the initiator's second step. One that does not open leaves the attempt as it was.
    #[inline(never)] // Its frame is for handshakes; every other datagram does without.
    pub(super) fn on_response(&mut self, now: Instant, id: u64, datagram: &[u8]) -> Result<(), Reject> {
        let position = attempts::find(&self.tables.attempts, id).ok_or(Reject::UnknownSession)?;
        let Attempt { initiator, progress } = self.tables.attempts.swap_remove(position);
        match initiator.read_response(datagram) {
            Answer::Established { session, parameters } => {
                let Some(place) = self.reserve() else {
                    self.tell_ended(SessionId(id), Closure::ByUs(CloseCode::SessionLimit));
                    return Err(Reject::SessionLimit);
                };
                let newcomer = Newcomer {
                    session,
                    initiation: None,
                    parameters,
                    path: progress.path,
                    // By the Response, which is an answer to what was sent there.
                    path_proven: true,
                    round_trip: progress.round_trip(now),
                    confirm_by: Some(progress.deadline),
                };
                self.settle(now, place, newcomer);
                Ok(())
            }
            Answer::Refused(code) => {
                self.tell_ended(SessionId(id), Closure::Refused(code));
                Ok(())
            }
            Answer::Unproven => {
                self.tell_ended(SessionId(id), Closure::IdentityProofInvalid);
                Err(Reject::IdentityProofInvalid)
            }
            Answer::Rejected(initiator, reject) => {
                // It has just left its place, so there is one.
                _ = self.tables.attempts.push(Attempt { initiator, progress });
                Err(reject)
            }
        }
    }

    /// The first data for the half-open entry at `position`. If it opens, the session begins.
    ///
    /// It begins on the path of that packet: who raced a copy of the initiation from elsewhere cannot have sent it.
    #[inline(never)] // Its frame is for handshakes; every other datagram does without.
    pub(super) fn confirm(
        &mut self,
        now: Instant,
        position: usize,
        path: Path,
        datagram: &mut [u8],
    ) -> Result<(), Reject> {
        let peer = *self.tables.half_open.get_mut(position).ok_or(Reject::UnknownSession)?.session.peer();
        if self.calls_first(&peer) {
            // Answered before we began our own: unless that fails, it is what counts.
            return Ok(());
        }
        let entry = self.tables.half_open.get_mut(position).ok_or(Reject::UnknownSession)?;
        let packet = entry.session.open(&mut [0; REPLAY_WORDS_MIN], datagram)?;
        let mut entry = self.tables.half_open.take(position).ok_or(Reject::UnknownSession)?;
        self.drop_attempts(&peer);
        let superseded = self.supersede(&peer, None);
        let place = match (self.reserve(), superseded) {
            (None, Some(oldest)) => {
                // No room beside the session that gives way: it loses its place at once.
                self.evict(oldest);
                self.reserve()
            }
            (place, _) => place,
        };
        let Some(place) = place else {
            self.turn_away(&mut entry.session, path);
            return Err(Reject::SessionLimit);
        };
        let newcomer = Newcomer {
            path_proven: entry.proves(path),
            round_trip: entry.round_trip(now),
            session: entry.session,
            initiation: Some(entry.initiation),
            parameters: entry.parameters,
            path,
            confirm_by: None,
        };
        let slot = self.settle(now, place, newcomer);
        self.pool.get_mut(slot).ok_or(Reject::SessionLimit)?.handle_packet(now, path, &packet)
    }

    /// Whether, of two sides that may have one session with each other and both begin it, we are the one whose
    /// handshake counts: the one with the larger static key. It is so while our attempt is under way, and until the
    /// peer has been heard under its keys.
    fn calls_first(&self, peer: &PublicKey) -> bool {
        if self.config.sessions_per_peer != 1 || self.public_key().as_bytes() < peer.as_bytes() {
            return false;
        }
        let mut attempts = self.tables.attempts.iter();
        let mut sessions = self.tables.sessions.slots().filter_map(|(slot, _)| self.pool.get(slot));
        attempts.any(|attempt| attempt.initiator.peer() == peer)
            || sessions.any(|session| session.peer() == peer && session.awaits_peer())
    }

    /// A session with `peer` has begun on its call. Where there can be only one, our own call is over.
    fn drop_attempts(&mut self, peer: &PublicKey) {
        if self.config.sessions_per_peer != 1 {
            return;
        }
        let to_peer = |attempt: &Attempt| attempt.initiator.peer() == peer;
        while let Some(position) = self.tables.attempts.iter().position(to_peer) {
            let attempt = self.tables.attempts.swap_remove(position);
            self.tell_ended(SessionId(attempt.initiator.local_id()), Closure::Superseded);
        }
    }

    /// A place that both the pool and the table have.
    fn reserve(&mut self) -> Option<(usize, P::Storage)> {
        let (slot, storage) = self.pool.reserve()?;
        if slot < SESSIONS {
            return Some((slot, storage));
        }
        self.pool.restore(storage);
        None
    }

    /// Makes the connection of `newcomer` in its reserved place.
    fn settle(&mut self, now: Instant, place: (usize, P::Storage), newcomer: Newcomer) -> usize {
        let (slot, storage) = place;
        let id = newcomer.session.local_id();
        let start = Start {
            now,
            path: newcomer.path,
            local: &self.config.parameters,
            peer: &newcomer.parameters,
            handshake_rtt: newcomer.round_trip,
            path_proven: newcomer.path_proven,
            confirm_by: newcomer.confirm_by,
            keepalive: self.config.keepalive,
            key_life: self.config.key_life,
        };
        self.pool.fill(slot, Connection::new(storage, newcomer.session, &start));
        self.tables.sessions.insert(slot, id, newcomer.initiation);
        slot
    }

    /// The session in `slot`, which we opened, has heard its peer for the first time: others give way to it only now.
    pub(super) fn on_confirmed(&mut self, slot: usize) {
        if let Some(peer) = self.pool.get(slot).map(|session| *session.peer()) {
            self.supersede(&peer, Some(slot));
        }
    }

    /// At the bound of sessions for `peer`, ends its oldest one in favour of the one just confirmed, in slot `newest` if
    /// it has one yet; the slot of the one that ended.
    fn supersede(&mut self, peer: &PublicKey, newest: Option<usize>) -> Option<usize> {
        let pool = &self.pool;
        let is_theirs = |slot: usize| {
            Some(slot) != newest
                && pool
                    .get(slot)
                    .is_some_and(|connection| connection.peer() == peer && connection.closure().is_none())
        };
        let theirs = || self.tables.sessions.slots().filter(|(slot, _)| is_theirs(*slot));
        if theirs().count() < self.config.sessions_per_peer {
            return None;
        }
        let (oldest, _) = theirs().min_by_key(|(_, entry)| entry.born)?;
        self.pool.get_mut(oldest)?.supersede();
        self.tables.sessions.wake(oldest);
        Some(oldest)
    }

    /// Takes the place of a session that has ended; what the application had not read of it is gone.
    fn evict(&mut self, slot: usize) {
        let ended = self.tables.sessions.entry(slot).map(|entry| SessionId(entry.id));
        let why = self.pool.get(slot).and_then(Connection::closure);
        if let (Some(id), Some(why)) = (ended, why) {
            if self.tables.evicted.is_full() {
                // Its application hears nothing, and finds no session under its id.
                self.tables.evicted.pop_front();
            }
            _ = self.tables.evicted.push_back((id, why));
        }
        self.tables.sessions.remove(slot);
        if let Some(connection) = self.pool.take(slot) {
            self.pool.restore(connection.into_farewell().0);
        }
    }

    /// No room for a session that has just been confirmed: says so under its keys, and forgets it.
    fn turn_away(&mut self, session: &mut Session, path: Path) {
        let mut bytes = [0; DATAGRAM_MAX];
        if let Some(len) = seal_close(session, CloseCode::SessionLimit, &mut bytes) {
            // A full queue costs the peer only this courtesy: it runs into its handshake budget instead.
            _ = self.tables.replies.push_back(Reply { path, bytes, len });
        }
    }

    /// The application will hear that the attempt `id` has ended.
    #[inline(never)] // Called from many places.
    pub(super) fn tell_ended(&mut self, id: SessionId, why: Closure) {
        // Every attempt has a place here: `connect` counts both.
        _ = self.tables.ended.push_back((id, why));
    }

    /// Handshake messages that are to leave: initiations, answers, and replies without an entry.
    pub(super) fn poll_handshakes(&mut self, now: Instant, out: &mut [u8]) -> Option<Transmit> {
        if let Some(attempt) = self.tables.attempts.iter_mut().find(|attempt| attempt.progress.is_due(now)) {
            attempt.progress.on_sent(now);
            return Transmit::copy(attempt.progress.path, attempt.initiator.datagram(), out);
        }
        if let Some((path, response)) =
            self.tables.half_open.next_answer().and_then(|entry| entry.take_answer(now))
        {
            return Transmit::copy(path, response, out);
        }
        if let Some(reply) = self.tables.cookie_replies.pop_front() {
            return Transmit::copy(reply.path, &reply.bytes, out);
        }
        let reply = self.tables.replies.pop_front()?;
        Transmit::copy(reply.path, reply.bytes.get(..reply.len)?, out)
    }
}
