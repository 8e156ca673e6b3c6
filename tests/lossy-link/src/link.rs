//! One direction of a network: datagrams go in at one end and come out, or do not, at the other.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use udp_sec::time::{Duration, Instant};

use crate::config::LinkConfig;
use crate::counters::Counters;
use crate::errors::Errors;
use crate::random::Random;
use crate::transmitter::Transmitter;

/// A datagram that comes out of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<T> {
    /// When it arrived; not after the `now` of the poll that returned it.
    pub at: Instant,
    /// Its place among all datagrams ever sent into this link, from 0. A copy has the index of its original.
    pub index: u64,
    /// What the sender sent beside it.
    pub tag: T,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// One direction. See the [crate] for the order in which things happen to a datagram.
///
/// Loss, corruption and blackouts happen on the wire, behind the queue: a packet lost there has used the
/// rate all the same. Deliveries come in the order of their time, and at the same time in the order they
/// were sent, so that jitter reorders truly.
///
/// `T` is carried beside each datagram, unseen: addresses for a [`Path`](crate::Path), a connection for
/// the relay, `()` where nothing is needed.
#[derive(Clone, Debug)]
pub struct Link<T = ()> {
    config: LinkConfig,
    drop_list: BTreeSet<u64>,
    transmitter: Transmitter,
    loss: Errors,
    corruption: Errors,
    duplication: Random,
    reordering: Random,
    jitter: Random,
    /// Ordered by arrival, then by a sequence number: the order of delivery.
    in_flight: BTreeMap<(Instant, u64), Delivery<T>>,
    next_sequence: u64,
    /// One more than the highest index delivered (RFC 4737's NextExp).
    next_expected: u64,
    counters: Counters,
}

impl<T: Clone> Link<T> {
    /// An empty link. Two links with the same configuration, seed and calls behave the same.
    #[must_use]
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        let mut root = Random::new(seed);
        Self {
            drop_list: config.drop_list.iter().copied().collect(),
            transmitter: Transmitter::new(config.rate, config.queue),
            loss: Errors::new(config.loss, root.derive()),
            corruption: Errors::new(config.corruption, root.derive()),
            duplication: root.derive(),
            reordering: root.derive(),
            jitter: root.derive(),
            in_flight: BTreeMap::new(),
            next_sequence: 0,
            next_expected: 0,
            counters: Counters::default(),
            config,
        }
    }

    /// From now on the link is as `config` says; what is under way arrives as it would have, and the queue goes on from
    /// where it stands.
    pub fn reconfigure(&mut self, config: LinkConfig) {
        self.drop_list = config.drop_list.iter().copied().collect();
        self.transmitter.reconfigure(config.rate, config.queue);
        self.loss.reconfigure(config.loss);
        self.corruption.reconfigure(config.corruption);
        self.config = config;
    }

    /// Puts a datagram into the link. `now` must not go back from call to call.
    pub fn send(&mut self, now: Instant, tag: T, data: impl Into<Vec<u8>>) {
        let mut data = data.into();
        let length = data.len() as u64;
        let index = self.counters.sent;
        self.counters.sent += 1;
        self.counters.sent_bytes += length;
        self.counters.largest = self.counters.largest.max(length);

        let Some(departure) = self.transmitter.admit(now, length + u64::from(self.config.overhead)) else {
            self.counters.queue_dropped += 1;
            return;
        };
        if !self.survives(departure, index) {
            return;
        }
        self.corrupt(&mut data);
        let held_back = self.reordering.chance(self.config.reordering_ppm);
        let extra = if held_back { self.config.reordering_delay } else { Duration::ZERO };
        let earliest = departure + self.config.delay + extra;
        let at = earliest + self.jitter.up_to(self.config.jitter);
        if self.duplication.chance(self.config.duplication_ppm) {
            self.counters.duplicated += 1;
            let copy_at = earliest + self.duplication.up_to(self.config.jitter);
            self.put(Delivery { at: copy_at, index, tag: tag.clone(), data: data.clone() });
        }
        self.put(Delivery { at, index, tag, data });
    }

    /// The next datagram that has arrived by `now`, or `None` where nothing has.
    pub fn poll(&mut self, now: Instant) -> Option<Delivery<T>> {
        let first = self.in_flight.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let delivery = first.remove();
        self.counters.delivered += 1;
        self.counters.delivered_bytes += delivery.data.len() as u64;
        match delivery.index.checked_add(1) {
            Some(next) if next >= self.next_expected => self.next_expected = next,
            _ => self.counters.reordered += 1,
        }
        Some(delivery)
    }

    /// When the next datagram arrives; `None` while the link is empty.
    #[must_use]
    pub fn next_delivery(&self) -> Option<Instant> {
        self.in_flight.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Datagrams (and copies) under way: accepted, not lost and not yet delivered.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether a packet that leaves the queue at `departure` reaches the other end. The error model moves on
    /// by one packet whatever else befalls it: a blackout does not shift the losses behind it.
    fn survives(&mut self, departure: Instant, index: u64) -> bool {
        let hit = self.loss.hit();
        if self.config.blackouts.iter().any(|period| period.contains(&departure)) {
            self.counters.blacked_out += 1;
            return false;
        }
        if hit || self.drop_list.contains(&index) {
            self.counters.lost += 1;
            return false;
        }
        true
    }

    /// Replaces one byte by another value, where the error model says so.
    fn corrupt(&mut self, data: &mut [u8]) {
        if !self.corruption.hit() {
            return;
        }
        let random = self.corruption.random();
        let span = self.config.corrupt_offsets.start..self.config.corrupt_offsets.end.min(data.len());
        let offset = span.start.saturating_add(random.below(span.len() as u64) as usize);
        let change = 1 + random.below(255) as u8; // never 0: the byte does change
        if let Some(byte) = data.get_mut(offset).filter(|_| !span.is_empty()) {
            *byte ^= change;
            self.counters.corrupted += 1;
        }
    }

    fn put(&mut self, delivery: Delivery<T>) {
        self.in_flight.insert((delivery.at, self.next_sequence), delivery);
        self.next_sequence += 1;
    }
}

#[cfg(test)]
mod tests;
