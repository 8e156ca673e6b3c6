//! The threads that wait while another one waits at the socket for all of them.

use std::sync::{Arc, Condvar};
use std::vec::Vec;

use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::Event;

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Topic {
    /// Something about this session or handshake.
    Session(SessionId),
    /// A session that a peer opens.
    Accept,
    /// Anything at all.
    Progress,
    /// Nothing: only to be called when somebody must wait at the socket.
    Nothing,
}

impl Topic {
    /// Whether `event` of the session `id` is what it waits for.
    pub(super) fn is_about(self, id: SessionId, event: Event) -> bool {
        match self {
            Self::Session(own) => own == id,
            Self::Accept => event == Event::Established,
            Self::Progress | Self::Nothing => false,
        }
    }
}

/// Places for waiting threads. They are reused, so the data path does not allocate.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct Place {
    topic: Option<Topic>,
    signal: Arc<Condvar>,
}

impl Waiting {
    /// Takes a place; the thread waits for its signal.
    pub(super) fn enter(&mut self, topic: Topic) -> (usize, Arc<Condvar>) {
        let free = self.places.iter().position(|place| place.topic.is_none());
        let index = free.unwrap_or(self.places.len());
        if free.is_none() {
            self.places.push(Place::default());
        }
        let signal = self.places.get_mut(index).map(|place| {
            place.topic = Some(topic);
            Arc::clone(&place.signal)
        });
        (index, signal.unwrap_or_default())
    }

    /// Gives the place back.
    pub(super) fn leave(&mut self, index: usize) {
        if let Some(place) = self.places.get_mut(index) {
            place.topic = None;
        }
    }

    /// Wakes those whom `event` concerns.
    pub(super) fn tell(&self, id: SessionId, event: Event) {
        self.wake(|topic| topic.is_about(id, event));
    }

    /// Wakes those who wait for anything.
    pub(super) fn tell_progress(&self) {
        self.wake(|topic| topic == Topic::Progress);
    }

    /// Wakes those who wait for nothing: what they do may be over.
    pub(super) fn tell_attendants(&self) {
        self.wake(|topic| topic == Topic::Nothing);
    }

    /// Wakes one thread, if any waits, to wait at the socket from now on.
    pub(super) fn call_successor(&self) {
        if let Some(place) = self.places.iter().find(|place| place.topic.is_some()) {
            place.signal.notify_one();
        }
    }

    fn wake(&self, concerns: impl Fn(Topic) -> bool) {
        for place in self.places.iter().filter(|place| place.topic.is_some_and(&concerns)) {
            place.signal.notify_one();
        }
    }
}
