//! Plans drawn at random: every topology, every impairment and everything that can befall a host, at any start of any
//! clock. Each seed is one plan; each feature is there in a part of them, so that all kinds of combinations come.

use alloc::boxed::Box;
use alloc::vec::Vec;

use lossy_link::{ErrorModel, LinkConfig};
use rand_core::{Rng, SeedableRng};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::KeyLife;

use crate::network::{Access, Action, HostPlan, Plan};
use crate::scenario::Profile;

/// The longest that a run may take, whatever befalls it.
pub const LIMIT: Duration = Duration::from_secs(4 * 3_600);
/// Things happen from the start to here, at the latest.
const HORIZON: Duration = Duration::from_secs(240);
/// From here on, nobody holds a writer or a reader back.
const RELEASE: Duration = Duration::from_secs(245);
/// What all clients together send and receive by then, at least, in bytes: more than 100 KiB in each 30 s.
const VOLUME: u64 = 1_100 << 10;

/// The plan that `seed` stands for, each host's clock included.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    let mut plan = plan_at(seed, Instant::ZERO);
    // Another stream than the one that drew the rest, so that the clocks change nothing else.
    let mut dice = Dice::new(seed);
    for host in &mut plan.hosts {
        host.clock = match dice.below(3) {
            0 => Instant::ZERO,
            1 => Instant::from_micros(dice.0.next_u64() >> 1),
            _ => Instant::from_micros(u64::MAX - 2 * LIMIT.as_micros()),
        };
    }
    plan
}

/// The plan that `seed` stands for, with every clock starting at `clock`.
#[must_use]
pub fn plan_at(seed: u64, clock: Instant) -> Plan {
    let mut dice = Dice::new(!seed);
    let clients = [1, 1, 1, 2, 4][dice.below(5) as usize];
    let rtt = Duration::from_micros(dice.skewed(1_000_000));
    let access = (0..clients).map(|_| dice.access(rtt)).collect();
    let profile = match dice.below(16) {
        0..8 => Profile::Small,
        8..15 => Profile::Medium,
        _ => Profile::Host,
    };
    let mut plan = Plan::new(seed, profile, access);
    plan.limit = LIMIT;
    plan.redials = dice.below(8) as u32;
    if dice.one_in(3) {
        plan.shared = Some([dice.rated_link(rtt), dice.rated_link(rtt)]);
    }
    dice.hosts(&mut plan);
    for client in 1..=clients {
        dice.talk(&mut plan, client);
        dice.faults(&mut plan, client);
    }
    dice.server_faults(&mut plan);
    plan.events.sort_by_key(|(at, _)| *at);
    plan.with_clocks_at(clock)
}

/// What everything random is drawn from.
pub(crate) struct Dice(chacha20::ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(chacha20::ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Below `bound`, each power of two about as likely as the next: small values matter as much as large ones.
    pub(crate) fn skewed(&mut self, bound: u64) -> u64 {
        let shift = self.below(u64::from(bound.ilog2()) + 1);
        self.below((bound >> shift).max(1))
    }

    /// A moment at which something may happen.
    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.below(HORIZON.as_micros()))
    }

    fn hosts(&mut self, plan: &mut Plan) {
        let per_peer = 1 + self.below(2) as usize;
        let short_keys = self.one_in(3);
        for host in &mut plan.hosts {
            *host = HostPlan {
                idle_timeout: Duration::from_millis(1_000 + self.skewed(119_000).max(self.below(119_000))),
                ack_delay: Duration::from_millis(self.below(100)),
                ack_step: 1 + self.below(64) as u8,
                keepalive: self.one_in(2),
                sessions_per_peer: per_peer,
                ..HostPlan::default()
            };
            if short_keys {
                let age = Duration::from_millis(100 + self.skewed(120_000));
                host.key_life = KeyLife { packets: 1 + self.skewed(2_000), age };
            }
        }
    }

    /// One direction of a path whose round trip is `rtt`; each impairment is there in a part of the runs.
    fn link(&mut self, rtt: Duration) -> LinkConfig {
        let mut link = LinkConfig::default().delay(rtt / 2);
        if self.one_in(2) {
            link = link.jitter(Duration::from_micros(self.skewed(rtt.as_micros() + 1)));
        }
        if self.one_in(2) {
            // From 256 kbit/s to 100 Mbit/s, with room for 2 to 256 packets.
            link = link.rate(256_000 + self.skewed(100_000_000)).queue(2 + self.skewed(255) as usize);
        }
        link = link.loss(self.errors(200_000)).corruption(self.errors(50_000));
        if self.one_in(2) {
            link = link.duplication(self.skewed(200_000) as u32);
        }
        if self.one_in(2) {
            link = link.reordering(self.skewed(500_000) as u32, Duration::from_micros(self.skewed(100_000)));
        }
        link
    }

    fn errors(&mut self, most: u64) -> ErrorModel {
        match self.below(4) {
            0 | 1 => ErrorModel::None,
            2 => ErrorModel::random(self.skewed(most) as u32),
            _ => ErrorModel::GilbertElliott {
                to_bad_ppm: self.skewed(50_000) as u32,
                to_good_ppm: 50_000 + self.skewed(500_000) as u32,
                good_ppm: 0,
                bad_ppm: 500_000,
            },
        }
    }

    /// `link` with every impairment that a living session comes through: up to 20 % lost, or half in bursts of up to
    /// five; up to 5 % corrupted.
    pub(crate) fn disturbed(&mut self, link: LinkConfig) -> LinkConfig {
        let loss = match self.below(2) {
            0 => ErrorModel::random(self.skewed(200_000) as u32),
            _ => ErrorModel::GilbertElliott {
                to_bad_ppm: self.skewed(50_000) as u32,
                to_good_ppm: 200_000 + self.skewed(500_000) as u32,
                good_ppm: 0,
                bad_ppm: 500_000,
            },
        };
        link.loss(loss)
            .corruption(ErrorModel::random(self.skewed(50_000) as u32))
            .jitter(Duration::from_micros(self.skewed(50_000)))
            .duplication(self.skewed(200_000) as u32)
            .reordering(self.skewed(500_000) as u32, Duration::from_micros(self.skewed(100_000)))
    }

    /// A link that several share: what limits it is its rate.
    fn rated_link(&mut self, rtt: Duration) -> LinkConfig {
        let rate = 1_000_000 + self.skewed(50_000_000);
        LinkConfig::default().delay(rtt / 4).rate(rate).queue(5 + self.skewed(250) as usize)
    }

    /// A way to the network: each direction with its own impairments, dark now and then, with or without a NAT that
    /// forgets.
    fn access(&mut self, rtt: Duration) -> Access {
        let mut links = [self.link(rtt), self.link(rtt)];
        if self.one_in(4) {
            for _ in 0..=self.below(3) {
                let from = Instant::ZERO + self.moment();
                let period = from..from + Duration::from_millis(self.skewed(30_000));
                // One direction, the other, or both.
                let which = self.below(3);
                for (link, only) in links.iter_mut().zip([0, 1]) {
                    if which == only || which == 2 {
                        *link = link.clone().blackout(period.clone());
                    }
                }
            }
        }
        let [to_server, to_client] = links;
        // Not before an answer can come: through a NAT that forgets sooner there is no conversation, and so no end.
        let forgets_after =
            self.one_in(4).then(|| rtt * 2 + Duration::from_millis(1_000 + self.skewed(60_000)));
        Access { to_server, to_client, forgets_after }
    }

    /// What the client says to the server and hears from it, in bursts; readers that stop now and then.
    fn talk(&mut self, plan: &mut Plan, client: usize) {
        let calls = if self.one_in(4) { 2 } else { 1 };
        let volume = (VOLUME + self.skewed(VOLUME)) / (plan.access.len() as u64 * calls);
        let upload = match self.below(3) {
            0 => self.skewed(volume),
            1 => volume - self.skewed(volume),
            _ => self.below(volume + 1),
        };
        let download = volume - upload;
        for _ in 0..calls {
            let at = Duration::from_micros(self.skewed(5_000_000));
            plan.at(at, Action::Call { from: client, to: 0, upload, download });
        }
        if self.one_in(8) {
            let at = Duration::from_micros(self.skewed(5_000_000));
            plan.at(at, Action::Call { from: 0, to: client, upload, download });
        }
        let steps = 1 + self.below(48);
        let mut moments: Vec<_> = (0..steps).map(|_| self.moment()).collect();
        moments.sort_unstable();
        let (mut written, stalls) = ([0; 2], self.one_in(3));
        moments.insert(0, Duration::ZERO);
        for (at, nth) in moments.into_iter().zip(1_u64..) {
            for (host, total) in [(client, upload), (0, download)] {
                let side = usize::from(host == 0);
                written[side] = (total * nth / (steps + 1)).max(written[side]);
                let read = if stalls && self.one_in(2) { self.below(total + 1) } else { u64::MAX };
                let peer = if host == 0 { client } else { 0 };
                plan.at(at, Action::Allow { host, peer, write: written[side], read });
            }
        }
        for (host, peer) in [(client, 0), (0, client)] {
            plan.at(RELEASE, Action::Allow { host, peer, write: u64::MAX, read: u64::MAX });
        }
    }

    /// What befalls a client.
    fn faults(&mut self, plan: &mut Plan, client: usize) {
        if self.one_in(4) {
            for _ in 0..=self.skewed(16) {
                // Another port of the same NAT, or another network.
                let place = if self.one_in(2) { 1 } else { 2 + self.below(200) as u16 };
                let port = 1_024 + self.below(60_000) as u16;
                plan.at(self.moment(), Action::Move { host: client, place, port });
            }
        }
        if self.one_in(4) {
            self.suspension(plan, client);
        }
        if self.one_in(8) {
            let (rtt, at) = (Duration::from_micros(self.skewed(1_000_000)), self.moment());
            let links = Box::new([self.link(rtt), self.link(rtt)]);
            plan.at(at, Action::Relink { host: client, links });
        }
        if self.one_in(8) {
            plan.at(
                self.moment(),
                Action::Leap { host: client, by: Duration::from_micros(self.skewed(60_000_000)) },
            );
        }
        if self.one_in(8) {
            let at = self.moment();
            plan.at(at, Action::Restart { host: client });
            let (upload, download) = (1 + self.skewed(256 << 10), self.skewed(256 << 10));
            let again = at + Duration::from_micros(self.skewed(10_000_000));
            plan.at(again, Action::Call { from: client, to: 0, upload, download });
        }
    }

    /// What befalls the server.
    fn server_faults(&mut self, plan: &mut Plan) {
        if self.one_in(8) {
            self.suspension(plan, 0);
        }
        if self.one_in(16) {
            plan.at(
                self.moment(),
                Action::Leap { host: 0, by: Duration::from_micros(self.skewed(60_000_000)) },
            );
        }
        if self.one_in(16) {
            plan.at(self.moment(), Action::Restart { host: 0 });
        }
    }

    /// `host` stands still for a while, up to several times.
    fn suspension(&mut self, plan: &mut Plan, host: usize) {
        let clock_runs = self.one_in(2);
        let room = self.skewed(256) as usize;
        let mut at = self.moment();
        for _ in 0..=self.below(4) {
            plan.at(at, Action::Freeze { host, clock_runs, room });
            at = at + Duration::from_micros(1 + self.skewed(40_000_000));
            plan.at(at, Action::Thaw { host });
            at = at + Duration::from_micros(1 + self.skewed(10_000_000));
        }
    }
}
