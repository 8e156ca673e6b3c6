//! Many sessions on one socket: handshakes, demultiplexing, one stream of outputs.
//!
//! The caller owns socket, clock and random source, and runs one loop: datagrams and the passing of time go in
//! through [`Endpoint::handle_datagram`] and [`Endpoint::handle_timeout`]; then [`Endpoint::poll_output`] is called
//! until it says [`Output::Wait`]. The application's calls on a [`Connection`] count as input, too.

mod admission;
mod attempts;
mod config;
mod half_open;
mod index;
mod load;
mod pool;
mod static_pool;
mod table;
mod tables;

pub use config::Config;
pub use pool::{InlinePool, Pool};
pub use static_pool::StaticPool;
pub use tables::Tables;

use rand_core::TryCryptoRng;
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::Policy;
use udp_sec::handshake::params::Parameters;
use udp_sec::handshake::{Caller, Cookies, Initiator, Responder};
use udp_sec::keys::PublicKey;
use udp_sec::stats::RejectCounts;
use udp_sec::time::Instant;
use udp_sec::wire::{self, Datagram};

use crate::connection::{Connection, Farewell, Heard, Path, Transmit, earliest};
use crate::event::{Closure, Event};
use crate::home::Home;
use crate::memory::Storage;

use attempts::{Attempt, Progress};
use load::Load;

/// Draws for a session id before the random source is given up.
const FRESH_ID_TRIES: usize = 8;

/// Names a session or an attempt at one, for as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct SessionId(u64);

/// What the caller is to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send the first [`Transmit::len`] bytes of the buffer.
    Transmit(Transmit),
    /// Tell the application.
    Event(SessionId, Event),
    /// Nothing until this time, if any: wait for a datagram, or for the application.
    Wait(Option<Instant>),
}

/// Why no handshake could be begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// Too many handshakes are under way.
    TooManyAttempts,
    /// No room for another session.
    SessionLimit,
    /// The random source failed: nothing leaves.
    EntropyUnavailable,
    /// The peer's public key is not one that a handshake can be made with.
    BadPeerKey,
    /// One of our own parameters is out of its range.
    BadParameters,
}

impl core::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooManyAttempts => "too many handshakes under way",
            Self::SessionLimit => "no room for another session",
            Self::EntropyUnavailable => "the random source failed",
            Self::BadPeerKey => "the peer's public key is not usable",
            Self::BadParameters => "one of our own parameters is out of range",
        })
    }
}

impl core::error::Error for ConnectError {}

/// Sessions of one identity over one socket: at most `SESSIONS` of them, and at most `HANDSHAKES`
/// under way in each role. Connections live in the pool `P`; who may have one is for the policy `A` to say.
#[derive(Debug)]
pub struct Endpoint<P: Pool, A: Policy, const SESSIONS: usize, const HANDSHAKES: usize> {
    config: Config,
    responder: Responder,
    policy: A,
    pool: P,
    tables: Home<Tables<SESSIONS, HANDSHAKES>>,
    load: Load,
    cookies: Cookies,
    rejects: RejectCounts,
}

impl<P: Pool, A: Policy, const SESSIONS: usize, const HANDSHAKES: usize>
    Endpoint<P, A, SESSIONS, HANDSHAKES>
{
    /// An endpoint with no sessions, in `tables`, which are empty. The credit that `config` offers is set to the pool's
    /// receive capacity.
    pub fn new(
        mut config: Config,
        tables: impl Into<Home<Tables<SESSIONS, HANDSHAKES>>>,
        pool: P,
        policy: A,
    ) -> Self {
        config.parameters.initial_credit = P::Storage::RECEIVE_CAPACITY as u64;
        Self {
            responder: Responder::with_credentials(config.keypair.clone(), config.credentials),
            load: Load::new(config.unproven_per_second),
            cookies: Cookies::new(config.keypair.public()),
            config,
            policy,
            pool,
            tables: tables.into(),
            rejects: RejectCounts::new(),
        }
    }

    /// Begins a handshake with the holder of `peer` over `path`. [`Event::Established`] or [`Event::Closed`]
    /// follows for the id returned; until then there is no session behind it.
    ///
    /// # Errors
    /// At a bound, without entropy, or with a key that no handshake can be made with.
    pub fn connect<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Instant,
        rng: &mut R,
        path: Path,
        peer: &PublicKey,
    ) -> Result<SessionId, ConnectError> {
        if self.tables.attempts.len().saturating_add(self.tables.ended.len()) >= HANDSHAKES {
            return Err(ConnectError::TooManyAttempts);
        }
        if self.tables.sessions.len().saturating_add(self.tables.attempts.len()) >= SESSIONS {
            return Err(ConnectError::SessionLimit);
        }
        let Config { keypair, credentials, parameters, .. } = &self.config;
        let caller = Caller { keypair, credentials: *credentials };
        let made = self.fresh_id(rng).and_then(|id| Initiator::new(caller, peer, id, parameters, rng));
        let initiator = made.map_err(|reject| {
            self.rejects.count(reject);
            match reject {
                Reject::EntropyUnavailable => ConnectError::EntropyUnavailable,
                Reject::MalformedParameters => ConnectError::BadParameters,
                _ => ConnectError::BadPeerKey,
            }
        })?;
        let id = SessionId(initiator.local_id());
        let progress = Progress::new(now, path, self.config.handshake_budget);
        self.tables
            .attempts
            .push(Attempt { initiator, progress })
            .map_err(|_| ConnectError::TooManyAttempts)?;
        Ok(id)
    }

    /// Takes one datagram that arrived over `path`, and opens it in place. What is not for us, forged, replayed or
    /// malformed is dropped, counted, and answered with silence.
    pub fn handle_datagram<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Instant,
        rng: &mut R,
        path: Path,
        datagram: &mut [u8],
    ) {
        if let Err(reject) = self.dispatch(now, rng, path, datagram) {
            self.rejects.count(reject);
        }
    }

    fn dispatch<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Instant,
        rng: &mut R,
        path: Path,
        datagram: &mut [u8],
    ) -> Result<(), Reject> {
        let id = match wire::decode(datagram)? {
            Datagram::Initiation(_) => return self.on_initiation(now, rng, path, datagram),
            Datagram::Response(response) => {
                let id = response.receiver_id();
                return self.on_response(now, id, datagram);
            }
            Datagram::CookieReply(reply) => {
                let id = reply.receiver_id();
                return self.on_cookie(id, datagram);
            }
            Datagram::Data(header) => header.receiver_id(),
        };
        if let Some(slot) = self.tables.sessions.slot(id) {
            self.tables.sessions.wake(slot);
            let session = self.pool.get_mut(slot).ok_or(Reject::UnknownSession)?;
            let awaited = session.awaits_peer();
            let handled = session.handle_datagram(now, path, datagram);
            if awaited && !session.awaits_peer() {
                self.on_confirmed(slot);
            }
            return handled;
        }
        if let Some(position) = self.tables.half_open.find_id(id) {
            return self.confirm(now, position, path, datagram);
        }
        if let Some(farewell) = self.tables.farewells.iter_mut().find(|farewell| farewell.id() == id) {
            if farewell.handle_datagram(datagram)? == Heard::Close {
                self.tables.farewells.retain(|farewell| farewell.id() != id);
            }
            return Ok(());
        }
        Err(match attempts::find(&self.tables.attempts, id) {
            Some(_) => Reject::UnauthenticatedDataBeforeHandshake,
            None => Reject::UnknownSession,
        })
    }

    /// The system refuses datagrams of 1200 bytes on `path`: handshakes there end at once with [`Closure::NoPath`].
    /// Sessions go on, for a route may come back. Only for what this system knows of itself; what the network says,
    /// anybody may have said.
    pub fn path_too_narrow(&mut self, path: Path) {
        let on_path = |attempt: &Attempt| attempt.progress.path == path;
        while let Some(position) = self.tables.attempts.iter().position(on_path) {
            let attempt = self.tables.attempts.swap_remove(position);
            self.tell_ended(SessionId(attempt.initiator.local_id()), Closure::NoPath);
        }
    }

    /// Every datagram that the socket had is in: acknowledgements may leave now.
    pub fn end_of_batch(&mut self) {
        for slot in self.tables.sessions.ready() {
            if let Some(connection) = self.pool.get_mut(slot) {
                connection.end_of_batch();
            }
        }
    }

    /// Does what is due at `now`; calling it early or often is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tables.half_open.expire(now);
        self.tables.farewells.retain(|farewell| farewell.until() > now);
        while let Some(position) =
            self.tables.attempts.iter().position(|attempt| attempt.progress.deadline <= now)
        {
            let attempt = self.tables.attempts.swap_remove(position);
            self.tell_ended(SessionId(attempt.initiator.local_id()), Closure::HandshakeTimeout);
        }
        while let Some(slot) = self.tables.sessions.take_expired(now) {
            if let Some(Err(reject)) = self.pool.get_mut(slot).map(|session| session.handle_timeout(now)) {
                self.rejects.count(reject);
            }
            self.tables.sessions.wake(slot);
        }
    }

    /// The next thing to do. `out` is where datagrams are built: at least 1200 bytes; with more room, several of
    /// equal size may come at once. To be called until it says [`Output::Wait`].
    pub fn poll_output(&mut self, now: Instant, out: &mut [u8]) -> Output {
        if let Some((id, why)) = self.tables.ended.pop_front().or_else(|| self.tables.evicted.pop_front()) {
            return Output::Event(id, Event::Closed(why));
        }
        if let Some(transmit) = self.poll_handshakes(now, out) {
            return Output::Transmit(transmit);
        }
        if let Some(transmit) =
            self.tables.farewells.iter_mut().find_map(|farewell| farewell.poll_transmit(out))
        {
            return Output::Transmit(transmit);
        }
        while let Some(slot) = self.tables.sessions.next_ready() {
            if let Some(output) = self.poll_connection(now, slot, out) {
                return output;
            }
        }
        Output::Wait(self.next_timeout())
    }

    fn poll_connection(&mut self, now: Instant, slot: usize, out: &mut [u8]) -> Option<Output> {
        let (Some(connection), Some(entry)) = (self.pool.get_mut(slot), self.tables.sessions.entry(slot))
        else {
            self.tables.sessions.remove(slot);
            return None;
        };
        if let Some(event) = connection.poll_event() {
            return Some(Output::Event(SessionId(entry.id), event));
        }
        if let Some(transmit) = connection.poll_transmit(now, out) {
            self.tables.sessions.rotate();
            return Some(Output::Transmit(transmit));
        }
        let deadline = connection.next_timeout();
        if entry.released {
            self.dismiss(slot);
        } else {
            self.tables.sessions.rest(deadline);
        }
        None
    }

    /// Takes the memory of a released session back; what closing still needs is kept, for as many as there is room.
    fn dismiss(&mut self, slot: usize) {
        self.tables.sessions.remove(slot);
        let Some(connection) = self.pool.take(slot) else { return };
        let (storage, farewell) = connection.into_farewell();
        self.pool.restore(storage);
        let Some(farewell) = farewell else { return };
        if self.tables.farewells.is_full() {
            self.tables.farewells.pop_front();
        }
        _ = self.tables.farewells.push_back(farewell);
    }

    fn next_timeout(&self) -> Option<Instant> {
        let attempts = self.tables.attempts.iter().map(|attempt| attempt.progress.wake_at()).min();
        let farewells = self.tables.farewells.iter().map(Farewell::until).min();
        let (half_open, sessions) =
            (self.tables.half_open.next_expiry(), self.tables.sessions.next_deadline());
        earliest(&[attempts, farewells, half_open, sessions])
    }

    /// The session named `id`, for reading and writing; `None` before it is established and after it was released.
    pub fn session(&mut self, id: SessionId) -> Option<&mut Connection<P::Storage>> {
        let slot = self.tables.sessions.slot(id.0)?;
        // The application may write, read (which grants credit) or close: all of that can make a packet due.
        self.tables.sessions.wake(slot);
        self.pool.get_mut(slot)
    }

    /// The session named `id`, to look at.
    #[must_use]
    pub fn peek(&self, id: SessionId) -> Option<&Connection<P::Storage>> {
        self.pool.get(self.tables.sessions.slot(id.0)?)
    }

    /// The application is done with `id`: an attempt is given up, an open session aborted, and its memory comes
    /// free as soon as the peer has been told.
    pub fn release(&mut self, now: Instant, id: SessionId) {
        self.tables.attempts.retain(|attempt| attempt.initiator.local_id() != id.0);
        let Some(slot) = self.tables.sessions.slot(id.0) else { return };
        if let Some(connection) = self.pool.get_mut(slot) {
            connection.abort(now, CloseCode::AppAbort);
        }
        if let Some(entry) = self.tables.sessions.entry_mut(slot) {
            entry.released = true;
        }
        self.tables.sessions.wake(slot);
    }

    /// What was dropped so far, and why.
    #[must_use]
    pub const fn rejects(&self) -> &RejectCounts {
        &self.rejects
    }

    /// How many sessions there are, those not yet released included.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.tables.sessions.len()
    }

    /// How many released sessions may still have to repeat their CLOSE.
    #[must_use]
    pub fn farewells(&self) -> usize {
        self.tables.farewells.len()
    }

    /// How many answered initiations wait for their confirmation.
    #[must_use]
    pub fn half_open(&self) -> usize {
        self.tables.half_open.len()
    }

    /// Our public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.config.keypair.public()
    }

    /// What we offer in handshakes.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.config.parameters
    }

    /// Panics where the state contradicts itself; for debug builds and tests, after any call.
    pub fn check(&mut self) {
        let slots = self.tables.sessions.slots().count();
        debug_assert_eq!(slots, self.tables.sessions.len());
        for (slot, _) in self.tables.sessions.slots() {
            if let Some(connection) = self.pool.get_mut(slot) {
                connection.check();
            }
        }
    }

    /// A random id that no live entry has.
    fn fresh_id<R: TryCryptoRng + ?Sized>(&self, rng: &mut R) -> Result<u64, Reject> {
        for _ in 0..FRESH_ID_TRIES {
            let id = rng.try_next_u64().map_err(|_| Reject::EntropyUnavailable)?;
            let taken = self.tables.sessions.slot(id).is_some()
                || self.tables.half_open.find_id(id).is_some()
                || attempts::find(&self.tables.attempts, id).is_some()
                || self.tables.farewells.iter().any(|farewell| farewell.id() == id);
            if !taken {
                return Ok(id);
            }
        }
        // A source that goes on repeating 64-bit numbers is no random source.
        Err(Reject::EntropyUnavailable)
    }
}

#[cfg(test)]
mod tests;
