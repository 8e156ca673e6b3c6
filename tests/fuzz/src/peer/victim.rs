//! The endpoint, its application, and a watch over both.

use harness::invariants::Watch;
use harness::pool::HeapPool;
use udp_sec::error::CloseCode;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::Parameters;
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Connection, KeyLife, Path};
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::limits::UNPROVEN_FACTOR;
use udp_sec_recovery::memory::Small;
use udp_sec_recovery::stats::{PathState, Stats};

use super::rogue::Rogue;
use super::{address, pattern};
use crate::input::Input;
use crate::keys::{ALICE, BOB, allow, keys, parameters, rng};
use crate::{Outcome, log};

/// Datagrams that may leave at one instant: a window, its probes, an answer to each path.
const BURST: usize = 64;
/// Datagrams that may leave after the peer has fallen silent.
const LAST_WORDS: u64 = 200;
/// Wakes until an endpoint whose peer is silent has come to its end.
const WAKES: usize = 10_000;
/// Addresses of the peer's, by their last byte.
const HOSTS: usize = 256;

pub(super) struct Victim {
    now: Instant,
    endpoint: Endpoint<HeapPool<Small>, AllowList<4>, 4, 4>,
    session: Option<SessionId>,
    watch: Watch,
    wake_at: Option<Instant>,
    closed: Option<Closure>,
    written: u64,
    read: u64,
    home: Path,
    /// Bytes from and to each address.
    bytes: [(u64, u64); HOSTS],
    idle_timeout: Duration,
    last: (Stats, PathState),
}

/// The endpoint's promises, and those of the peer.
fn promises(input: &mut Input<'_>) -> (Config, Parameters) {
    let (mut ours, mut theirs) = (parameters(), parameters());
    ours.idle_timeout = Duration::from_secs(1 + u64::from(input.u8() % 120));
    ours.max_ack_delay = Duration::from_millis(u64::from(input.u8()) * 2 % 500);
    theirs.max_ack_delay = Duration::from_millis(u64::from(input.u8()) * 2 % 500);
    theirs.ack_step = input.u8() % 64 + 1;
    theirs.initial_credit = input.u16().into();
    let mut config = Config::new(keys(BOB), ours);
    config.keepalive = input.flag();
    config.key_life = match input.u8() {
        0 => KeyLife::LONGEST,
        packets => KeyLife { packets: packets.into(), ..KeyLife::LONGEST },
    };
    (config, theirs)
}

/// An endpoint that has called the peer, which has answered.
pub(super) fn that_calls(input: &mut Input<'_>) -> (Victim, Rogue) {
    let (config, theirs) = promises(input);
    let mut victim = Victim::new(config);
    let (home, peer) = (victim.home, keys(ALICE));
    victim.endpoint.connect(victim.now, &mut rng(1), home, peer.public()).expect("room");
    let initiation = victim.only_datagram();
    let responder = Responder::new(peer);
    let checked = responder.check_mac1(&initiation).expect("a genuine message");
    let read = responder.read(checked, &mut rng(2)).expect("a genuine message");
    let Ok(Accepted::HalfOpen { mut response, session, parameters: ours }) =
        read.authorize(&allow(keys(BOB).public())).and_then(|authorized| authorized.accept(7, &theirs))
    else {
        panic!("refused")
    };
    victim.endpoint.handle_datagram(victim.now, &mut rng(3), home, &mut response);
    let rogue = victim.meet(session, theirs.initial_credit, ours.initial_credit);
    (victim, rogue)
}

/// An endpoint that the peer has called, and that has answered.
pub(super) fn that_is_called(input: &mut Input<'_>) -> (Victim, Rogue) {
    let (config, theirs) = promises(input);
    let mut victim = Victim::new(config);
    let initiator = Initiator::new(&keys(ALICE), keys(BOB).public(), 5, &theirs, &mut rng(1));
    let initiator = initiator.expect("keys that work");
    let home = victim.home;
    victim.endpoint.handle_datagram(victim.now, &mut rng(2), home, &mut initiator.datagram().clone());
    let Answer::Established { session, parameters: ours } = initiator.read_response(&victim.only_datagram())
    else {
        panic!("no session")
    };
    let mut rogue = victim.meet(session, theirs.initial_credit, ours.initial_credit);
    // The first packet that opens begins the session.
    rogue.speak(0x0e, input);
    let (from, datagram) = rogue.hold().expect("a PING");
    victim.receive(from, datagram);
    victim.settle(&mut rogue);
    (victim, rogue)
}

impl Victim {
    fn new(config: Config) -> Self {
        let idle_timeout = config.parameters.idle_timeout;
        Self {
            now: Instant::from_micros(1),
            endpoint: Endpoint::new(config, Box::default(), HeapPool::new(4), allow(keys(ALICE).public())),
            session: None,
            watch: Watch::default(),
            wake_at: None,
            closed: None,
            written: 0,
            read: 0,
            home: address(1),
            bytes: [(0, 0); HOSTS],
            idle_timeout,
            last: Default::default(),
        }
    }

    /// The message of the handshake.
    fn only_datagram(&mut self) -> Vec<u8> {
        let mut out = vec![0; 1200];
        let output = self.endpoint.poll_output(self.now, &mut out);
        assert!(matches!(output, Output::Transmit(_)), "{output:?}");
        out
    }

    fn meet(&mut self, session: Session, credit: u64, granted: u64) -> Rogue {
        let mut rogue = Rogue::new(session, self.home, credit, granted);
        self.settle(&mut rogue);
        rogue
    }

    fn connection(&mut self) -> Option<&mut Connection<Small>> {
        self.endpoint.session(self.session?)
    }

    fn state(&self) -> (Stats, PathState) {
        let connection = self.session.and_then(|id| self.endpoint.peek(id));
        connection.map(|connection| (connection.stats(), connection.path_state())).unwrap_or(self.last)
    }

    pub(super) fn stats(&self) -> Stats {
        self.state().0
    }

    pub(super) fn receive(&mut self, from: Path, mut datagram: Vec<u8>) {
        self.watch.on_input();
        self.count(from).0 += datagram.len() as u64;
        self.endpoint.handle_datagram(self.now, &mut rng(4), from, &mut datagram);
    }

    pub(super) fn end_of_batch(&mut self) {
        self.endpoint.end_of_batch();
    }

    fn count(&mut self, path: Path) -> &mut (u64, u64) {
        let core::net::IpAddr::V4(ip) = path.remote.ip() else { panic!("an address of ours") };
        &mut self.bytes[usize::from(ip.octets()[3])]
    }

    /// Everything that the endpoint wants to do now.
    pub(super) fn settle(&mut self, rogue: &mut Rogue) {
        self.endpoint.handle_timeout(self.now);
        let mut out = vec![0; 2 * 1200];
        for _ in 0..BURST {
            let before = self.state();
            match self.endpoint.poll_output(self.now, &mut out) {
                Output::Transmit(transmit) => {
                    Watch::on_transmit(before, self.state());
                    for datagram in out[..transmit.len].chunks(transmit.segment) {
                        self.on_datagram(rogue, transmit.path, datagram);
                    }
                }
                Output::Event(id, event) => self.on_event(id, event),
                Output::Wait(until) => {
                    self.wake_at = until;
                    self.endpoint.check();
                    self.last = self.state();
                    return;
                }
            }
        }
        panic!("more than {BURST} outputs at one instant");
    }

    fn on_datagram(&mut self, rogue: &mut Rogue, to: Path, datagram: &[u8]) {
        self.watch.on_datagram(datagram);
        rogue.judge(datagram.to_vec());
        let home = self.home;
        let (from, sent) = self.count(to);
        *sent += datagram.len() as u64;
        let bounded = *sent <= UNPROVEN_FACTOR * *from;
        assert!(bounded || to == home || rogue.has_answered, "{sent} bytes to {to:?} for {from} from there");
    }

    fn on_event(&mut self, id: SessionId, event: Event) {
        assert!(self.closed.is_none(), "{event:?} after the end");
        match event {
            Event::Established => self.session = Some(id),
            Event::Closed(why) => {
                log::line(why);
                self.closed = Some(why);
            }
            Event::Readable | Event::Writable => {}
        }
    }

    /// Time passes to the next wake.
    pub(super) fn wake(&mut self, rogue: &mut Rogue) {
        let Some(at) = self.wake_at else { return };
        self.now = at.max(self.now);
        self.watch.on_wake(self.now);
        self.settle(rogue);
    }

    pub(super) fn pass(&mut self, rogue: &mut Rogue, span: Duration) {
        let until = self.now + span;
        while self.wake_at.is_some_and(|at| at <= until) {
            self.wake(rogue);
        }
        self.now = until;
    }

    pub(super) fn read(&mut self, rogue: &Rogue, len: usize) {
        self.watch.on_input();
        let mut bytes = vec![0; len];
        let Some(Ok(count)) = self.connection().map(|connection| connection.read(&mut bytes)) else { return };
        let right = bytes[..count].iter().zip(self.read..).all(|(byte, at)| *byte == pattern(at));
        assert!(right || rogue.wild, "I1: wrong bytes from {}", self.read);
        self.read += count as u64;
    }

    pub(super) fn write(&mut self, len: usize) {
        self.watch.on_input();
        let bytes: Vec<u8> = (self.written..).take(len).map(pattern).collect();
        let taken = self.connection().and_then(|connection| connection.write(&bytes).ok()).unwrap_or(0);
        self.written += taken as u64;
    }

    pub(super) fn finish(&mut self) {
        self.watch.on_input();
        self.connection().into_iter().for_each(Connection::finish);
    }

    pub(super) fn abort(&mut self, code: CloseCode) {
        self.watch.on_input();
        let now = self.now;
        self.connection().into_iter().for_each(|connection| connection.abort(now, code));
    }

    /// The peer falls silent: the endpoint says little more, ends in time, and gives its memory back.
    pub(super) fn end(&mut self, rogue: &mut Rogue) -> Outcome {
        let sent = self.stats().datagrams_sent;
        // Round trips that the peer has drawn out count as much as the timeout.
        let limit = self.now + self.idle_timeout * 40 + Duration::from_secs(60);
        for _ in 0..WAKES {
            if self.closed.is_some() {
                break;
            }
            assert!(self.wake_at.is_some(), "I9: nothing will ever happen any more");
            self.wake(rogue);
            assert!(self.now <= limit, "I9: no end by {limit:?}");
        }
        let last_words = self.stats().datagrams_sent - sent;
        assert!(last_words <= LAST_WORDS, "{last_words} datagrams to nobody");
        let why = self.closed.expect("I7: an end");
        log::state(&self.endpoint.rejects());
        self.session.into_iter().for_each(|id| self.endpoint.release(self.now, id));
        self.settle(rogue);
        assert_eq!(self.endpoint.sessions(), 0, "memory comes back");
        self.pass(rogue, limit.saturating_since(self.now));
        assert_eq!((self.endpoint.farewells(), self.wake_at), (0, None));
        outcome(why)
    }
}

fn outcome(why: Closure) -> Outcome {
    match why {
        Closure::Complete => "complete",
        Closure::ByPeer(_) => "closed by the peer",
        Closure::ByUs(code) => code.text(),
        Closure::TimedOut => "timed out",
        // Who called, and has heard nothing under the new keys.
        Closure::HandshakeTimeout => "never confirmed",
        other => panic!("no session of this target ends so: {other:?}"),
    }
}
