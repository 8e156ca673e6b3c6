//! An endpoint under watch: every call in, every datagram out, with the invariants checked on the way.

use alloc::boxed::Box;
use alloc::vec::Vec;

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use udp_sec::error::Reject;
use udp_sec::handshake::identity::AllowList;
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, ConnectError, Endpoint, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Storage;
use udp_sec_recovery::stats::{PathState, Stats};

use crate::invariants::{Idle, Watch};
use crate::pool::HeapPool;

/// Sessions and handshakes that an end of a simulation holds: more than it needs, so that one too many would show.
pub const SESSIONS: usize = 8;
/// More than one datagram's room, so that batches are exercised.
const BATCH: usize = 8 * 1200;

/// An endpoint, its randomness, and a watch over both. Times are those of its own clock.
#[derive(Debug)]
pub struct Node<S: Storage + Default> {
    /// The endpoint, for scenarios that look inside.
    pub endpoint: Endpoint<HeapPool<S>, AllowList<SESSIONS>, SESSIONS, SESSIONS>,
    /// What it asked to be woken at.
    pub wake_at: Option<Instant>,
    rng: ChaCha8Rng,
    watch: Watch,
    sessions: Vec<Watched>,
    idle_timeout: Duration,
    out: Vec<u8>,
}

/// A session that has begun and was not released yet.
#[derive(Debug)]
struct Watched {
    id: SessionId,
    idle: Idle,
    /// As it was before the call that is under way.
    before: (Stats, PathState),
}

impl<S: Storage + Default> Node<S> {
    /// An endpoint of `config` that `peers` may talk to, with randomness of `seed`.
    ///
    /// # Panics
    /// With more peers than an allow-list holds.
    #[must_use]
    pub fn new(config: Config, peers: &[PublicKey], seed: u64) -> Self {
        let mut allowed = AllowList::new();
        peers.iter().for_each(|peer| allowed.add(*peer).expect("the list has room for every peer"));
        let idle_timeout = config.parameters.idle_timeout;
        Self {
            endpoint: Endpoint::new(config, Box::default(), HeapPool::new(SESSIONS), allowed),
            wake_at: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
            watch: Watch::default(),
            sessions: Vec::new(),
            idle_timeout,
            out: alloc::vec![0; BATCH],
        }
    }

    /// Begins a handshake.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub fn connect(&mut self, now: Instant, path: Path, peer: &PublicKey) -> Result<SessionId, ConnectError> {
        let id = self.endpoint.connect(now, &mut self.rng, path, peer)?;
        self.wake_at = Some(now);
        Ok(id)
    }

    /// A datagram arrives.
    pub fn receive(&mut self, now: Instant, path: Path, datagram: &mut [u8]) {
        self.watch.on_input();
        let before = self.endpoint.rejects().clone();
        self.remember();
        self.endpoint.handle_datagram(now, &mut self.rng, path, datagram);
        let rejects = self.endpoint.rejects();
        let changed_nothing = rejects.total() > before.total()
            && rejects.get(Reject::ReassemblyOverflow) == before.get(Reject::ReassemblyOverflow);
        for session in &mut self.sessions {
            let Some(connection) = self.endpoint.peek(session.id) else { continue };
            let after = (connection.stats(), connection.path_state());
            // A datagram that breaks the protocol ends the session, and is counted as a reject, too.
            if changed_nothing && connection.closure().is_none() {
                Watch::on_drop(session.before, after);
            }
            if after.0.datagrams_received > session.before.0.datagrams_received {
                session.idle.on_heard(now, [session.before.1, after.1]);
            }
        }
        self.wake_at = Some(now);
    }

    /// Every datagram of this instant is in.
    pub fn end_of_batch(&mut self) {
        self.endpoint.end_of_batch();
    }

    /// Time passes: called when `wake_at` has come, and nothing else has happened.
    pub fn wake(&mut self, now: Instant) {
        self.watch.on_wake(now);
        self.endpoint.handle_timeout(now);
    }

    /// What the endpoint wants next; datagrams to be sent are in [`datagrams`](Self::datagrams).
    pub fn poll(&mut self, now: Instant) -> Output {
        self.remember();
        let output = self.endpoint.poll_output(now, &mut self.out);
        match output {
            Output::Transmit(transmit) => {
                for session in &mut self.sessions {
                    let Some(connection) = self.endpoint.peek(session.id) else { continue };
                    let after = (connection.stats(), connection.path_state());
                    Watch::on_transmit(session.before, after);
                    if after.1.in_flight > session.before.1.in_flight {
                        session.idle.on_eliciting_sent(now, [session.before.1, after.1]);
                    }
                }
                for datagram in self.out[..transmit.len].chunks(transmit.segment) {
                    self.watch.on_datagram(datagram);
                }
            }
            Output::Event(id, Event::Established) => {
                let (idle, before) = (Idle::new(now, self.idle_timeout), Default::default());
                self.sessions.push(Watched { id, idle, before });
            }
            Output::Event(..) => {}
            Output::Wait(until) => self.wake_at = until,
        }
        output
    }

    /// The first `len` bytes of what the last [`poll`](Self::poll) wants to be sent.
    #[must_use]
    pub fn datagrams(&self, len: usize) -> &[u8] {
        &self.out[..len]
    }

    /// Checks what must hold whenever there is nothing to do at this moment.
    pub fn check(&mut self) {
        self.sessions.retain(|session| self.endpoint.peek(session.id).is_some());
        for session in &self.sessions {
            let Some(connection) = self.endpoint.peek(session.id) else { continue };
            if connection.closure().is_none() {
                session.idle.check(self.wake_at);
            }
        }
        self.endpoint.check();
    }

    fn remember(&mut self) {
        for session in &mut self.sessions {
            if let Some(connection) = self.endpoint.peek(session.id) {
                session.before = (connection.stats(), connection.path_state());
            }
        }
    }
}
