//! Ends: a session that hears nothing ends with a name, in time and quietly; one that is alive does not.

mod common;

use common::{CLIENT, SERVER, datagrams_sent, interop_link, path, play_until, random, stats};
use harness::pool::HostStorage;
use harness::world::{World, ms};
use harness::{Profile, Scenario};
use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::memory::{Small, Storage};

const IDLE: Duration = Duration::from_secs(30);
const MARGIN: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// A link that is dead from `at` on.
fn dies(link: LinkConfig, at: Instant) -> LinkConfig {
    link.blackout(at..Instant::MAX)
}

/// At most a handful of probes, ever further apart; then the error, in time.
#[test]
fn a_peer_that_vanishes_is_given_up_quietly() {
    let death = Instant::ZERO + ms(2_000);
    let scenario = Scenario::new(1, 10 << 20).link(dies(interop_link(), death));
    let mut world = World::<HostStorage>::new(&scenario);
    let mut heard = (0, world.now);
    let mut sent = (0, Vec::new());
    play_until(&mut world, |world| {
        let received = stats(world, CLIENT).datagrams_received;
        if received > heard.0 {
            heard = (received, world.now);
            sent = (datagrams_sent(world, CLIENT), Vec::new());
        }
        let now = datagrams_sent(world, CLIENT);
        sent.1.extend((sent.0..now).map(|_| world.now));
        sent.0 = now;
        world.sides[CLIENT].closure().is_some()
    });
    let (_, heard) = heard;
    let (_, probes) = sent;
    assert!(heard > death && heard < death + ms(100), "it was full speed until then");
    assert_eq!(world.sides[CLIENT].closure(), Some(Closure::TimedOut));
    let end = world.now.saturating_since(heard);
    assert!((IDLE..=IDLE + MARGIN).contains(&end), "the error came {end:?} after the last packet");

    assert!(probes.len() <= 30, "{} datagrams into the void", probes.len());
    let mut times = probes.clone();
    times.dedup();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_since(pair[0])).collect();
    println!("{} datagrams, gaps {gaps:?}", probes.len());
    assert!(gaps.len() >= 8);
    for pair in gaps.windows(2) {
        assert_eq!(pair[1], (pair[0] * 2).min(IDLE / 8), "gaps double up to an eighth of the idle timeout");
    }
}

/// A session at rest, played for an hour: datagrams sent by each end after its first second, and its end.
fn rest(keepalive: bool) -> (World<Small>, [u64; 2]) {
    let mut scenario = Scenario::new(2, 1).profile(Profile::Small).link(LinkConfig::default().delay(ms(15)));
    scenario.keepalive = keepalive;
    scenario.idle_timeout = Duration::from_secs(45);
    let mut world = World::new(&scenario);
    world.sides[CLIENT].application.write_limit = 0;
    world.advance(Instant::ZERO + MARGIN);
    assert!(world.sides.iter().all(|side| side.established().is_some()));
    let before = [CLIENT, SERVER].map(|side| datagrams_sent(&world, side));
    world.advance(Instant::ZERO + HOUR);
    let sent = [CLIENT, SERVER].map(|side| datagrams_sent(&world, side) - before[side]);
    (world, sent)
}

#[test]
fn silence_without_a_keepalive_until_the_session_times_out() {
    let (world, sent) = rest(false);
    assert_eq!(sent, [0, 0]);
    assert_eq!([0, 1].map(|side: usize| world.sides[side].closure()), [Some(Closure::TimedOut); 2]);
}

/// A ping and an acknowledgement every third of the idle timeout: 240 in an hour, and two for the edges.
#[test]
fn a_keepalive_costs_two_datagrams_each_third_of_the_idle_timeout() {
    let (world, sent) = rest(true);
    assert_eq!([0, 1].map(|side: usize| world.sides[side].closure()), [None; 2]);
    assert!(sent.iter().all(|sent| (200..=482).contains(sent)), "{sent:?} datagrams in an hour");
}

/// One direction dies for good, whichever it is: both ends end.
#[test]
fn a_path_that_dies_in_one_direction_ends_both_sessions() {
    for dead in [CLIENT, SERVER] {
        let death = Instant::ZERO + ms(1_000);
        let mut scenario = Scenario::new(3, 10 << 20).link(interop_link());
        match dead {
            CLIENT => scenario.to_server = dies(interop_link(), death),
            _ => scenario.to_client = dies(interop_link(), death),
        }
        let mut world = World::<HostStorage>::new(&scenario);
        assert_ends_in_time(&mut world, &scenario);
        assert!(world.sides.iter().all(|side| side.closure() == Some(Closure::TimedOut)), "direction {dead}");
    }
}

/// Any loss pattern, total loss included: each end is told within the idle timeout and a second. The timeout runs from
/// the last packet that opened, or from the first one sent after it that asks for an acknowledgement
/// (`docs/protocol.md` section 6).
#[test]
fn every_session_ends_in_time() {
    for seed in 0..100 {
        let idle = [5, 10, 30][seed as usize % 3];
        let death = Instant::ZERO + ms(100 + 37 * seed);
        let link = dies(interop_link().loss(random([0, 10, 30, 50][seed as usize % 4])), death);
        let mut scenario = Scenario::new(seed, 8 << 20).profile(Profile::Small).link(link);
        scenario.idle_timeout = Duration::from_secs(idle);
        scenario.keepalive = seed % 2 == 0;
        let mut world = World::<Small>::new(&scenario);
        assert_ends_in_time(&mut world, &scenario);
    }
}

/// Plays to the end of both sessions, each of which has its time.
fn assert_ends_in_time<S: Storage + Default>(world: &mut World<S>, scenario: &Scenario) {
    let mut sides = [Watched::default(); 2];
    play_until(world, |world| {
        for (side, watched) in sides.iter_mut().enumerate() {
            watched.observe(world, side);
        }
        world.has_ended(scenario)
    });
    for (side, watched) in sides.iter().enumerate() {
        // An initiation that is never answered has its own budget; a responder without a session has none to end.
        let Some(established) = world.sides[side].established() else { continue };
        let ended = watched.ended.unwrap_or_else(|| panic!("side {side} never ended: {scenario:?}"));
        let (took, closure) =
            (ended.saturating_since(established.max(watched.since)), world.sides[side].closure());
        let most = match closure {
            // The responder never confirmed: what is left of the handshake's budget counts.
            Some(Closure::HandshakeTimeout) => scenario.handshake_budget,
            _ => scenario.idle_timeout,
        };
        assert!(took <= most + MARGIN, "side {side} ended ({closure:?}) {took:?} later: {scenario:?}");
    }
}

/// When one end's idle timeout began to run, and when the end came.
#[derive(Clone, Copy, Default)]
struct Watched {
    received: u64,
    in_flight: u64,
    /// Whether a packet in flight left since the peer was heard.
    sent: bool,
    since: Instant,
    ended: Option<Instant>,
}

impl Watched {
    fn observe<S: Storage + Default>(&mut self, world: &World<S>, side: usize) {
        let (received, in_flight) = (stats(world, side).datagrams_received, path(world, side).in_flight);
        if received > self.received {
            *self = Self { received, in_flight, sent: false, since: world.now, ended: self.ended };
        } else if in_flight > self.in_flight && !self.sent {
            self.sent = true;
            self.since = world.now;
        }
        self.in_flight = in_flight;
        if world.sides[side].closure().is_some() {
            self.ended.get_or_insert(world.now);
        }
    }
}
