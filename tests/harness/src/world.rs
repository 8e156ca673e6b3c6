//! The clock of a simulation: from one thing that happens to the next.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use chacha20::ChaCha8Rng;
use lossy_link::End;
use rand_core::SeedableRng;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::memory::{Medium, Small, Storage};

use crate::pool::HostStorage;
use crate::report::{Outcome, Report, Sample};
use crate::scenario::{Profile, Scenario};
use crate::side::Side;
use crate::trace::Trace;

/// The initiator's address, before any rebinding.
pub const CLIENT: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 40_001);
/// The responder's address.
pub const SERVER: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 4_433);

/// Plays `scenario` to its end.
///
/// # Panics
/// When an invariant breaks, or the run does not end within the scenario's limit.
#[must_use]
pub fn run(scenario: &Scenario) -> Report {
    match scenario.profile {
        Profile::Small => World::<Small>::new(scenario).play(scenario),
        Profile::Medium => World::<Medium>::new(scenario).play(scenario),
        Profile::Host => World::<HostStorage>::new(scenario).play(scenario),
    }
}

/// Two ends, the path between them, and the time.
#[derive(Debug)]
pub struct World<S: Storage + Default> {
    /// The time.
    pub now: Instant,
    start: Instant,
    /// The path between the ends.
    pub path: lossy_link::Path,
    /// Initiator and responder.
    pub sides: [Side<S>; 2],
    trace: Trace,
    samples: Vec<Sample>,
    sample_at: Option<Instant>,
}

impl<S: Storage + Default> World<S> {
    /// The world of `scenario` at its start, with the initiator's handshake begun.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(!scenario.seed);
        let keys = [(); 2].map(|()| StaticKeypair::generate(&mut rng).expect("a generator that cannot fail"));
        let mut sides = [Side::new(scenario, 0, &keys), Side::new(scenario, 1, &keys)];
        sides[0].connect(scenario.start, Path::to(SERVER), keys[1].public());
        let (to_server, to_client) = (scenario.to_server.clone(), scenario.to_client.clone());
        Self {
            now: scenario.start,
            start: scenario.start,
            path: lossy_link::Path::new(CLIENT, SERVER, to_server, to_client, scenario.seed),
            sides,
            trace: Trace::default(),
            samples: Vec::new(),
            sample_at: scenario.sample_every.map(|_| scenario.start),
        }
    }

    /// Plays until the run has ended.
    ///
    /// # Panics
    /// As [`run`].
    #[must_use]
    pub fn play(mut self, scenario: &Scenario) -> Report {
        let limit = scenario.start + scenario.limit;
        while !self.has_ended(scenario) {
            let Some(next) = self.next_instant() else { break };
            assert!(next <= limit, "I9: no end by {limit:?}: {scenario:?}");
            self.step(next);
            self.sample(scenario);
        }
        self.report(scenario)
    }

    /// When something happens next; `None` when nothing ever will.
    #[must_use]
    pub fn next_instant(&self) -> Option<Instant> {
        let wakes = self.sides.iter().filter_map(|side| side.wake_at);
        wakes.chain(self.path.next_delivery()).min().map(|next| next.max(self.now))
    }

    /// Plays up to `until`, then lets both applications act: for scenarios that interfere on the way.
    pub fn advance(&mut self, until: Instant) {
        while let Some(next) = self.next_instant().filter(|next| *next <= until) {
            self.step(next);
        }
        self.now = until;
        self.drain(0);
        self.drain(1);
    }

    /// Moves the clock to `now` and does everything that happens then.
    pub fn step(&mut self, now: Instant) {
        self.now = now;
        let mut arrived = [false; 2];
        while let Some(mut arrival) = self.path.poll(now) {
            let index = usize::from(arrival.to == End::Server);
            let local = if index == 1 { SERVER } else { CLIENT };
            let path = Path { remote: arrival.source, local: (index == 1).then_some(local.ip()) };
            self.sides[index].receive(now, path, &mut arrival.data);
            arrived[index] = true;
        }
        for index in [0, 1] {
            let side = &mut self.sides[index];
            if arrived[index] {
                side.end_of_batch();
            } else if side.wake_at.is_some_and(|at| at <= now) {
                side.wake(now);
            } else {
                continue;
            }
            if arrived[index] {
                side.endpoint.handle_timeout(now);
            }
            self.drain(index);
        }
    }

    /// Lets the application and the endpoint at `index` do what they can, and hands the datagrams to the link.
    fn drain(&mut self, index: usize) {
        let mut sent = Vec::new();
        self.sides[index].drain(self.now, &mut self.trace, &mut sent);
        let end = [End::Client, End::Server][index];
        for (path, datagram) in sent {
            self.path.send(self.now, end, path.remote, datagram);
        }
    }

    /// Whether the run of `scenario` is over.
    #[must_use]
    pub fn has_ended(&self, scenario: &Scenario) -> bool {
        if scenario.handshake_only {
            let both = self.sides.iter().all(|side| side.established().is_some());
            return both || self.sides[0].closure().is_some();
        }
        self.sides.iter().all(|side| side.closure().is_some())
            || (self.sides[0].closure().is_some() && self.sides[1].established().is_none())
    }

    fn sample(&mut self, scenario: &Scenario) {
        let (Some(every), Some(at)) = (scenario.sample_every, self.sample_at) else { return };
        if self.now < at {
            return;
        }
        let (_, path) = self.sides[0].state();
        let delivered = self.sides[1].application.received;
        self.samples.push(Sample { at: self.now.saturating_since(self.start), path, delivered });
        self.sample_at = Some(self.now + every);
    }

    /// What came of the run.
    ///
    /// # Panics
    /// When it ended neither in success nor for a reason.
    #[must_use]
    pub fn report(self, scenario: &Scenario) -> Report {
        let [client, server] = [self.sides[0].report(), self.sides[1].report()];
        let done = if scenario.handshake_only {
            server.established
        } else {
            client.delivered.zip(server.delivered).map(|(client, server)| match scenario.server_bytes {
                0 => server,
                _ => client.max(server),
            })
        };
        let failure = [client.closed, server.closed].into_iter().flatten().find(|why| !why.is_clean());
        let outcome = match (done, failure) {
            (Some(_), _) => Outcome::Success,
            (None, Some(why)) => Outcome::Failed(why),
            (None, None) => panic!("ended without delivery and without a reason: {scenario:?}"),
        };
        let since_start = |at: Instant| at.saturating_since(self.start);
        Report {
            outcome,
            done: done.map(since_start),
            ended: since_start(self.now),
            client,
            server,
            to_server: *self.path.link_to(End::Server).counters(),
            to_client: *self.path.link_to(End::Client).counters(),
            trace: self.trace.finish(),
            samples: self.samples,
        }
    }
}

/// The span of `millis` milliseconds: scenarios are full of them.
#[must_use]
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
