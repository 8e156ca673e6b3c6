//! NewReno (RFC 9002 section 7.3 and appendix B), in integers, and able to take a reduction back.

use udp_sec::time::Instant;

use super::{Reaction, Undo, Utilisation};
use crate::limits::{DATAGRAM_MAX, INITIAL_WINDOW, LOSS_REDUCTION_DIVISOR, MINIMUM_WINDOW};

/// NewReno on one path.
#[derive(Clone, Copy, Debug)]
pub struct NewReno {
    state: State,
    in_flight: u64,
    ceiling: u64,
    reduction: Option<Reduction>,
    /// Packets sent until then are not behind `reduction`: their loss was answered before it.
    answered_until: Option<Instant>,
}

/// All that a reduction changes, and an undo restores.
#[derive(Clone, Copy, Debug)]
struct State {
    window: u64,
    ssthresh: u64,
    /// Bytes acknowledged in congestion avoidance since the window last grew.
    avoidance_acked: u64,
    /// When the last recovery period began: losses and acknowledgements of packets sent until then belong to it.
    /// An `Option`, where the RFC uses 0, because a clock may be at 0.
    recovery_start: Option<Instant>,
}

/// The last reduction, for as long as it can be taken back.
#[derive(Clone, Copy, Debug)]
struct Reduction {
    before: State,
    /// Packets whose loss is behind it and which have not been acknowledged late.
    losses: u64,
}

impl NewReno {
    /// Slow start from the initial window (RFC 9002 section 7.2).
    #[must_use]
    pub const fn new() -> Self {
        let state =
            State { window: INITIAL_WINDOW, ssthresh: u64::MAX, avoidance_acked: 0, recovery_start: None };
        Self { state, in_flight: 0, ceiling: u64::MAX, reduction: None, answered_until: None }
    }

    /// See [`Controller::on_new_path`](super::Controller::on_new_path).
    #[must_use]
    pub fn on_new_path(self) -> Self {
        let mut fresh = Self::new();
        fresh.set_ceiling(self.ceiling);
        fresh
    }

    /// See [`Controller::set_ceiling`](super::Controller::set_ceiling).
    pub fn set_ceiling(&mut self, bytes: u64) {
        self.ceiling = bytes.max(MINIMUM_WINDOW);
        self.state.window = self.state.window.min(self.ceiling);
    }

    /// The congestion window in bytes.
    #[must_use]
    pub const fn window(&self) -> u64 {
        self.state.window
    }

    /// The slow-start threshold in bytes; `u64::MAX` until the first reduction.
    #[must_use]
    pub const fn ssthresh(&self) -> u64 {
        self.state.ssthresh
    }

    /// Bytes sent and neither acknowledged, lost nor discarded.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// A packet of `bytes` left (RFC 9002 appendix B.4).
    pub fn on_packet_sent(&mut self, bytes: u64) {
        self.in_flight = self.in_flight.saturating_add(bytes);
    }

    /// A packet in flight was acknowledged (RFC 9002 appendix B.5).
    pub fn on_packet_acked(&mut self, bytes: u64, sent_at: Instant, utilisation: Utilisation) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
        // RFC 9002 section 7.8: a window that is not used must not grow.
        if utilisation == Utilisation::AppLimited {
            return;
        }
        let state = &mut self.state;
        // RFC 9002 section 7.3.2: the window stays as it is until a packet sent during recovery is acknowledged.
        if state.in_recovery(sent_at) {
            return;
        }
        if state.window < state.ssthresh {
            // RFC 9002 section 7.3.1: slow start grows by what was acknowledged.
            state.window = state.window.saturating_add(bytes);
        } else {
            // RFC 9002 section 7.3.3: one datagram for each window acknowledged. Counting bytes (RFC 3465) is
            // exact where adding a fraction per acknowledgement would round down, in the end to nothing.
            state.avoidance_acked = state.avoidance_acked.saturating_add(bytes);
            if let Some(rest) = state.avoidance_acked.checked_sub(state.window) {
                state.avoidance_acked = rest;
                state.window = state.window.saturating_add(DATAGRAM_MAX);
            }
        }
        state.window = state.window.min(self.ceiling);
    }

    /// A packet in flight was declared lost (RFC 9002 appendix B.6 and B.8).
    ///
    /// Judging each packet for itself comes to the same as judging the newest of all: the first that was sent
    /// after the last recovery period began starts a new one, at `now`, to which the others belong.
    pub fn on_packet_lost(&mut self, bytes: u64, sent_at: Instant, now: Instant) -> Reaction {
        self.in_flight = self.in_flight.saturating_sub(bytes);
        if self.state.in_recovery(sent_at) {
            if let Some(reduction) = self.reduction_behind(sent_at) {
                reduction.losses = reduction.losses.saturating_add(1);
            }
            return Reaction::Unchanged;
        }
        self.answer_losses();
        self.reduction = Some(Reduction { before: self.state, losses: 1 });
        // RFC 9002 section 7.3.2.
        let ssthresh = self.state.window / LOSS_REDUCTION_DIVISOR;
        self.state = State {
            window: ssthresh.max(MINIMUM_WINDOW),
            ssthresh,
            avoidance_acked: 0,
            recovery_start: Some(now),
        };
        Reaction::Reduced
    }

    /// A packet declared lost was acknowledged after all. RFC 9002 has no rule for it. When that has happened to
    /// every packet of the recovery period, nothing was lost, and all is as it was before, recovery period
    /// included: a packet of the same time that is lost later reduces the window.
    pub fn on_spurious_loss(&mut self, sent_at: Instant) -> Undo {
        let Some(reduction) = self.reduction_behind(sent_at) else {
            return Undo::Unchanged;
        };
        reduction.losses = reduction.losses.saturating_sub(1);
        if reduction.losses > 0 {
            return Undo::Unchanged;
        }
        let before = reduction.before;
        self.reduction = None;
        // What the window has gained since, it has earned.
        let window = self.state.window.max(before.window).min(self.ceiling);
        self.state = State { window, ..before };
        Undo::Restored
    }

    /// Persistent congestion was established (RFC 9002 section 7.6.2): slow start again from the minimum window,
    /// and no way back from that.
    pub fn on_persistent_congestion(&mut self) {
        self.answer_losses();
        self.state.window = MINIMUM_WINDOW;
        self.state.avoidance_acked = 0;
        self.state.recovery_start = None;
    }

    /// A packet in flight was given up (RFC 9002 appendix B.9).
    pub fn on_packet_discarded(&mut self, bytes: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    /// The last reduction, if the loss of a packet sent at `sent_at` is behind it.
    fn reduction_behind(&mut self, sent_at: Instant) -> Option<&mut Reduction> {
        let answered = self.answered_until.is_some_and(|until| sent_at <= until);
        if answered { None } else { self.reduction.as_mut() }
    }

    /// The last reduction cannot be taken back any more.
    fn answer_losses(&mut self) {
        self.reduction = None;
        self.answered_until = self.answered_until.max(self.state.recovery_start);
    }
}

impl State {
    /// Whether a packet sent at `sent_at` belongs to the last recovery period or an earlier one (RFC 9002 appendix
    /// B.5).
    fn in_recovery(&self, sent_at: Instant) -> bool {
        self.recovery_start.is_some_and(|start| sent_at <= start)
    }
}

impl Default for NewReno {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
