//! Trying again after a session was lost: so many times, further and further apart, each of them visible.
//!
//! ```text
//!   lost ──> wait ──> try ── no session ──> wait longer ──> try … ──> given up
//!              ▲        └── session ──> restored ──┐
//!              └────────────── lost again ─────────┘
//! ```
//! [`Reconnect`] counts and says how long to wait; its owner waits, tries, and begins anew above: a multiplexer of the
//! lost session reports its streams as reset, and the new session has a multiplexer of its own. What was under way in
//! the lost session is never continued in the new one: only the application knows what the peer had received.

use core::fmt;

use udp_sec::time::Duration;

use crate::select::Happened;

/// How often to try, and how far apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Attempts after a loss before all is given up.
    pub attempts: u32,
    /// The wait before the first of them; each later one is twice as long, …
    pub first_wait: Duration,
    /// … up to this.
    pub longest_wait: Duration,
}

impl Default for Schedule {
    /// Eight attempts, over one and a half minutes of waiting.
    fn default() -> Self {
        Self { attempts: 8, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

/// What is to be done, to be shown to whoever watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// To wait for so long, and then to try.
    Waiting {
        /// Which attempt it will be, counted from 1.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// How long.
        wait: Duration,
    },
    /// There is a session again.
    Restored {
        /// After so many attempts.
        attempts: u32,
    },
    /// Nothing more is tried.
    GivenUp {
        /// After so many attempts.
        attempts: u32,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { attempt, of, wait } => {
                write!(f, "trying again in {} ms (attempt {attempt} of {of})", wait.as_micros() / 1000)
            }
            Self::Restored { attempts } => write!(f, "connected again after {attempts} attempts"),
            Self::GivenUp { attempts } => write!(f, "given up after {attempts} attempts"),
        }
    }
}

/// Whether trying again can help after `failure`. A peer that refuses us, or is not who it should be, says so again.
#[must_use]
pub const fn is_worth_repeating(failure: Happened) -> bool {
    match failure {
        Happened::CannotBind
        | Happened::NoPath
        | Happened::Silence
        | Happened::Forgery
        | Happened::ConnectionFailed
        | Happened::LocalLimit
        | Happened::Connected => true,
        Happened::Disabled
        | Happened::Refused(_)
        | Happened::IdentityProofInvalid
        | Happened::EntropyUnavailable => false,
    }
}

/// Where a sequence of attempts stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reconnect {
    schedule: Schedule,
    /// Attempts since the last session.
    made: u32,
}

impl Reconnect {
    /// There is, or was, a session; nothing has been tried since.
    #[must_use]
    pub const fn new(schedule: Schedule) -> Self {
        Self { schedule, made: 0 }
    }

    /// The session is lost, or the last attempt has failed with `failure`: what next. `random` spreads the waits of many
    /// devices that have lost the same peer at once: each waits between half of the schedule's time and all of it.
    pub fn on_failure(&mut self, failure: Option<Happened>, random: u32) -> Event {
        let is_over = self.made >= self.schedule.attempts;
        if is_over || failure.is_some_and(|failure| !is_worth_repeating(failure)) {
            return Event::GivenUp { attempts: self.made };
        }
        let doublings = 1_u32.checked_shl(self.made).unwrap_or(u32::MAX);
        let longest = (self.schedule.first_wait * u64::from(doublings)).min(self.schedule.longest_wait);
        let half = longest.as_micros() / 2;
        let share = half.saturating_mul(u64::from(random)) >> u32::BITS;
        self.made = self.made.saturating_add(1);
        let wait = Duration::from_micros(half.saturating_add(share));
        Event::Waiting { attempt: self.made, of: self.schedule.attempts, wait }
    }

    /// There is a session again: the next loss is a first one.
    pub const fn on_success(&mut self) -> Event {
        let attempts = self.made;
        self.made = 0;
        Event::Restored { attempts }
    }
}

#[cfg(test)]
mod tests;
