//! Which session a datagram belongs to, which sessions have something to do, and when each wants to be woken.

use heapless::{Deque, Vec};
use udp_sec::handshake::InitiationId;
use udp_sec::time::Instant;

use super::index::Index;

/// What the endpoint keeps about the connection in a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Its local id.
    pub(super) id: u64,
    /// The initiation that made it, at the responder: a repeat of it must not open a second session.
    pub(super) initiation: Option<InitiationId>,
    /// Age: smaller is older.
    pub(super) born: u64,
    /// Whether the application is done with it.
    pub(super) released: bool,
    deadline: Option<Instant>,
    queued: bool,
}

/// Slots by id and by initiation.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    by_id: Index<u64, N>,
    by_initiation: Index<InitiationId, N>,
    /// By slot, as far as slots were ever used: empty at first, so that a static of it costs no room in the image.
    entries: Vec<Option<Entry>, N>,
    ready: Deque<usize, N>,
    births: u64,
}

impl<const N: usize> Table<N> {
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            by_id: Index::new(),
            by_initiation: Index::new(),
            entries: Vec::new(),
            ready: Deque::new(),
            births: 0,
        }
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Enters the connection in `slot`; `false` where the table has no such slot free.
    pub(super) fn insert(&mut self, slot: usize, id: u64, initiation: Option<InitiationId>) -> bool {
        if slot >= self.entries.len() && self.entries.resize(slot.saturating_add(1), None).is_err() {
            return false;
        }
        let Some(entry @ None) = self.entries.get_mut(slot) else { return false };
        let born = self.births;
        *entry = Some(Entry { id, initiation, born, released: false, deadline: None, queued: false });
        self.births = self.births.saturating_add(1);
        // Both indexes have a place for each slot, so neither can be full.
        self.by_id.insert(id, slot);
        if let Some(initiation) = initiation {
            self.by_initiation.insert(initiation, slot);
        }
        self.wake(slot);
        true
    }

    /// Forgets `slot`.
    pub(super) fn remove(&mut self, slot: usize) {
        let Some(entry) = self.entries.get_mut(slot).and_then(Option::take) else { return };
        self.by_id.remove(&entry.id);
        if let Some(initiation) = &entry.initiation {
            self.by_initiation.remove(initiation);
        }
        self.ready.retain(|ready| *ready != slot);
    }

    /// The slot of the session whose local id is `id`.
    pub(super) fn slot(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id)
    }

    /// Whether a live session was made by `initiation`.
    pub(super) fn knows(&self, initiation: &InitiationId) -> bool {
        self.by_initiation.get(initiation).is_some()
    }

    /// The entry of `slot`.
    pub(super) fn entry(&self, slot: usize) -> Option<&Entry> {
        self.entries.get(slot)?.as_ref()
    }

    /// The entry of `slot`.
    pub(super) fn entry_mut(&mut self, slot: usize) -> Option<&mut Entry> {
        self.entries.get_mut(slot)?.as_mut()
    }

    /// All slots in use.
    pub(super) fn slots(&self) -> impl Iterator<Item = (usize, &Entry)> {
        // Pools fill the lowest free slot, so behind the last session in use there are only free ones.
        let used = self.entries.iter().enumerate().filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)));
        used.take(self.len())
    }

    /// The session in `slot` may have something to send or to tell.
    pub(super) fn wake(&mut self, slot: usize) {
        let Some(entry) = self.entries.get_mut(slot).and_then(Option::as_mut) else { return };
        if !core::mem::replace(&mut entry.queued, true) {
            // One place for each slot, and each slot queued once.
            _ = self.ready.push_back(slot);
        }
    }

    /// The session to serve next; it stays queued.
    pub(super) fn next_ready(&self) -> Option<usize> {
        self.ready.front().copied()
    }

    /// The slots queued at this moment.
    pub(super) fn ready(&self) -> impl Iterator<Item = usize> {
        self.ready.iter().copied()
    }

    /// The session served now goes behind the others.
    pub(super) fn rotate(&mut self) {
        if let Some(slot) = self.ready.pop_front() {
            _ = self.ready.push_back(slot);
        }
    }

    /// The session served now has nothing more to do until `deadline`.
    pub(super) fn rest(&mut self, deadline: Option<Instant>) {
        if let Some(entry) = self.ready.pop_front().and_then(|slot| self.entries.get_mut(slot)?.as_mut()) {
            entry.queued = false;
            entry.deadline = deadline;
        }
    }

    /// The earliest deadline of a session that rests.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let resting = self.slots().map(|(_, entry)| entry).filter(|entry| !entry.queued);
        resting.filter_map(|entry| entry.deadline).min()
    }

    /// A slot whose deadline has come; it is cleared.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<usize> {
        let live = self.len();
        let used =
            self.entries.iter_mut().enumerate().filter_map(|(slot, entry)| Some((slot, entry.as_mut()?)));
        used.take(live)
            .find_map(|(slot, entry)| entry.deadline.take_if(|deadline| *deadline <= now).map(|_| slot))
    }
}
