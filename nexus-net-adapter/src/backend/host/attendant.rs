//! A thread that waits at the socket, for programs whose other threads do not: those that are made of tasks.

use std::io;
use std::string::String;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use udp_sec::time::Instant;

use super::shared::Shared;
use super::waiting::Topic;
use crate::stream::StreamError;

/// Keeps an endpoint's sessions going until it is dropped; then its thread ends at once. As long as it is there, so is
/// the endpoint.
#[derive(Debug)]
pub struct Attendant {
    shared: Arc<Shared>,
    dismissed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attendant {
    /// # Errors
    /// The system has no more threads to give.
    pub(super) fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let dismissed = Arc::new(AtomicBool::new(false));
        let thread = {
            let (shared, dismissed) = (Arc::clone(shared), Arc::clone(&dismissed));
            thread::Builder::new().name(String::from("udp-sec")).spawn(move || attend(&shared, &dismissed))?
        };
        Ok(Self { shared: Arc::clone(shared), dismissed, thread: Some(thread) })
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        // Before the lock is taken: a thread that has looked before this holds the lock until it waits, and is woken.
        self.dismissed.store(true, Ordering::Release);
        self.shared.call_attendants();
        let others = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id());
        // It may be the thread itself that got to drop this, by waking the last owner. It cannot wait for itself.
        if let Some(thread) = others {
            // It does not panic; a waker that does is its owner's concern.
            _ = thread.join();
        }
    }
}

/// Waits until dismissed.
fn attend(shared: &Shared, dismissed: &AtomicBool) {
    _ = shared.wait_for(Topic::Nothing, Instant::MAX, |_| match dismissed.load(Ordering::Acquire) {
        true => Ok(()),
        false => Err(StreamError::WouldBlock),
    });
}
