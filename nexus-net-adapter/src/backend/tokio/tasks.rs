//! The tasks of one connection: whatever happens at it wakes both.
//!
//! The reactor and the timer keep one waker each. Were it the task that asked last, a reader who gives up would take the
//! writer's wake-up with it, and the reader's attempt to send would leave the writer without one. So they keep a waker of
//! this, and each task that it wakes looks for itself.

use core::mem;
use core::task::Waker;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use crate::stream::Interest;

/// The last task of each direction, as far as one waits.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Tasks {
    /// Keeps `waker` for its direction.
    pub(super) fn keep(&self, interest: Interest, waker: &Waker) {
        let mut places = self.places();
        let in_writing = interest.in_writing() || interest == Interest::Delivered;
        let reader = interest.in_reading().then(|| places.reader.replace(waker.clone()));
        let writer = in_writing.then(|| places.writer.replace(waker.clone()));
        // Wakers are code of others, and nothing for the inside of a lock.
        drop(places);
        drop((reader, writer));
    }

    /// Wakes both.
    pub(super) fn wake(&self) {
        let Places { reader, writer } = mem::take(&mut *self.places());
        reader.into_iter().chain(writer).for_each(Waker::wake);
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        Self::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Self::wake(self);
    }
}
