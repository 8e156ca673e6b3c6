//! The sockets of one stack, and waiting for those that could not do what they were last asked.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration as SystemDuration;
use std::vec::Vec;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use udp_sec::time::{Duration, Instant};

/// No wait is longer, so that no deadline, however far, exceeds what the system can express.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// What a socket waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Want {
    Nothing = 0,
    Receive = 1,
    Send = 2,
}

/// A socket, and what it waits for: nothing, unless its last call had to be put off. So a socket with something to
/// read that nobody asks for does not keep the others awake.
#[derive(Debug)]
pub(super) struct Watched<S: ?Sized> {
    want: AtomicU8,
    pub(super) socket: S,
}

type Source = Watched<dyn AsFd + Send + Sync>;

impl<S: ?Sized> Watched<S> {
    pub(super) fn wants(&self, want: Want) {
        self.want.store(want as u8, Ordering::Relaxed);
    }
}

impl Source {
    fn wanted(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let want = self.want.load(Ordering::Relaxed);
        let flags = [(Want::Receive, PollFlags::IN), (Want::Send, PollFlags::OUT)];
        let (_, flags) = flags.into_iter().find(|(which, _)| *which as u8 == want)?;
        Some((self.socket.as_fd(), flags))
    }
}

/// The sockets of one stack.
#[derive(Default)]
pub(super) struct Watch {
    sources: Mutex<Vec<Weak<Source>>>,
}

impl core::fmt::Debug for Watch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches `socket` from now on, for as long as somebody has it.
    pub(super) fn add<S: AsFd + Send + Sync + 'static>(&self, socket: S) -> Arc<Watched<S>> {
        let watched = Arc::new(Watched { want: AtomicU8::new(Want::Nothing as u8), socket });
        let source: Arc<Source> = watched.clone();
        self.live(|sources| sources.push(Arc::downgrade(&source)));
        watched
    }

    /// Waits until one of them can do what it wants, or until `until`.
    pub(super) fn wait(&self, now: Instant, until: Instant) {
        let sources: Vec<_> = self.live(|sources| sources.iter().filter_map(Weak::upgrade).collect());
        // Not even asked about, a lost connection would still end every wait.
        let wanting: Vec<_> = sources.iter().filter_map(|source| Some((source, source.wanted()?))).collect();
        let mut asked: Vec<_> =
            wanting.iter().map(|(_, (socket, flags))| PollFd::from_borrowed_fd(*socket, *flags)).collect();
        let micros = until.saturating_since(now).min(WAIT_MAX).as_micros();
        // Rounded up, so that the end of a wait is not missed by a little.
        let span = SystemDuration::from_millis(micros.div_ceil(1000));
        // Should the system refuse, or a signal arrive, this is only a wait that was too short.
        _ = poll(&mut asked, Timespec::try_from(span).ok().as_ref());
        for (asked, (source, _)) in asked.iter().zip(&wanting) {
            if !asked.revents().is_empty() {
                // Told once. Whoever does not ask again does not want it any more.
                source.wants(Want::Nothing);
            }
        }
    }

    /// Works on those that somebody still has.
    fn live<T>(&self, work: impl FnOnce(&mut Vec<Weak<Source>>) -> T) -> T {
        // Nothing panics while it is locked.
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|source| source.strong_count() > 0);
        work(&mut sources)
    }
}
