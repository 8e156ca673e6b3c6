//! One end: an endpoint, its application, and a watch over both.

use alloc::vec::Vec;

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use udp_sec::error::Reject;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::memory::Storage;
use udp_sec_recovery::stats::{PathState, Stats};

use crate::application::Application;
use crate::invariants::Watch;
use crate::pool::HeapPool;
use crate::report::SideReport;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Sessions and handshakes that an end of a simulation holds: more than it needs, so that a second session would
/// show.
pub const SESSIONS: usize = 4;

/// A datagram on its way from an end to the link.
pub type Sent = (Path, Vec<u8>);

/// One end of a simulation.
#[derive(Debug)]
pub struct Side<S: Storage + Default> {
    index: u8,
    start: Instant,
    /// The endpoint, for scenarios that look inside.
    pub endpoint: Endpoint<HeapPool<S>, AllowList<4>, SESSIONS, SESSIONS>,
    rng: ChaCha8Rng,
    /// Its session, once there is one.
    pub session: Option<SessionId>,
    /// Its application.
    pub application: Application,
    watch: Watch,
    report: SideReport,
    /// What the endpoint asked to be woken at.
    pub wake_at: Option<Instant>,
    /// More than one datagram's room, so that batches are exercised.
    out: Vec<u8>,
}

impl<S: Storage + Default> Side<S> {
    /// The end number `index` (0: initiator, 1: responder) of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario, index: u8, keys: &[StaticKeypair; 2]) -> Self {
        let application = ApplicationProtocol::new(b"harness/1").expect("a short name");
        let mut parameters = Parameters::new(application, 0);
        parameters.idle_timeout = scenario.idle_timeout;
        parameters.max_ack_delay = scenario.ack_delay;
        parameters.ack_step = scenario.ack_step;
        let [own, other] = if index == 0 { [&keys[0], &keys[1]] } else { [&keys[1], &keys[0]] };
        let mut config = Config::new(own.clone(), parameters);
        config.handshake_budget = scenario.handshake_budget;
        config.keepalive = scenario.keepalive;
        config.key_life = scenario.key_life;
        let mut allowed = AllowList::new();
        allowed.add(*other.public()).expect("an empty list");
        let (sends, expects) = match index {
            0 => (scenario.client_bytes, scenario.server_bytes),
            _ => (scenario.server_bytes, scenario.client_bytes),
        };
        Self {
            index,
            start: scenario.start,
            endpoint: Endpoint::new(config, HeapPool::new(SESSIONS), allowed),
            rng: ChaCha8Rng::seed_from_u64(scenario.seed.wrapping_mul(2).wrapping_add(u64::from(index))),
            session: None,
            application: Application::new(scenario.seed << 1 | u64::from(index), sends, expects),
            watch: Watch::default(),
            report: SideReport::default(),
            wake_at: Some(scenario.start),
            out: alloc::vec![0; 8 * 1200],
        }
    }

    /// Begins a handshake.
    pub fn connect(&mut self, now: Instant, path: Path, peer: &PublicKey) {
        let id = self.endpoint.connect(now, &mut self.rng, path, peer).expect("an empty endpoint");
        self.session = Some(id);
        self.wake_at = Some(now);
    }

    /// A datagram arrives.
    pub fn receive(&mut self, now: Instant, path: Path, mut datagram: Vec<u8>) {
        self.watch.on_input();
        let before = (self.endpoint.rejects().clone(), self.state());
        self.endpoint.handle_datagram(now, &mut self.rng, path, &mut datagram);
        let dropped_without_trace = self.endpoint.rejects().total() > before.0.total()
            && self.endpoint.rejects().get(Reject::ReassemblyOverflow)
                == before.0.get(Reject::ReassemblyOverflow)
            && self.closure().is_none();
        if dropped_without_trace {
            Watch::on_drop(before.1, self.state());
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

    /// Runs application and endpoint until both are idle; datagrams that leave go to `sent`.
    pub fn drain(&mut self, now: Instant, trace: &mut Trace, sent: &mut Vec<Sent>) {
        let since_start = now.saturating_since(self.start);
        loop {
            if let Some(connection) = self.session.and_then(|id| self.endpoint.session(id)) {
                self.application.run(connection);
            }
            let mut idle = true;
            loop {
                let before = self.state();
                match self.endpoint.poll_output(now, &mut self.out) {
                    Output::Transmit(transmit) => {
                        Watch::on_transmit(before, self.state());
                        for datagram in self.out[..transmit.len].chunks(transmit.segment) {
                            self.watch.on_datagram(datagram);
                            trace.datagram(since_start, self.index, datagram);
                            sent.push((transmit.path, datagram.to_vec()));
                        }
                    }
                    Output::Event(id, event) => {
                        trace.event(since_start, self.index, event);
                        self.on_event(now, id, event);
                        idle = false;
                    }
                    Output::Wait(until) => {
                        self.wake_at = until;
                        break;
                    }
                }
            }
            if idle {
                break;
            }
        }
        self.note_progress(now);
        self.endpoint.check();
    }

    fn on_event(&mut self, now: Instant, id: SessionId, event: Event) {
        match event {
            Event::Established => {
                self.report.sessions += 1;
                self.report.established.get_or_insert(now);
                self.session.get_or_insert(id);
            }
            Event::Closed(why) if self.session == Some(id) => self.report.closed = Some(why),
            Event::Closed(_) | Event::Readable | Event::Writable => {}
        }
    }

    fn note_progress(&mut self, now: Instant) {
        if self.application.is_done() {
            self.report.delivered.get_or_insert(now);
        }
    }

    /// Counters and congestion state of the session, if there is one.
    #[must_use]
    pub fn state(&self) -> (Stats, PathState) {
        let connection = self.session.and_then(|id| self.endpoint.peek(id));
        connection.map(|connection| (connection.stats(), connection.path_state())).unwrap_or_default()
    }

    /// Why the session ended, as the application was told.
    #[must_use]
    pub fn closure(&self) -> Option<Closure> {
        self.report.closed
    }

    /// When the session was established.
    #[must_use]
    pub fn established(&self) -> Option<Instant> {
        self.report.established
    }

    /// The report of this end.
    #[must_use]
    pub fn report(&self) -> SideReport {
        SideReport { stats: self.state().0, rejects: self.endpoint.rejects().clone(), ..self.report.clone() }
    }
}
