//! Streams for tasks: the same calls with a passed deadline, and a waker instead of a wait.

use core::task::{Context, Poll};

use super::{Interest, ReliableStream};

/// A stream that wakes a task, for callers that must not block a thread.
pub trait PollReady: ReliableStream {
    /// Ready when `interest` is met, by the rules of [`ReliableStream::wait`]; the end of the session meets any. Otherwise
    /// the task of `context` is woken once it may be. A stream keeps the last task of each direction: a reader waits for
    /// [`Interest::Readable`], a writer for [`Interest::LowWater`] or [`Interest::Delivered`], and [`Interest::Either`]
    /// counts as both.
    ///
    /// A call with a passed deadline may still say `WouldBlock` after this: then ask again.
    fn poll_ready(&mut self, interest: Interest, context: &mut Context<'_>) -> Poll<()>;
}
