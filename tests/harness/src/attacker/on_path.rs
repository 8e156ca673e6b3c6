//! Somebody on the path without keys: sees every datagram, sends what he likes from whatever address, and is faster
//! than the network; but he stops nothing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::SocketAddr;

use lossy_link::End;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::memory::Storage;

use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::world::{CLIENT, SERVER, World};

/// A datagram that the observer sees as it leaves.
#[derive(Debug)]
pub struct Seen<'d> {
    /// When.
    pub now: Instant,
    /// The end that sent it, as an index into [`World::sides`]. 0 is the initiator.
    pub from: usize,
    /// The address it goes to.
    pub to: SocketAddr,
    /// Its bytes.
    pub data: &'d [u8],
}

/// A datagram of the observer's own making.
#[derive(Clone, Debug)]
pub struct Forged {
    /// When it arrives: the observer may be as fast as he likes.
    pub at: Instant,
    /// The end it goes to, as an index into [`World::sides`].
    pub to: usize,
    /// The address it claims to come from.
    pub source: SocketAddr,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// Bytes between the responder and an address that is not the initiator's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Bytes that came from there.
    pub came: u64,
    /// Bytes that were sent there.
    pub went: u64,
}

/// A [`World`] with an observer in it.
#[derive(Debug)]
pub struct Observed<S: Storage + Default> {
    /// The two ends and the network between them.
    pub world: World<S>,
    /// What the observer has under way, in the order of arrival.
    forged: BTreeMap<(Instant, u64), Forged>,
    count: u64,
    /// By address.
    pub strangers: BTreeMap<SocketAddr, Tally>,
    trace: Trace,
}

impl<S: Storage + Default> Observed<S> {
    /// The world of `scenario`, at its start.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            world: World::new(scenario),
            forged: BTreeMap::new(),
            count: 0,
            strangers: BTreeMap::new(),
            trace: Trace::default(),
        }
    }

    /// Sends a datagram of the observer's.
    pub fn forge(&mut self, forged: Forged) {
        self.forged.insert((forged.at, self.count), forged);
        self.count += 1;
    }

    /// Plays until `done` holds or nothing is left to happen, with `observer` shown every datagram that leaves: what
    /// it returns is sent.
    pub fn play(
        &mut self,
        mut observer: impl FnMut(&Seen<'_>) -> Vec<Forged>,
        mut done: impl FnMut(&Self) -> bool,
    ) {
        while !done(self) {
            let own = self.forged.keys().next().map(|(at, _)| *at);
            let Some(next) = self.world.next_instant().into_iter().chain(own).min() else { return };
            self.step(next.max(self.world.now), &mut observer);
        }
    }

    /// Everything that happens at `now`. What the observer sends arrives first.
    fn step(&mut self, now: Instant, observer: &mut impl FnMut(&Seen<'_>) -> Vec<Forged>) {
        self.world.now = now;
        let mut arrived = [false; 2];
        while let Some(entry) = self.forged.first_entry().filter(|entry| entry.key().0 <= now) {
            let Forged { to, source, data, .. } = entry.remove();
            if source != self.world.path.client_address(now) && source != SERVER {
                self.strangers.entry(source).or_default().came += data.len() as u64;
            }
            self.receive(to, source, data);
            arrived[to] = true;
        }
        while let Some(arrival) = self.world.path.poll(now) {
            let to = usize::from(arrival.to == End::Server);
            self.receive(to, arrival.source, arrival.data);
            arrived[to] = true;
        }
        for (index, arrived) in arrived.into_iter().enumerate() {
            let side = &mut self.world.sides[index];
            if arrived {
                side.end_of_batch();
                side.endpoint.handle_timeout(now);
            } else if side.wake_at.is_some_and(|at| at <= now) {
                side.wake(now);
            } else {
                continue;
            }
            self.drain(index, observer);
        }
    }

    fn receive(&mut self, to: usize, source: SocketAddr, mut data: Vec<u8>) {
        let path = Path { remote: source, local: (to == 1).then_some(SERVER.ip()) };
        self.world.sides[to].receive(self.world.now, path, &mut data);
    }

    fn drain(&mut self, index: usize, observer: &mut impl FnMut(&Seen<'_>) -> Vec<Forged>) {
        let now = self.world.now;
        let mut sent = Vec::new();
        self.world.sides[index].drain(now, &mut self.trace, &mut sent);
        for (path, data) in sent {
            let to = path.remote;
            for forged in observer(&Seen { now, from: index, to, data: &data }) {
                self.forge(forged);
            }
            let home = if index == 0 { SERVER } else { self.world.path.client_address(now) };
            if to == home {
                self.world.path.send(now, [End::Client, End::Server][index], to, data);
            } else {
                self.strangers.entry(to).or_default().went += data.len() as u64;
            }
        }
    }
}

/// The address of an end before any rebinding, by its index.
#[must_use]
pub const fn home(index: usize) -> SocketAddr {
    if index == 0 { CLIENT } else { SERVER }
}
