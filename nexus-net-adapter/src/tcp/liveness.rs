//! Whether the peer is still there: TCP alone would not notice for hours.
//!
//! The same idle timeout as over datagrams (`docs/protocol.md` section 6). What acknowledgements do there, a sign of
//! life does here: who has received data and said nothing for a third of the idle timeout, says that it is there.

use udp_sec::time::{Duration, Instant};

/// Signs of life in an idle timeout.
const SIGNS: u64 = 3;

/// The timers of an open session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Liveness {
    timeout: Duration,
    keepalive: bool,
    /// The timeout runs from here: the last record that opened, or the first one after it that asks for a sign.
    since: Instant,
    waiting: Waiting,
    sent_at: Instant,
    owed: Owed,
}

/// Whether the peer has been asked for a sign of life since it was last heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waiting {
    NotAsked,
    Asked,
}

/// Whether the peer has asked us for one since we last sent anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owed {
    Nothing,
    Sign,
}

/// What time has made due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// To say that we are here.
    Sign,
    /// To ask whether the peer is.
    Question,
    /// To give up.
    Timeout,
}

impl Liveness {
    /// A session that began at `now` and ends after `timeout` without a record of the peer's.
    pub(super) const fn new(now: Instant, timeout: Duration, keepalive: bool) -> Self {
        let (waiting, owed) = (Waiting::NotAsked, Owed::Nothing);
        Self { timeout, keepalive, since: now, waiting, sent_at: now, owed }
    }

    /// A record of the peer's has opened, or was read to its end.
    pub(super) const fn heard(&mut self, now: Instant) {
        (self.since, self.waiting) = (now, Waiting::NotAsked);
    }

    /// What was heard asks for a sign of life.
    pub(super) const fn asked(&mut self) {
        self.owed = Owed::Sign;
    }

    /// Something leaves that asks the peer for a sign of life. The first time since it was heard, it gets the whole
    /// timeout for it.
    pub(super) fn asks(&mut self, now: Instant) {
        if self.waiting == Waiting::NotAsked {
            (self.since, self.waiting) = (now, Waiting::Asked);
        }
    }

    /// Something has left.
    pub(super) const fn sent(&mut self, now: Instant) {
        (self.sent_at, self.owed) = (now, Owed::Nothing);
    }

    /// What is due at `now`.
    pub(super) fn due(&self, now: Instant) -> Due {
        match self.sign_at() {
            _ if now >= self.timeout_at() => Due::Timeout,
            Some(at) if now >= at && self.keepalive => Due::Question,
            Some(at) if now >= at => Due::Sign,
            _ => Due::Nothing,
        }
    }

    /// When something will be due.
    pub(super) fn wake_at(&self) -> Instant {
        self.sign_at().map_or(self.timeout_at(), |at| at.min(self.timeout_at()))
    }

    fn timeout_at(&self) -> Instant {
        self.since + self.timeout
    }

    fn sign_at(&self) -> Option<Instant> {
        (self.keepalive || self.owed == Owed::Sign).then(|| self.sent_at + self.timeout / SIGNS)
    }
}

#[cfg(test)]
mod tests;
