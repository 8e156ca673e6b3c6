//! Handshakes that we began: each sends its one initiation again and again until it is answered or its budget is
//! spent (`docs/protocol.md` section 3, "Repeats").

use heapless::Vec;
use udp_sec::handshake::Initiator;
use udp_sec::limits::{RETRY_FIRST, RETRY_MAX};
use udp_sec::time::{Duration, Instant};

use crate::connection::Path;

/// One handshake in progress at the initiator.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) initiator: Initiator,
    pub(super) progress: Progress,
}

/// How far an attempt has come.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) path: Path,
    pub(super) deadline: Instant,
    /// When the first initiation left; a round trip can be measured while it is the only one.
    first_sent: Option<Instant>,
    sent: u32,
    send_at: Instant,
    interval: Duration,
    cookie: Cookie,
}

/// Where an attempt stands with the cookie that a responder under load demands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cookie {
    /// One would be answered.
    Welcome,
    /// One has come: the initiation leaves again, with its proof.
    Due,
    /// One was answered since the last timed transmission; further ones are not, so that no two sides can drive each
    /// other.
    Answered,
}

impl Progress {
    /// An attempt whose initiation leaves at `now`.
    pub(super) fn new(now: Instant, path: Path, budget: Duration) -> Self {
        Self {
            path,
            deadline: now + budget,
            first_sent: None,
            sent: 0,
            send_at: now,
            interval: RETRY_FIRST,
            cookie: Cookie::Welcome,
        }
    }

    /// When something is to be done next.
    pub(super) fn wake_at(&self) -> Instant {
        self.send_at.min(self.deadline)
    }

    /// Whether the initiation is to leave now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.send_at <= now || self.cookie == Cookie::Due
    }

    /// A cookie came, and the initiation now proves it.
    pub(super) fn on_cookie(&mut self) {
        if self.cookie == Cookie::Welcome {
            self.cookie = Cookie::Due;
        }
    }

    /// The initiation left at `now`; the next one follows after the interval, which doubles.
    pub(super) fn on_sent(&mut self, now: Instant) {
        self.first_sent.get_or_insert(now);
        self.sent = self.sent.saturating_add(1);
        if self.cookie == Cookie::Due {
            self.cookie = Cookie::Answered;
            return;
        }
        self.cookie = Cookie::Welcome;
        self.send_at = now + self.interval;
        self.interval = (self.interval * 2).min(RETRY_MAX);
    }

    /// The handshake's round trip, unless a repeat makes it ambiguous which initiation was answered.
    pub(super) fn round_trip(&self, now: Instant) -> Option<Duration> {
        self.first_sent.filter(|_| self.sent == 1).map(|sent| now.saturating_since(sent))
    }
}

/// The attempts of one endpoint.
pub(super) type Attempts<const N: usize> = Vec<Attempt, N>;

/// Position of the attempt whose local id is `id`.
pub(super) fn find<const N: usize>(attempts: &Attempts<N>, id: u64) -> Option<usize> {
    attempts.iter().position(|attempt| attempt.initiator.local_id() == id)
}
