//! One end of a simulation of two: a node with one session and one application.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Output, SessionId};
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::memory::Storage;
use udp_sec_recovery::stats::{PathState, Stats};

use crate::application::Application;
use crate::node::Node;
use crate::report::SideReport;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// A datagram on its way from an end to the link.
pub type Sent = (Path, Vec<u8>);

/// One end of a simulation; what concerns the endpoint alone is its [`Node`]'s.
#[derive(Debug)]
pub struct Side<S: Storage + Default> {
    index: u8,
    start: Instant,
    node: Node<S>,
    /// Its session, once there is one.
    pub session: Option<SessionId>,
    /// Its application.
    pub application: Application,
    report: SideReport,
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
        let seed = scenario.seed.wrapping_mul(2).wrapping_add(u64::from(index));
        let mut node = Node::new(config, &[*other.public()], seed);
        node.wake_at = Some(scenario.start);
        let (sends, expects) = match index {
            0 => (scenario.client_bytes, scenario.server_bytes),
            _ => (scenario.server_bytes, scenario.client_bytes),
        };
        Self {
            index,
            start: scenario.start,
            node,
            session: None,
            application: Application::new(scenario.seed << 1 | u64::from(index), sends, expects),
            report: SideReport::default(),
        }
    }

    /// Begins a handshake.
    ///
    /// # Panics
    /// When the endpoint cannot.
    pub fn connect(&mut self, now: Instant, path: Path, peer: &PublicKey) {
        self.session = Some(self.node.connect(now, path, peer).expect("an empty endpoint"));
    }

    /// Runs application and endpoint until both are idle; datagrams that leave go to `sent`.
    pub fn drain(&mut self, now: Instant, trace: &mut Trace, sent: &mut Vec<Sent>) {
        let since_start = now.saturating_since(self.start);
        loop {
            if let Some(connection) = self.session.and_then(|id| self.node.endpoint.session(id)) {
                self.application.run(connection);
            }
            let mut idle = true;
            loop {
                match self.node.poll(now) {
                    Output::Transmit(transmit) => {
                        for datagram in self.node.datagrams(transmit.len).chunks(transmit.segment) {
                            trace.datagram(since_start, self.index, datagram);
                            sent.push((transmit.path, datagram.to_vec()));
                        }
                    }
                    Output::Event(id, event) => {
                        trace.event(since_start, self.index, event);
                        self.on_event(now, id, event);
                        idle = false;
                    }
                    Output::Wait(_) => break,
                }
            }
            if idle {
                break;
            }
        }
        self.note_progress(now);
        self.node.check();
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

impl<S: Storage + Default> Deref for Side<S> {
    type Target = Node<S>;

    fn deref(&self) -> &Node<S> {
        &self.node
    }
}

impl<S: Storage + Default> DerefMut for Side<S> {
    fn deref_mut(&mut self) -> &mut Node<S> {
        &mut self.node
    }
}
