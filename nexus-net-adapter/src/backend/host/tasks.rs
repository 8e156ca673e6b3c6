//! The tasks that wait: a waker for each direction of each session, and one for sessions that peers open.
//!
//! No wake-up is lost. A task looks first, and where it finds that it has to wait, its waker is kept before the lock is
//! given back. From then on whatever could change what it saw happens in a step of the driver, under the same lock, and
//! is an event (or, for acknowledgements, looked at after each step): its waker is then due. Somebody has to make those
//! steps: a thread in a call, or an [`Attendant`](super::Attendant).

use core::task::Waker;
use std::collections::HashMap;
use std::vec::Vec;

use heapless::Vec as Batch;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::Event;

use crate::stream::Interest;

/// Wakers taken out at once.
const BATCH: usize = 16;

/// What a task waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// Something about this session or handshake.
    Session(SessionId, Interest),
    /// A session that a peer opens.
    Accept,
}

/// The wakers. A session has a place here from its first wait to its release; waiting again does not allocate.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    sessions: HashMap<SessionId, Places>,
    accepting: Option<Waker>,
    /// Sessions whose writers wait for acknowledgements, of which no event tells.
    delivering: Vec<SessionId>,
    /// To be woken as soon as the lock is given back.
    due: Vec<Waker>,
}

/// The last task of each direction, as far as one waits.
#[derive(Debug, Default)]
pub(super) struct Places {
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Tasks {
    /// Keeps `waker`. Those that it takes the place of are returned: to drop a waker may run code of others, which
    /// must not happen under the lock.
    pub(super) fn keep(&mut self, wish: Wish, waker: &Waker) -> Places {
        let mut replaced = Places::default();
        match wish {
            Wish::Accept => replaced.reader = keep(&mut self.accepting, waker),
            Wish::Session(id, interest) => {
                let places = self.sessions.entry(id).or_default();
                if interest.in_reading() {
                    replaced.reader = keep(&mut places.reader, waker);
                }
                if interest.in_writing() || interest == Interest::Delivered {
                    replaced.writer = keep(&mut places.writer, waker);
                }
                if interest == Interest::Delivered && !self.delivering.contains(&id) {
                    self.delivering.push(id);
                }
            }
        }
        replaced
    }

    /// Nobody waits for the session `id` any more. What is returned is to be dropped without the lock.
    pub(super) fn forget(&mut self, id: SessionId) -> Option<Places> {
        self.delivering.retain(|waiting| *waiting != id);
        self.sessions.remove(&id)
    }

    /// Those whom `event` concerns are due.
    pub(super) fn tell(&mut self, id: SessionId, event: Event) {
        if event == Event::Established {
            self.due.extend(self.accepting.take());
        }
        let Some(places) = self.sessions.get_mut(&id) else { return };
        if event != Event::Writable {
            self.due.extend(places.reader.take());
        }
        if event != Event::Readable {
            self.due.extend(places.writer.take());
        }
    }

    /// Writers of whose sessions `delivered` is true are due, if that is what they wait for.
    pub(super) fn tell_delivered(&mut self, mut delivered: impl FnMut(SessionId) -> bool) {
        let Self { sessions, delivering, due, .. } = self;
        delivering.retain(|id| {
            let is_delivered = delivered(*id);
            if is_delivered {
                due.extend(sessions.get_mut(id).and_then(|places| places.writer.take()));
            }
            !is_delivered
        });
    }

    /// Whether anybody is to be woken.
    pub(super) fn are_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes out some of those that are to be woken.
    pub(super) fn take_due(&mut self) -> Batch<Waker, BATCH> {
        let rest = self.due.len().saturating_sub(BATCH);
        self.due.drain(rest..).collect()
    }
}

/// Puts `waker` in its place, and returns the one that it takes it from.
fn keep(place: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match place {
        Some(kept) if kept.will_wake(waker) => None,
        _ => place.replace(waker.clone()),
    }
}

#[cfg(test)]
mod tests;
