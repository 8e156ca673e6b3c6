//! Plans in which a network is bad for a while and then heals: a session that lived through it has to catch up soon.
//!
//! | from, s | to, s | the path |
//! | --- | --- | --- |
//! | 0 | 5 | loses nothing: the session is established |
//! | 5 | 65 | random: loss up to 20 %, bursts, corruption, duplication, reordering, moves to other addresses, and outages and suspensions of up to 20 s, no more than that in any 40 s |
//! | 65 | end | loses 10 % each way, and nothing else |
//!
//! At the end of the bad time the sender has at least [`BYTES`] to send yet.

use alloc::boxed::Box;

use lossy_link::{ErrorModel, LinkConfig};
use udp_sec::time::{Duration, Instant};

use crate::chaos::Dice;
use crate::network::{Access, Action, Plan};
use crate::scenario::Profile;

/// Bytes that are still to be sent when the network heals, at least.
pub const BYTES: u64 = 256 << 10;
/// Bytes that may be sent before, at most.
const BEFORE: u64 = 256 << 10;
/// When it gets bad.
pub const SICK: Duration = Duration::from_secs(5);
/// When it heals.
pub const HEALED: Duration = Duration::from_secs(65);
/// The longest outage or suspension.
const FAULT_MAX: Duration = Duration::from_secs(20);
/// Twice the longest fault: half of the probes of a silent session get their chance.
const IDLE_TIMEOUT: Duration = Duration::from_secs(40);

/// What does not change in a run: round trip, rate and capacities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Class {
    /// Round-trip time in milliseconds.
    pub rtt: u64,
    /// Bits per second.
    pub rate: u64,
    /// Whether both ends have the profile `Small`, rather than `Medium`.
    pub small: bool,
}

impl Class {
    /// The class of the run `seed`: each comes as often as the next.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let rtt = [30, 100, 300][(seed % 3) as usize];
        let rate = [2_000_000, 20_000_000][(seed / 3 % 2) as usize];
        Self { rtt, rate, small: (seed / 6).is_multiple_of(2) }
    }

    fn profile(self) -> Profile {
        if self.small { Profile::Small } else { Profile::Medium }
    }

    /// A link of this class that loses nothing.
    fn clean(self) -> LinkConfig {
        LinkConfig::default().delay(Duration::from_millis(self.rtt / 2)).rate(self.rate).queue(64)
    }

    /// The same with 10 % lost.
    fn healed(self) -> LinkConfig {
        self.clean().loss(ErrorModel::random(100_000))
    }
}

/// A run of the class of `seed` that is not disturbed: [`BYTES`] from [`HEALED`] on, at 10 % loss.
#[must_use]
pub fn undisturbed(seed: u64) -> Plan {
    base(seed, 0)
}

/// The run `seed`.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    let mut dice = Dice::new(!seed);
    let mut plan = base(seed, dice.below(BEFORE));
    let class = Class::of(seed);
    let links = [0, 1].map(|_| dice.disturbed(class.clean()));
    let [mut to_server, mut to_client] = links;
    let mut silent = Duration::ZERO;
    let mut at = SICK + Duration::from_micros(dice.skewed(20_000_000));
    while at < HEALED {
        let most =
            FAULT_MAX.saturating_sub(silent).as_micros().min(HEALED.saturating_sub(at).as_micros()).max(1);
        let span = Duration::from_micros(1 + dice.skewed(most).max(dice.below(most) * dice.below(2)));
        match dice.below(4) {
            0 => {
                let (host, clock_runs) = (dice.below(2) as usize, dice.one_in(2));
                plan.at(at, Action::Freeze { host, clock_runs, room: dice.skewed(256) as usize });
                plan.at(at + span, Action::Thaw { host });
            }
            which => {
                // One direction, the other, or both.
                let period = Instant::ZERO + at..Instant::ZERO + at + span;
                if which != 1 {
                    to_server = to_server.blackout(period.clone());
                }
                if which != 2 {
                    to_client = to_client.blackout(period);
                }
            }
        }
        // A few short ones in a row, or one long one, and then a time without.
        silent = silent + span;
        at = at + span;
        if silent > FAULT_MAX / 4 {
            at = at + IDLE_TIMEOUT.saturating_sub(silent);
            silent = Duration::ZERO;
        }
        at = at + Duration::from_micros(dice.skewed(20_000_000));
    }
    plan.at(SICK, Action::Relink { host: 1, links: Box::new([to_server, to_client]) });
    if dice.one_in(2) {
        for _ in 0..=dice.below(8) {
            let at = SICK + Duration::from_micros(dice.below(HEALED.saturating_sub(SICK).as_micros()));
            let (place, port) = (1 + dice.below(3) as u16, 1_024 + dice.below(60_000) as u16);
            plan.at(at, Action::Move { host: 1, place, port });
        }
    }
    plan.events.sort_by_key(|(at, _)| *at);
    plan
}

/// One client that sends to the server or receives from it: up to `before` bytes as the time goes by, and [`BYTES`]
/// from [`HEALED`] on.
fn base(seed: u64, before: u64) -> Plan {
    const STEPS: u64 = 60;
    let class = Class::of(seed);
    let mut plan = Plan::new(seed, class.profile(), alloc::vec![Access::both(class.clean())]);
    for host in &mut plan.hosts {
        host.idle_timeout = IDLE_TIMEOUT;
        // Who only receives, and moves, is found again by what it says.
        host.keepalive = true;
    }
    let total = before + BYTES;
    let is_upload = (seed / 12).is_multiple_of(2);
    let (upload, download) = if is_upload { (total, 0) } else { (0, total) };
    plan.at(Duration::ZERO, Action::Call { from: 1, to: 0, upload, download });
    let (host, peer) = if is_upload { (1, 0) } else { (0, 1) };
    for step in 0..STEPS {
        let at = HEALED.saturating_sub(SICK) / STEPS * step;
        plan.at(at, Action::Allow { host, peer, write: before * step / STEPS, read: u64::MAX });
    }
    let links = Box::new([class.healed(), class.healed()]);
    plan.at(HEALED, Action::Relink { host: 1, links });
    plan.at(HEALED, Action::Allow { host, peer, write: u64::MAX, read: u64::MAX });
    plan
}
