//! Many hosts in virtual time: one server, its clients, and the network between them, on which anything may happen.
//!
//! ```text
//! client 1 ── access, NAT ──┐
//! client 2 ── access, NAT ──┼── shared link (if any) ── server
//! client 3 ── access, NAT ──┘
//! ```
//!
//! A [`Plan`] says what happens, [`run`] plays it until nothing is left to happen. Hosts have clocks of their own, may
//! stand still, move and begin anew; the invariants hold all along, and at the end every talk has ended at both ends,
//! in success or for a reason.

mod clock;
mod host;
pub mod plan;
mod route;
mod talk;

pub use host::Ended;
pub use plan::{Access, Action, HostPlan, Plan};

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::memory::{Medium, Small, Storage};
use udp_sec_recovery::stats::PathState;

use crate::pool::{Boxed, HostStorage};
use crate::scenario::Profile;
use crate::trace::Trace;
use crate::world::SERVER;
use host::{Host, Outbox};
use route::Routes;

/// How long a client waits before it calls again.
const REDIAL: Duration = Duration::from_millis(500);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct NetworkReport {
    /// Every end of every talk.
    pub ended: Vec<Ended>,
    /// Bytes that the applications got, all of them right.
    pub delivered: u64,
    /// Datagrams that the hosts sent.
    pub datagrams: u64,
    /// From the start until nothing was left to happen.
    pub lasted: Duration,
    /// Hash over every datagram (bytes, time, sender) and every event.
    pub trace: [u8; 32],
}

/// Plays `plan` to its end.
///
/// # Panics
/// When an invariant breaks, or the run does not end within the plan's limit.
#[must_use]
pub fn run(plan: &Plan) -> NetworkReport {
    match plan.profile {
        Profile::Small => Network::<Boxed<Small>>::new(plan).play(),
        Profile::Medium => Network::<Boxed<Medium>>::new(plan).play(),
        Profile::Host => Network::<HostStorage>::new(plan).play(),
    }
}

/// Hosts, the network between them, and the time.
#[derive(Debug)]
pub struct Network<S: Storage + Default> {
    now: Instant,
    limit: Instant,
    seed: u64,
    hosts: Vec<Host<S>>,
    routes: Routes,
    /// By time, then in the order they were planned.
    events: BTreeMap<(Instant, usize), Action>,
    planned: usize,
    redials: u32,
    calls: u64,
    restarts: u64,
    ended: Vec<Ended>,
    datagrams: u64,
    trace: Trace,
}

impl<S: Storage + Default> Network<S> {
    /// The network of `plan` at its start.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(!plan.seed);
        let keys: Vec<_> = plan.hosts.iter().map(|_| StaticKeypair::generate(&mut rng)).collect();
        let keys: Vec<_> = keys.into_iter().map(|keys| keys.expect("a generator that cannot fail")).collect();
        let public: Vec<_> = keys.iter().map(|keys| *keys.public()).collect();
        let host = |(index, plan_of_host)| {
            Host::new(index, plan_of_host, &keys[index], &public, seed_of(plan.seed, index, 0))
        };
        let mut network = Self {
            now: Instant::ZERO,
            limit: Instant::ZERO + plan.limit,
            seed: plan.seed,
            hosts: plan.hosts.iter().enumerate().map(host).collect(),
            routes: Routes::new(plan),
            events: BTreeMap::new(),
            planned: 0,
            redials: plan.redials,
            calls: 0,
            restarts: 0,
            ended: Vec::new(),
            datagrams: 0,
            trace: Trace::default(),
        };
        plan.events.iter().for_each(|(at, action)| network.schedule(Instant::ZERO + *at, action.clone()));
        network
    }

    /// Plays until nothing is left to happen.
    ///
    /// # Panics
    /// As [`run`].
    #[must_use]
    pub fn play(mut self) -> NetworkReport {
        while let Some(next) = self.next_instant() {
            assert!(next <= self.limit, "I9: no end by {:?}: {:#?}", self.limit, self.unfinished());
            self.step(next);
        }
        self.check_ends();
        NetworkReport {
            delivered: self.ended.iter().map(|end| end.received).sum(),
            ended: self.ended,
            datagrams: self.datagrams,
            lasted: self.now.saturating_since(Instant::ZERO),
            trace: self.trace.finish(),
        }
    }

    /// Plays up to `until`.
    pub fn advance(&mut self, until: Instant) {
        while let Some(next) = self.next_instant().filter(|next| *next <= until) {
            self.step(next);
        }
        self.now = until;
    }

    /// Bytes that the applications of `host` have received so far in the talks that go on.
    #[must_use]
    pub fn received(&self, host: usize) -> u64 {
        let talks = self.hosts[host].talks.iter();
        talks.filter_map(|talk| talk.application()).map(|application| application.received).sum()
    }

    /// The same by client, as the server has received them.
    #[must_use]
    pub fn received_from(&self, client: usize) -> u64 {
        let talks = self.hosts[0].talks.iter().filter(|talk| talk.peer == client);
        talks.filter_map(|talk| talk.application()).map(|application| application.received).sum()
    }

    /// Congestion control of the oldest session of `host`.
    #[must_use]
    pub fn path_state(&self, host: usize) -> Option<PathState> {
        let host = &self.hosts[host];
        Some(host.node.endpoint.peek(host.talks.first()?.id)?.path_state())
    }

    /// Sessions of each host that are established and open.
    #[must_use]
    pub fn sessions(&self) -> Vec<usize> {
        let open = |host: &Host<S>| {
            let talks = host.talks.iter();
            talks.filter(|talk| talk.established_at.is_some() && talk.closed.is_none()).count()
        };
        self.hosts.iter().map(open).collect()
    }

    /// Every end of every talk that is over.
    #[must_use]
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// When something happens next.
    #[must_use]
    pub fn next_instant(&self) -> Option<Instant> {
        let wakes = self.hosts.iter().filter_map(|host| host.wakes_at(self.now));
        let planned = self.events.first_key_value().map(|((at, _), _)| *at);
        wakes.chain(self.routes.next_delivery()).chain(planned).min().map(|next| next.max(self.now))
    }

    /// Moves the time to `now`, and does everything that happens then.
    pub fn step(&mut self, now: Instant) {
        self.now = now;
        // Hosts that something happened to, and those that a datagram reached.
        let (mut touched, mut reached) = (0_u32, 0_u32);
        while self.events.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            if let Some((_, action)) = self.events.pop_first() {
                touched |= 1 << self.apply(action);
            }
        }
        while let Some(mut arrival) = self.routes.poll(now) {
            let host = &mut self.hosts[arrival.host];
            reached |= u32::from(host.receive(now, arrival.path, &mut arrival.data)) << arrival.host;
        }
        for index in 0..self.hosts.len() {
            let is_due = self.hosts[index].wakes_at(now).is_some_and(|at| at <= now);
            let arrived = reached >> index & 1 == 1;
            if !(arrived || is_due || touched >> index & 1 == 1) {
                continue;
            }
            let mut out = Outbox::default();
            self.hosts[index].act(now, arrived, &mut self.trace, &mut out);
            self.datagrams += out.sent.len() as u64;
            for (path, datagram) in out.sent {
                self.routes.send(now, index, path.remote, datagram);
            }
            for end in out.ended {
                self.on_end(end);
            }
        }
    }

    /// Does what was planned; whom it concerns.
    fn apply(&mut self, action: Action) -> usize {
        let now = self.now;
        match action {
            Action::Call { from, to, upload, download } => {
                let path = Path::to(if to == 0 { SERVER } else { self.routes.client_address(now, to) });
                self.calls += 1;
                let name = self.seed.wrapping_shl(16).wrapping_add(self.calls << 1);
                let called = self.hosts[from].call(now, path, to, name, (upload, download));
                self.ended.extend(called.err());
                from
            }
            Action::Allow { host, peer, write, read } => {
                self.hosts[host].allow(peer, write, read);
                host
            }
            Action::Freeze { host, clock_runs, room } => {
                self.hosts[host].freeze(now, clock_runs, room);
                host
            }
            Action::Thaw { host } => {
                self.hosts[host].thaw(now);
                host
            }
            Action::Leap { host, by } => {
                self.hosts[host].leap(by);
                host
            }
            Action::Move { host, place, port } => {
                self.routes.rebind(now, host, plan::client_address(host, place, port));
                host
            }
            Action::Relink { host, links } => {
                self.routes.relink(host, *links);
                host
            }
            Action::Restart { host } => {
                self.restarts += 1;
                let seed = seed_of(self.seed, host, self.restarts);
                self.hosts[host].restart(now, seed, &mut self.ended);
                host
            }
        }
    }

    /// One end of a talk is over: a caller that did not get what it wanted may try again.
    fn on_end(&mut self, end: Ended) {
        // Who was superseded has a newer session.
        let gave_up = end.caller && end.why.is_some_and(|why| !why.is_clean() && why != Closure::Superseded);
        if gave_up && self.redials > 0 {
            self.redials -= 1;
            let (upload, download) = end.sizes;
            let call = Action::Call { from: end.host, to: end.peer, upload, download };
            self.schedule(self.now + REDIAL, call);
        }
        self.ended.push(end);
    }

    fn schedule(&mut self, at: Instant, action: Action) {
        self.events.insert((at, self.planned), action);
        self.planned += 1;
    }

    /// The talks that go on, by host, each with what its session has done.
    fn unfinished(&self) -> Vec<String> {
        let all = self.hosts.iter().enumerate().flat_map(|(index, host)| {
            host.talks.iter().map(move |talk| (index, host.node.endpoint.peek(talk.id), talk))
        });
        all.map(|(host, connection, talk)| {
            let state = connection.map(|connection| (connection.stats(), connection.path_state()));
            format!("host {host}: {talk:?}: {state:?}")
        })
        .collect()
    }

    /// Nothing is left to happen: no host holds on to anything, and the two ends of each talk agree.
    fn check_ends(&mut self) {
        for host in &mut self.hosts {
            assert!(host.talks.is_empty(), "I9: talks that never end: {:?}", host.talks);
            assert_eq!(host.node.endpoint.sessions(), 0, "a session outlived its application");
            assert_eq!(host.node.endpoint.half_open(), 0, "a handshake outlived its time");
        }
        let mut answered = BTreeSet::new();
        for answer in self.ended.iter().filter(|end| !end.caller) {
            let Some(name) = answer.name else { continue };
            assert!(answered.insert(name), "I1: talk {name} was heard in two sessions");
            let call = self.ended.iter().find(|end| end.caller && end.name == Some(name));
            let call = call.expect("I1: a talk that nobody began");
            assert!(answer.received <= call.sent && call.received <= answer.sent, "I1: more than was sent");
            if call.why.is_some_and(|why| why.is_clean()) {
                assert!(call.done, "I9: complete, but not for its caller: {call:?}");
                assert!(answer.done || answer.why.is_none(), "I9: complete, but not for {answer:?}");
            }
        }
    }
}

/// What host `index` draws from, after so many restarts of any.
fn seed_of(seed: u64, index: usize, restarts: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index as u64 | restarts << 8)
}
