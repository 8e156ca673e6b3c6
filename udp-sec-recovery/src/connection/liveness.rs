//! What the passing of time does: the idle timeout, probe timeouts, keepalives, repeated DATA_BLOCKED
//! (`docs/protocol.md` sections 5 and 6, RFC 9002 section 6.2).

use udp_sec::error::Reject;
use udp_sec::time::{Duration, Instant};

use super::timers::{Timers, earliest};
use super::{Connection, State};
use crate::event::Closure;
use crate::limits;
use crate::memory::Storage;
use crate::send::pto;

impl<S: Storage> Connection<S> {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, unless something else happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let ack = match self.state {
            State::Open if self.path_has_room() => self.ack.deadline(),
            State::Open | State::Closing(_) | State::Ended(_) => None,
        };
        earliest(&[self.timers.next(), ack])
    }

    /// Does what is due at `now`; calling it early or often is harmless.
    ///
    /// # Errors
    /// [`Reject::PathUnvalidated`]: a new address of the peer's has not answered, and the session stays on its path.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Reject> {
        if Timers::take(&mut self.timers.end, now) {
            self.end(Closure::ByUs(udp_sec::error::CloseCode::NoError));
        }
        if !matches!(self.state, State::Open) {
            return Ok(());
        }
        if Timers::take(&mut self.timers.confirmation, now) {
            self.end(Closure::HandshakeTimeout);
            return Ok(());
        }
        if Timers::take(&mut self.timers.idle, now) {
            self.end(Closure::TimedOut);
            return Ok(());
        }
        if Timers::take(&mut self.timers.loss, now) {
            self.detect_losses(now);
            self.set_probe_timer();
        }
        if Timers::take(&mut self.timers.probe, now) {
            self.on_probe_timeout(now);
        }
        if Timers::take(&mut self.timers.keepalive, now) {
            self.control.ping = true;
        }
        if Timers::take(&mut self.timers.blocked, now) {
            self.control.blocked = true;
        }
        if Timers::take(&mut self.timers.old_key, now) {
            self.session.forget_previous_key();
        }
        // The pacer's and the acknowledgement's deadlines only say when to look again: egress decides.
        Timers::take(&mut self.timers.pacing, now);
        self.on_path_timeout(now)
    }

    /// The probe timeout without backoff.
    pub(super) fn pto_base(&self) -> Duration {
        self.rtt.pto_base(self.peer_ack_delay)
    }

    /// Whether any packet is in flight, on the path in use or an earlier one.
    pub(super) fn awaits_acknowledgement(&mut self) -> bool {
        let newest = self.storage.memory().sent.back().map(|packet| packet.number);
        // Nothing above the largest acknowledged is acknowledged or lost, so the search for losses ends at the oldest.
        newest >= Some(self.oldest_in_flight)
    }

    /// Arms the probe timer for the last ack-eliciting packet, while any is in flight and no loss timer runs; and while
    /// the path is unproven. There an acknowledged challenge may wait for an answer that was lost, and data for the proof.
    pub(super) fn set_probe_timer(&mut self) {
        let asks = self.unproven.is_some() && self.path_has_room();
        let armed = self.timers.loss.is_none() && (asks || self.awaits_acknowledgement());
        self.timers.probe = armed.then(|| {
            self.last_eliciting_sent + pto::timeout(self.pto_base(), self.pto_count, self.idle_timeout)
        });
    }

    /// RFC 9002 section 6.2.4: two probes leave, whatever the window says; it takes an acknowledgement to tell
    /// what was lost.
    fn on_probe_timeout(&mut self, now: Instant) {
        self.pto_count = self.pto_count.saturating_add(1);
        self.stats.probe_timeouts = self.stats.probe_timeouts.saturating_add(1);
        self.probes = limits::PROBES;
        self.make_room_for_probes(now);
        // The next timeout counts from here even if the probes cannot leave: a timer left in the past would spin.
        self.last_eliciting_sent = now;
        self.set_probe_timer();
    }

    /// An authenticated packet of the peer arrived.
    pub(super) fn on_heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.sent_since_heard = false;
        self.timers.confirmation = None;
        self.restart_idle_timer(now);
    }

    /// An ack-eliciting packet left: the first one since the peer was heard restarts the idle timer, so that a
    /// session about to time out gets the time for an answer.
    pub(super) fn on_eliciting_sent(&mut self, now: Instant) {
        self.last_eliciting_sent = now;
        if !self.sent_since_heard {
            self.sent_since_heard = true;
            self.restart_idle_timer(now);
        }
        self.set_probe_timer();
    }

    /// Stream bytes arrived. If no more follow, our address may have changed, and the peer cannot know before we say
    /// something: where the session is kept alive at all, that need not wait for a third of the idle timeout.
    pub(super) fn expect_more(&mut self, now: Instant) {
        if self.reassembly.final_size().is_none() {
            let soon = now + self.pto_base() * limits::PTO_PERIODS;
            self.timers.keepalive = self.timers.keepalive.map(|at| at.min(soon));
        }
    }

    /// An end that has come stays, whichever the caller looks at first, the clock or the socket: after a suspension
    /// longer than the idle timeout, what has waited in the socket says nothing about the peer of now.
    pub(super) fn restart_idle_timer(&mut self, now: Instant) {
        if self.timers.idle.is_some_and(|end| end < now) {
            return;
        }
        let timeout = self.idle_timeout.max(self.pto_base() * limits::PTO_PERIODS);
        self.timers.idle = Some(now + timeout);
        self.timers.keepalive =
            self.keepalive.then(|| now + self.idle_timeout / limits::KEEPALIVE_IDLE_DIVISOR);
    }
}
