//! One host: a node, its clock, and the talks of its applications.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use udp_sec::error::CloseCode;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, ConnectError, Output, SessionId};
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::memory::Storage;

use super::clock::Clock;
use super::plan::HostPlan;
use super::talk::{Allowance, Talk};
use crate::invariants::Idle;
use crate::node::Node;
use crate::side::Sent;
use crate::trace::Trace;

/// How one end of a talk ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// The talk's name; `None` where it was never heard.
    pub name: Option<u64>,
    /// Whose end.
    pub host: usize,
    /// With whom.
    pub peer: usize,
    /// Whether this end called.
    pub caller: bool,
    /// Bytes up and down, as this end called for.
    pub sizes: (u64, u64),
    /// Why; `None` where the host was restarted.
    pub why: Option<Closure>,
    /// Bytes written here.
    pub sent: u64,
    /// Bytes read here, all of them right.
    pub received: u64,
    /// Whether everything was read, the end included.
    pub done: bool,
    /// When the session was established here, since the start of the run.
    pub established_at: Option<Duration>,
    /// When everything had been read here, likewise.
    pub done_at: Option<Duration>,
}

/// A host of a network.
#[derive(Debug)]
pub(super) struct Host<S: Storage + Default> {
    index: usize,
    plan: HostPlan,
    keys: StaticKeypair,
    peers: Vec<PublicKey>,
    pub(super) node: Node<S>,
    clock: Clock,
    frozen: Option<Frozen>,
    allowances: Vec<Allowance>,
    pub(super) talks: Vec<Talk>,
}

/// What waits for a host that stands still.
#[derive(Debug)]
struct Frozen {
    since: Instant,
    clock_runs: bool,
    room: usize,
    waiting: VecDeque<(Path, Vec<u8>)>,
}

impl<S: Storage + Default> Host<S> {
    /// The host number `index`; `peers` are the keys of all hosts.
    pub(super) fn new(
        index: usize,
        plan: &HostPlan,
        keys: &StaticKeypair,
        peers: &[PublicKey],
        seed: u64,
    ) -> Self {
        Self {
            index,
            plan: plan.clone(),
            keys: keys.clone(),
            peers: peers.to_vec(),
            node: node(plan, keys, peers, seed),
            clock: Clock::starting_at(plan.clock),
            frozen: None,
            allowances: alloc::vec![Allowance { write: u64::MAX, read: u64::MAX }; peers.len()],
            talks: Vec::new(),
        }
    }

    /// When it wants to be woken; `None` while it stands still or has nothing to wait for.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let at = self.node.wake_at.filter(|_| self.frozen.is_none())?;
        Some(self.clock.when(now, at))
    }

    /// Opens a session, and names the talk in it `name`.
    ///
    /// # Errors
    /// The end of the call, where the endpoint is at one of its bounds.
    pub(super) fn call(
        &mut self,
        now: Instant,
        path: Path,
        peer: usize,
        name: u64,
        sizes: (u64, u64),
    ) -> Result<(), Ended> {
        let local = self.clock.read(now);
        match self.node.connect(local, path, &self.peers[peer]) {
            Ok(id) => {
                self.talks.push(Talk::call(id, local, peer, name, sizes.0, sizes.1));
                Ok(())
            }
            Err(ConnectError::SessionLimit | ConnectError::TooManyAttempts) => Err(Ended {
                name: Some(name),
                host: self.index,
                peer,
                caller: true,
                sizes,
                why: Some(Closure::ByUs(CloseCode::SessionLimit)),
                sent: 0,
                received: 0,
                done: false,
                established_at: None,
                done_at: None,
            }),
            Err(why) => panic!("no call could be made: {why}"),
        }
    }

    /// Its applications that talk with `peer` may come so far.
    pub(super) fn allow(&mut self, peer: usize, write: u64, read: u64) {
        self.allowances[peer] = Allowance { write, read };
    }

    /// It stands still from now on.
    pub(super) fn freeze(&mut self, now: Instant, clock_runs: bool, room: usize) {
        if self.frozen.is_none() {
            self.frozen = Some(Frozen { since: now, clock_runs, room, waiting: VecDeque::new() });
        }
    }

    /// It goes on, with what has waited for it.
    pub(super) fn thaw(&mut self, now: Instant) {
        let Some(frozen) = self.frozen.take() else { return };
        if !frozen.clock_runs {
            self.clock.stood_still(now.saturating_since(frozen.since));
        }
        for (path, mut datagram) in frozen.waiting {
            self.receive(now, path, &mut datagram);
        }
        self.node.end_of_batch();
    }

    /// Its clock leaps forward.
    pub(super) fn leap(&mut self, by: Duration) {
        self.clock.leap(by);
    }

    /// It begins anew; what becomes of its talks goes to `ended`.
    pub(super) fn restart(&mut self, now: Instant, seed: u64, ended: &mut Vec<Ended>) {
        self.node = node(&self.plan, &self.keys, &self.peers, seed);
        self.node.wake_at = Some(self.clock.read(now));
        let talks = core::mem::take(&mut self.talks);
        ended.extend(talks.iter().map(|talk| self.ended(talk, None)));
    }

    /// A datagram arrives; whether it reaches the endpoint.
    pub(super) fn receive(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> bool {
        if let Some(frozen) = &mut self.frozen {
            if frozen.waiting.len() < frozen.room {
                frozen.waiting.push_back((path, datagram.to_vec()));
            }
            return false;
        }
        self.node.receive(self.clock.read(now), path, datagram);
        true
    }

    /// Something has happened here, or time has come: does what is to be done, unless it stands still.
    pub(super) fn act(&mut self, now: Instant, arrived: bool, trace: &mut Trace, out: &mut Outbox) {
        if self.frozen.is_some() {
            return;
        }
        let local = self.clock.read(now);
        if arrived {
            self.node.end_of_batch();
            self.node.endpoint.handle_timeout(local);
        } else if self.node.wake_at.is_some_and(|at| at <= local) {
            self.node.wake(local);
        }
        self.drain(now, local, trace, out);
        self.node.check();
        for talk in self.talks.iter().filter(|talk| talk.established_at.is_none() && talk.closed.is_none()) {
            let end = talk.began + self.plan.handshake_budget + Idle::MARGIN;
            assert!(local <= end, "I9: a call that may last until {end:?} is on at {local:?}");
        }
    }

    fn drain(&mut self, now: Instant, local: Instant, trace: &mut Trace, out: &mut Outbox) {
        let since_start = now.saturating_since(Instant::ZERO);
        loop {
            self.run_talks(since_start, local, &mut out.ended);
            let mut idle = true;
            loop {
                match self.node.poll(local) {
                    Output::Transmit(transmit) => {
                        for datagram in self.node.datagrams(transmit.len).chunks(transmit.segment) {
                            trace.sealed_datagram(since_start, self.index as u8, datagram);
                            out.sent.push((transmit.path, datagram.to_vec()));
                        }
                    }
                    Output::Event(id, event) => {
                        trace.event(since_start, self.index as u8, event);
                        self.on_event(since_start, local, id, event);
                        idle = false;
                    }
                    Output::Wait(_) => break,
                }
            }
            if idle {
                return;
            }
        }
    }

    fn on_event(&mut self, since_start: Duration, local: Instant, id: SessionId, event: Event) {
        let talk = self.talks.iter_mut().find(|talk| talk.id == id);
        match (event, talk) {
            (Event::Established, Some(talk)) => talk.established_at = Some(since_start),
            (Event::Established, None) => {
                let peer = *self.node.endpoint.peek(id).expect("it has just begun").peer();
                let peer = self.peers.iter().position(|key| *key == peer).expect("only hosts are allowed");
                self.talks.push(Talk::answer(id, (local, since_start), peer));
            }
            (Event::Closed(why), Some(talk)) => {
                assert!(talk.closed.is_none(), "I9: a session ended twice");
                talk.closed = Some(why);
            }
            (Event::Closed(_), None) => panic!("the end of a session that never began"),
            (Event::Readable | Event::Writable, _) => {}
        }
    }

    /// Lets every application act, and takes leave of the sessions that are over and read to their end.
    fn run_talks(&mut self, since_start: Duration, local: Instant, ended: &mut Vec<Ended>) {
        let mut position = 0;
        while let Some(talk) = self.talks.get_mut(position) {
            let mut over = talk.closed.is_some();
            if let Some(connection) = self.node.endpoint.session(talk.id) {
                talk.run(connection, self.allowances[talk.peer]);
                over &= connection.readable() == 0;
                if talk.application().is_some_and(|application| application.is_done()) {
                    talk.done_at.get_or_insert(since_start);
                }
            }
            if !over {
                position += 1;
                continue;
            }
            let talk = self.talks.swap_remove(position);
            self.node.endpoint.release(local, talk.id);
            ended.push(self.ended(&talk, talk.closed));
        }
    }

    fn ended(&self, talk: &Talk, why: Option<Closure>) -> Ended {
        let application = talk.application();
        Ended {
            name: talk.name(),
            host: self.index,
            peer: talk.peer,
            caller: talk.is_caller(),
            sizes: talk.sizes(),
            why,
            sent: application.map_or(0, |application| application.sent()),
            received: application.map_or(0, |application| application.received),
            done: application.is_some_and(|application| application.is_done()),
            established_at: talk.established_at,
            done_at: talk.done_at,
        }
    }
}

/// What comes out of a host at one moment.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) sent: Vec<Sent>,
    pub(super) ended: Vec<Ended>,
}

/// The endpoint that `plan` describes.
fn node<S: Storage + Default>(
    plan: &HostPlan,
    keys: &StaticKeypair,
    peers: &[PublicKey],
    seed: u64,
) -> Node<S> {
    let application = ApplicationProtocol::new(b"harness/1").expect("a short name");
    let mut parameters = Parameters::new(application, 0);
    parameters.idle_timeout = plan.idle_timeout;
    parameters.max_ack_delay = plan.ack_delay;
    parameters.ack_step = plan.ack_step;
    let mut config = Config::new(keys.clone(), parameters);
    config.handshake_budget = plan.handshake_budget;
    config.keepalive = plan.keepalive;
    config.key_life = plan.key_life;
    config.sessions_per_peer = plan.sessions_per_peer;
    Node::new(config, peers, seed)
}
