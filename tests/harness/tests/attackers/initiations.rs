//! Floods of initiations from everywhere: who is honest gets in, and nobody is sent more than came.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use chacha20::ChaCha8Rng;
use harness::attacker::keyed::{Lab, Peer, address, fix_mac1, initiation, keys, parameters};
use harness::pool::HeapPool;
use harness::world::ms;
use rand_core::{Rng, SeedableRng};
use udp_sec::error::Reject;
use udp_sec::handshake::identity::{AllowList, Policy};
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, Output};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Small;

use super::{heap, times};

/// Whoever knows our public key may come in: the hardest case, since then any flooder can make initiations that are
/// answered.
#[derive(Debug)]
pub(super) struct Anyone;

impl Policy for Anyone {
    fn authorizes(&self, _: &PublicKey) -> bool {
        true
    }
}

/// Half-open entries of the endpoint under attack.
const HALF_OPEN: usize = 32;
/// One way to the honest.
const ONE_WAY: Duration = ms(15);
/// Datagrams that a socket gives at once, and sends that follow: as the driver of `nexus-net-adapter` does it.
const BATCH: u64 = 4;
const SENDS: usize = 16;

type Target = Endpoint<HeapPool<Small>, Anyone, 256, HALF_OPEN>;
type Honest = Endpoint<HeapPool<Small>, AllowList<1>, 2, 1>;

/// An endpoint under a flood, and honest peers that call it.
struct Flood {
    now: Instant,
    rng: ChaCha8Rng,
    target: Box<Target>,
    /// What it has not sent yet waits in it; what was sent, with the time of arrival.
    to_honest: VecDeque<(Instant, usize, Vec<u8>)>,
    to_target: VecDeque<(Instant, usize, Vec<u8>)>,
    honest: Vec<Caller>,
    /// Initiations that open: of the flooder's own keys.
    genuine: Vec<Vec<u8>>,
    garbage: Vec<u8>,
    sent: u64,
    received_bytes: u64,
    replied_bytes: u64,
}

struct Caller {
    endpoint: Honest,
    begins: Instant,
    begun: bool,
    wake_at: Option<Instant>,
    took: Option<Duration>,
}

impl Flood {
    fn new(seed: u64, honest: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let own = keys(1);
        let target = Box::new(Endpoint::new(
            Config::new(own.clone(), parameters()),
            Box::default(),
            HeapPool::new(256),
            Anyone,
        ));
        let caller = |nth: u64| {
            let mut allowed = AllowList::new();
            allowed.add(*own.public()).expect("an empty list");
            Caller {
                endpoint: Endpoint::new(
                    Config::new(keys(1_000 + nth), parameters()),
                    Box::default(),
                    HeapPool::new(1),
                    allowed,
                ),
                // A second after the flood, and 50 ms apart.
                begins: Instant::ZERO + ms(1_000 + 50 * nth),
                begun: false,
                wake_at: None,
                took: None,
            }
        };
        let genuine =
            (0..300).map(|nth| initiation(&keys(5_000 + nth / 4), own.public(), nth).datagram().to_vec());
        let genuine: Vec<_> = genuine.collect();
        Self {
            now: Instant::ZERO,
            rng,
            target,
            to_honest: VecDeque::new(),
            to_target: VecDeque::new(),
            honest: (0..honest).map(caller).collect(),
            garbage: genuine[0].clone(),
            genuine,
            sent: 0,
            received_bytes: 0,
            replied_bytes: 0,
        }
    }

    /// Where honest peer number `nth` is.
    fn home(nth: usize) -> SocketAddr {
        ([203, 0, 113, nth as u8], 40_000).into()
    }

    /// One of 65 536 sources of the flood.
    fn source(&mut self) -> SocketAddr {
        let random = self.rng.next_u32();
        ([127, 1, (random >> 8) as u8, random as u8], 5_000).into()
    }

    /// The next datagram of the flood: one in ten opens, the others have nothing but a right `mac1`.
    fn next(&mut self) -> Vec<u8> {
        self.sent += 1;
        if self.rng.next_u32().is_multiple_of(10) {
            let nth = self.rng.next_u64() as usize % self.genuine.len();
            return self.genuine[nth].clone();
        }
        self.rng.fill_bytes(&mut self.garbage[4..44]);
        fix_mac1(&mut self.garbage, keys(1).public());
        self.garbage.clone()
    }

    fn deliver(&mut self, from: SocketAddr, mut datagram: Vec<u8>) {
        self.received_bytes += datagram.len() as u64;
        self.target.handle_datagram(self.now, &mut self.rng, Path::to(from), &mut datagram);
    }

    /// A batch of the flood, with what the honest have sent somewhere in it, and a few sends.
    fn step(&mut self, flood: u64) {
        for _ in 0..flood {
            let (from, datagram) = (self.source(), self.next());
            self.deliver(from, datagram);
            while self.to_target.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, nth, datagram) = self.to_target.pop_front().expect("one");
                self.deliver(Self::home(nth), datagram);
            }
        }
        self.target.end_of_batch();
        self.target.handle_timeout(self.now);
        let mut out = [0; 1_200];
        for _ in 0..SENDS {
            match self.target.poll_output(self.now, &mut out) {
                Output::Transmit(transmit) => {
                    self.replied_bytes += transmit.len as u64;
                    let nth = (0..self.honest.len()).find(|nth| Self::home(*nth) == transmit.path.remote);
                    if let Some(nth) = nth {
                        self.to_honest.push_back((self.now + ONE_WAY, nth, out[..transmit.len].to_vec()));
                    }
                }
                Output::Event(..) => {}
                Output::Wait(_) => break,
            }
        }
        assert!(self.target.half_open() <= HALF_OPEN);
        assert!(self.replied_bytes <= self.received_bytes, "row 50: no more goes than came");
    }

    fn step_honest(&mut self) {
        let (now, own) = (self.now, *self.target.public_key());
        while self.to_honest.front().is_some_and(|(at, ..)| *at <= now) {
            let (_, nth, mut datagram) = self.to_honest.pop_front().expect("one");
            let caller = &mut self.honest[nth];
            let from = address(1);
            caller.endpoint.handle_datagram(now, &mut self.rng, from, &mut datagram);
            caller.wake_at = Some(now);
        }
        for (nth, caller) in self.honest.iter_mut().enumerate() {
            if !caller.begun && caller.begins <= now {
                caller.endpoint.connect(now, &mut self.rng, address(1), &own).expect("room");
                caller.begun = true;
                caller.wake_at = Some(now);
            }
            if caller.wake_at.is_none_or(|at| at > now) {
                continue;
            }
            caller.endpoint.handle_timeout(now);
            let mut out = [0; 1_200];
            loop {
                match caller.endpoint.poll_output(now, &mut out) {
                    Output::Transmit(transmit) => {
                        self.to_target.push_back((now + ONE_WAY, nth, out[..transmit.len].to_vec()));
                    }
                    Output::Event(_, Event::Closed(why)) => panic!("honest {nth} did not get in: {why}"),
                    Output::Event(_, event) => {
                        if event == Event::Established {
                            caller.took = Some(now.saturating_since(caller.begins));
                        }
                    }
                    Output::Wait(until) => {
                        caller.wake_at = until;
                        break;
                    }
                }
            }
        }
    }
}

/// Row 49: 10 000 initiations with a right `mac1` per second from 65 536 sources, and a hundred who only want to come in.
#[test]
fn a_hundred_get_in_while_a_flood_goes_on() {
    const RATE: u64 = 10_000;
    let honest = 100;
    let mut flood = Flood::new(1, honest);
    let mut most_half_open = 0;
    while flood.honest.iter().any(|caller| caller.took.is_none()) {
        flood.now += Duration::from_micros(BATCH * 1_000_000 / RATE);
        flood.step(BATCH);
        flood.step_honest();
        most_half_open = most_half_open.max(flood.target.half_open());
        assert!(flood.now < Instant::ZERO + Duration::from_secs(40), "somebody never gets in");
    }
    let mut took: Vec<_> = flood.honest.iter().filter_map(|caller| caller.took).collect();
    took.sort_unstable();
    let (median, last) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "{} of {honest} got in among {} initiations: median {median:?}, p99 {:?}, last {last:?}; {most_half_open} half-open \
         at most; {} bytes sent for {} received; {:?}",
        took.len(),
        flood.sent,
        took[took.len() * 99 / 100],
        flood.replied_bytes,
        flood.received_bytes,
        flood.target.rejects(),
    );
    assert!(took[took.len() * 99 / 100] <= Duration::from_secs(3), "{took:?}");
    assert_eq!(most_half_open, HALF_OPEN, "the table was at its bound");
    assert!(flood.target.rejects().get(Reject::CookieRequired) > flood.sent * 9 / 10);
}

/// Row 50: who is silent is not asked again; who repeats gets one answer for each.
#[test]
fn answers_never_exceed_what_came() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let initiator = initiation(&peer_keys, lab.keys.public(), 0);
    lab.deliver(address(1), initiator.datagram());
    assert_eq!(lab.drain().bytes(), 1_200);
    for _ in 0..60 {
        assert_eq!(lab.wait(Duration::from_secs(1)).bytes(), 0, "unasked");
    }
    let mut went = BTreeMap::<u8, usize>::new();
    for nth in 0..5_000_u64 {
        let from = (nth % 7) as u8 + 1;
        lab.deliver(address(from), initiator.datagram());
        for (to, datagram) in lab.drain().datagrams {
            assert_eq!((to, datagram.len()), (address(from), 1_200), "to where it came from");
            *went.entry(from).or_default() += 1;
        }
    }
    assert!(went.values().all(|answers| *answers <= 5_000 / 7 + 1), "{went:?}");
    assert_eq!(lab.endpoint.half_open(), 1);
}

/// Row 53: half-open entries of anybody's, each proving its source: the table stays at its bound, its memory too, and the
/// last one still becomes a session.
#[test]
fn half_open_entries_stay_at_their_bound() {
    let entries = times("ATTACK_HALF_OPENS", 1_000);
    let own = keys(1);
    let mut config = Config::new(own.clone(), parameters());
    config.unproven_per_second = u16::MAX;
    let mut target: Box<Target> = Box::new(Endpoint::new(config, Box::default(), HeapPool::new(256), Anyone));
    let flooders: Vec<_> = (0..64).map(|nth| keys(100 + nth)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (mut now, mut out, mut settled, mut answered) = (Instant::ZERO, [0; 1_200], None, 0);
    let mut last = None;
    for nth in 0..entries {
        // In 30 s, the life of an entry, ten times as many as there is room for.
        now += ms(90);
        target.handle_timeout(now);
        let from = Path::to(([10, (nth >> 16) as u8, (nth >> 8) as u8, nth as u8], 1).into());
        let mut initiator = initiation(&flooders[nth as usize % 64], own.public(), nth);
        for _ in 0..2 {
            let mut datagram = initiator.datagram().to_vec();
            target.handle_datagram(now, &mut rng, from, &mut datagram);
            let Output::Transmit(transmit) = target.poll_output(now, &mut out) else { break };
            if out[1] == 3 {
                initiator.on_cookie(&out[..transmit.len]).expect("a cookie for it");
                continue;
            }
            answered += 1;
            last = Some((initiator, out.to_vec(), from));
            break;
        }
        assert!(target.half_open() <= HALF_OPEN);
        if nth == entries / 2 {
            settled = Some(heap::live());
        }
    }
    assert!(Some(heap::live()) <= settled, "memory grew");
    println!("{entries} callers, {answered} answered, {:?}", target.rejects());
    assert_eq!(target.half_open(), HALF_OPEN);
    assert!(answered > 32 + entries / 30, "entries were taken over: {answered}");
    let (initiator, response, path) = last.expect("somebody was answered");
    let mut peer = Peer::established(initiator, path, &response);
    let mut ping = peer.seal(|frames| frames.ping().expect("room"));
    target.handle_datagram(now, &mut rng, path, &mut ping);
    assert_eq!((target.sessions(), target.half_open()), (1, HALF_OPEN - 1));
}
