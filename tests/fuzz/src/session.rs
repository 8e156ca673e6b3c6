//! Two endpoints with real cryptography, and a network that does what the input says: every datagram delivered, lost,
//! doubled, held back, changed or sent back, addresses that change, and applications that stop, go on and give up.
//!
//! The harness checks its invariants I1 to I7 at every step (`tests/harness/src/invariants.rs`). At the end the network
//! heals, and both ends come to an end in time (I9): delivered as a whole, unless something happened that may end a
//! session early.

use core::net::SocketAddr;

use harness::Scenario;
use harness::side::Side;
use harness::trace::Trace;
use harness::world::{CLIENT, SERVER, ms};
use udp_sec::error::CloseCode;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{KeyLife, Path};
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::limits::{PTO_IDLE_DIVISOR, PTO_PERIODS};
use udp_sec_recovery::memory::Small;
use udp_sec_recovery::stats::PathState;

use crate::input::Input;
use crate::keys::keys;
use crate::{Outcome, log};

/// Datagrams under way to one end; more are lost, as in any queue.
const QUEUE: usize = 64;
/// Datagrams that an attacker has kept, to send them again.
const KEPT: usize = 32;
/// Wakes of a healed network until both ends are done; it takes some hundreds.
const HEALING_STEPS: u32 = 100_000;
/// From one end of the healed network to the other.
const HEALED_DELAY: Duration = ms(5);

/// A datagram on its way.
#[derive(Clone, Debug)]
struct Flying {
    source: SocketAddr,
    destination: SocketAddr,
    data: Vec<u8>,
}

/// Both ends, and all that is between them.
struct Network {
    now: Instant,
    sides: [Side<Small>; 2],
    /// To the initiator, to the responder.
    wires: [Vec<Flying>; 2],
    kept: Vec<(usize, Flying)>,
    client: SocketAddr,
    trace: Trace,
    /// When something genuine last arrived, at each end.
    heard: [Instant; 2],
    /// Something happened after which a session may end early: an address changed, or an application gave up.
    excused: bool,
    /// A datagram came from an address that is not its sender's: the responder may have taken it for the peer's.
    diverted: bool,
}

/// Plays `data`: a scenario, then what happens in it.
///
/// # Panics
/// When an invariant breaks.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    let scenario = scenario(&mut input);
    let mut network = Network::new(&scenario);
    while let Some(choice) = input.next() {
        network.play(choice, &mut input);
    }
    let outcome = network.heal(&scenario);
    for side in &network.sides {
        log::state(&side.report());
        side.closure().into_iter().for_each(log::line);
    }
    outcome
}

fn scenario(input: &mut Input<'_>) -> Scenario {
    let mut scenario = Scenario::new(1, input.u16().into());
    scenario.server_bytes = input.u16().into();
    scenario.idle_timeout = Duration::from_secs(1 + u64::from(input.u8() % 30));
    scenario.handshake_budget = Duration::from_secs(1 + u64::from(input.u8() % 30));
    scenario.ack_delay = ms(u64::from(input.u8()) * 2 % 500);
    scenario.ack_step = input.u8() % 64 + 1;
    scenario.key_life = match input.u8() {
        0 => KeyLife::LONGEST,
        packets => KeyLife { packets: packets.into(), age: KeyLife::LONGEST.age },
    };
    let rest = input.u8();
    scenario.keepalive = rest & 1 == 1;
    scenario.start = Instant::from_micros([0, 0, 1 << 40, u64::MAX - (1 << 40)][usize::from(rest >> 6)]);
    scenario
}

impl Network {
    fn new(scenario: &Scenario) -> Self {
        let keys = [keys(1), keys(2)];
        let sides = [Side::new(scenario, 0, &keys), Side::new(scenario, 1, &keys)];
        let mut network = Self {
            now: scenario.start,
            sides,
            wires: Default::default(),
            kept: Vec::new(),
            client: CLIENT,
            trace: Trace::default(),
            heard: [scenario.start; 2],
            excused: false,
            diverted: false,
        };
        network.sides[0].connect(scenario.start, Path::to(SERVER), keys[1].public());
        network.drain(0);
        network
    }

    /// One thing that happens.
    fn play(&mut self, choice: u8, input: &mut Input<'_>) {
        let to = usize::from(choice & 1);
        match (choice >> 1) % 16 {
            0 | 1 => self.deliver_all(to),
            2 => self.with(to, input, |network, at, _| {
                let flying = network.wires[to].remove(at);
                network.deliver(to, flying);
            }),
            3 => self.with(to, input, |network, at, _| _ = network.wires[to].remove(at)),
            4 => self.with(to, input, |network, at, _| {
                let flying = network.wires[to][at].clone();
                network.deliver(to, flying);
            }),
            5 => self.with(to, input, |network, at, input| {
                let mut flying = network.wires[to][at].clone();
                flying.data = input.mutated(&flying.data);
                network.deliver(to, flying);
            }),
            6 => self.with(to, input, |network, at, input| {
                let mut flying = network.wires[to][at].clone();
                flying.source.set_port(input.u16());
                network.diverted = true;
                network.deliver(to, flying);
            }),
            7 => self.with(to, input, |network, at, _| {
                // Back to where it came from.
                let flying = network.wires[to][at].clone();
                let reflected = Flying { source: flying.destination, destination: flying.source, ..flying };
                network.deliver(1 - to, reflected);
            }),
            8 => {
                if let Some((to, flying)) = input.index(self.kept.len()).map(|at| self.kept[at].clone()) {
                    self.deliver(to, flying);
                }
            }
            9 => self.pass(input.span()),
            10 => self.wake_next(),
            11 => {
                let application = &mut self.sides[to].application;
                (application.write_limit, application.read_limit) = (input.u16().into(), input.u16().into());
                self.drain(to);
            }
            12 => self.set_limits(to, u64::MAX),
            13 => {
                self.client.set_port(40_000 + u16::from(input.u8()));
                self.excused = true;
            }
            14 => self.give_up(to, input),
            _ => {
                let data = input.bytes(64).to_vec();
                let source = ([192, 0, 2, 9], 9).into();
                let destination = [self.client, SERVER][to];
                self.deliver(to, Flying { source, destination, data });
            }
        }
    }

    /// Does something to one of the datagrams under way to the end `to`, if there is one.
    fn with(&mut self, to: usize, input: &mut Input<'_>, act: impl FnOnce(&mut Self, usize, &mut Input<'_>)) {
        if let Some(at) = input.index(self.wires[to].len()) {
            act(self, at, input);
        }
    }

    fn set_limits(&mut self, side: usize, limit: u64) {
        let application = &mut self.sides[side].application;
        (application.write_limit, application.read_limit) = (limit, limit);
        self.drain(side);
    }

    fn give_up(&mut self, side: usize, input: &mut Input<'_>) {
        let (now, code) = (self.now, CloseCode::from_wire(input.u8().into()));
        let end = &mut self.sides[side];
        if let Some(connection) = end.session.and_then(|id| end.endpoint.session(id)) {
            connection.abort(now, code);
            self.excused = true;
        }
        self.drain(side);
    }

    fn deliver_all(&mut self, to: usize) {
        for flying in core::mem::take(&mut self.wires[to]) {
            self.deliver(to, flying);
        }
    }

    fn deliver(&mut self, to: usize, mut flying: Flying) {
        if self.kept.len() < KEPT {
            self.kept.push((to, flying.clone()));
        }
        if flying.destination != [self.client, SERVER][to] {
            return;
        }
        let path = Path { remote: flying.source, local: (to == 1).then_some(SERVER.ip()) };
        let side = &mut self.sides[to];
        let received = side.state().0.datagrams_received;
        side.receive(self.now, path, &mut flying.data);
        side.end_of_batch();
        side.endpoint.handle_timeout(self.now);
        if side.state().0.datagrams_received > received {
            self.heard[to] = self.now;
        }
        self.drain(to);
    }

    fn drain(&mut self, index: usize) {
        let mut sent = Vec::new();
        self.sides[index].drain(self.now, &mut self.trace, &mut sent);
        let source = [self.client, SERVER][index];
        for (path, data) in sent {
            if self.wires[1 - index].len() < QUEUE {
                self.wires[1 - index].push(Flying { source, destination: path.remote, data });
            }
        }
    }

    fn wake_at(&self) -> Option<(Instant, usize)> {
        let wakes = self.sides.iter().enumerate().filter_map(|(index, side)| Some((side.wake_at?, index)));
        wakes.min().map(|(at, index)| (at.max(self.now), index))
    }

    fn wake_next(&mut self) {
        if let Some((at, index)) = self.wake_at() {
            self.now = at;
            self.sides[index].wake(at);
            self.drain(index);
        }
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while self.wake_at().is_some_and(|(at, _)| at <= until) {
            self.wake_next();
        }
        self.now = until;
    }

    /// From now on nothing is lost, and the applications do all that they can, until both ends are done.
    fn heal(&mut self, scenario: &Scenario) -> Outcome {
        let idle = scenario.idle_timeout;
        let lively = self.heard.iter().all(|heard| self.now.saturating_since(*heard) < idle / 2);
        let open = |side: &Side<Small>| side.established().is_some() && side.closure().is_none();
        let in_time = self.is_confirmed_in_time(scenario) && self.is_found_in_time(idle);
        let must_complete = lively && in_time && !self.excused && self.sides.iter().all(open);
        let begin = self.now;
        let mut longest = Duration::ZERO;
        (0..2).for_each(|side| self.set_limits(side, u64::MAX));
        for _ in 0..HEALING_STEPS {
            if self.is_over() {
                return self.outcome(must_complete);
            }
            if self.wires.iter().any(|wire| !wire.is_empty()) {
                self.pass(HEALED_DELAY);
                (0..2).for_each(|to| self.deliver_all(to));
            } else if self.wake_at().is_some() {
                self.wake_next();
            } else {
                panic!("I9: nothing will ever happen any more");
            }
            // What was under way may still show a round trip that was drawn out.
            longest = self.sides.iter().map(|side| patience(side, idle)).fold(longest, Duration::max);
            let limit = begin + scenario.handshake_budget + longest * 4 + Duration::from_secs(60);
            assert!(self.now <= limit, "I9: no end by {limit:?}");
        }
        panic!("I7: no end in {HEALING_STEPS} steps");
    }

    /// Whether the initiator has heard the session's first packet, or asks for it once more within the budget of its
    /// handshake: a budget of a second may end before the first probe does.
    fn is_confirmed_in_time(&self, scenario: &Scenario) -> bool {
        let (stats, path) = self.sides[0].state();
        let next_probe = (probe_timeout(&path) * 2).max(scenario.idle_timeout / PTO_IDLE_DIVISOR);
        let answer = self.now + next_probe + HEALED_DELAY * 2;
        stats.datagrams_received > 0 || answer < scenario.start + scenario.handshake_budget
    }

    /// Whether the responder is back where the initiator is within half an idle timeout. An address that never answers is
    /// given up after three probe timeouts, of a second each where no round trip is known; the initiator's next probe
    /// then begins anew.
    fn is_found_in_time(&self, idle: Duration) -> bool {
        let given_up = probe_timeout(&self.sides[1].state().1).max(Duration::from_secs(1)) * PTO_PERIODS;
        !self.diverted || given_up + idle / PTO_IDLE_DIVISOR < idle / 2
    }

    fn is_over(&self) -> bool {
        let [client, server] = &self.sides;
        client.closure().is_some() && (server.closure().is_some() || server.established().is_none())
    }

    fn outcome(&self, must_complete: bool) -> Outcome {
        let ends = self.sides.each_ref().map(Side::closure);
        let complete = ends.iter().all(|end| *end == Some(Closure::Complete));
        if complete {
            let delivered = self.sides.iter().all(|side| side.application.is_done());
            assert!(delivered, "I1: complete, and something is missing");
        }
        assert!(complete || !must_complete, "I9: {ends:?}, although nothing kept it from completing");
        match ends.into_iter().flatten().find(|end| !end.is_clean()) {
            None => "complete",
            Some(Closure::ByUs(_) | Closure::ByPeer(_)) => "given up",
            Some(Closure::HandshakeTimeout) => "handshake timeout",
            Some(Closure::TimedOut) => "timed out",
            Some(_) => "ended",
        }
    }
}

/// How long a side waits for another packet: the idle timeout, or three probe timeouts where round trips were drawn out
/// (`docs/protocol.md` section 6).
fn patience(side: &Side<Small>, idle: Duration) -> Duration {
    idle.max(probe_timeout(&side.state().1) * PTO_PERIODS)
}

/// The probe timeout without backoff, at the most that the peer may delay acknowledgements.
fn probe_timeout(path: &PathState) -> Duration {
    path.smoothed_rtt + path.rtt_variation * 4 + ms(501)
}
