//! When to acknowledge. What to acknowledge is [`ReceivedNumbers`](super::ranges::ReceivedNumbers).
//!
//! Only an ack-eliciting packet makes an acknowledgement due, though any packet out of order may hasten it.
//! Whichever of these comes first (`docs/protocol.md` section 5, RFC 9000 section 13.2):
//!
//! 1. *Each one*, while fewer than [`ACK_EACH_AFTER_GAP`] packets came in order since the start or since one did not:
//!    one with numbers missing before it, a late one, or a duplicate. The sender is waiting to hear of a loss, or of
//!    one it need not have declared, and its window is small.
//! 2. *Every n-th*: n is 2, or the step the peer asked for once [`ACK_STEP_PROBATION`] packets came in order.
//! 3. *At the end of a receive batch* in which two or more came. A batch of one is no batch, so a socket that gives
//!    one datagram at a time does not acknowledge every packet; one that gives many acknowledges about once each
//!    time, however long the step.
//! 4. *After a while*: the acknowledgement delay, or an eighth of it when two or more wait. Under the usual step
//!    those would have been acknowledged, so the delay is for them only what a longer step may cost, and a sender
//!    whose window is shorter than the step it asked for is not stopped for a whole delay each round trip.

use udp_sec::time::{Duration, Instant};

use super::ranges::Insertion;
use crate::limits::{
    ACK_EACH_AFTER_GAP, ACK_STEP_DEFAULT, ACK_STEP_MAX, ACK_STEP_PROBATION, ACK_STEP_WAIT_DIVISOR,
};

/// Decides when the next ACK frame has to leave.
#[derive(Clone, Copy, Debug)]
pub struct AckPolicy {
    /// The step the peer asked for.
    step: u8,
    max_delay: Duration,
    /// Packets in order since the last that was not, up to [`ACK_STEP_PROBATION`].
    in_order: u8,
    /// Ack-eliciting packets since the last ACK, saturating.
    waiting: u8,
    /// Those of them that came in the current receive batch.
    waiting_in_batch: u8,
    /// When the first of them came.
    waiting_since: Instant,
    /// What waits is due, whatever step and delay say.
    at_once: bool,
    /// When the largest number came: what the ACK frame's delay is counted from.
    largest_at: Instant,
}

impl AckPolicy {
    /// A policy for a peer that asks for an acknowledgement at least every `step` ack-eliciting packets (values
    /// out of range are taken to the nearest in 1..=64), and was promised one within `max_delay`.
    #[must_use]
    pub fn new(step: u8, max_delay: Duration) -> Self {
        Self {
            step: step.clamp(1, ACK_STEP_MAX),
            max_delay,
            in_order: 0,
            waiting: 0,
            waiting_in_batch: 0,
            waiting_since: Instant::ZERO,
            at_once: false,
            largest_at: Instant::ZERO,
        }
    }

    /// A packet arrived at `now`; `insertion` is how its number followed the others.
    pub fn on_packet(&mut self, now: Instant, ack_eliciting: bool, insertion: Insertion) {
        if matches!(insertion, Insertion::InOrder | Insertion::Gap) {
            self.largest_at = now;
        }
        match insertion {
            Insertion::InOrder => self.in_order = self.in_order.saturating_add(1).min(ACK_STEP_PROBATION),
            Insertion::Gap | Insertion::Reordered | Insertion::Duplicate => self.in_order = 0,
        }
        if ack_eliciting {
            if self.waiting == 0 {
                self.waiting_since = now;
            }
            self.waiting = self.waiting.saturating_add(1);
            self.waiting_in_batch = self.waiting_in_batch.saturating_add(1);
        }
    }

    /// The socket has no more datagrams for now.
    pub fn on_batch_end(&mut self) {
        if self.waiting_in_batch >= 2 {
            self.at_once = true;
        }
        self.waiting_in_batch = 0;
    }

    /// Makes what waits due now: for a packet that has to be answered without delay, such as the initiator's first.
    pub fn expedite(&mut self) {
        self.at_once = true;
    }

    /// An ACK frame has left.
    pub fn on_ack_sent(&mut self) {
        self.waiting = 0;
        self.waiting_in_batch = 0;
        self.at_once = false;
    }

    /// Whether an ack-eliciting packet came since the last ACK. Then an ACK may ride in a packet that leaves anyway.
    #[must_use]
    pub const fn has_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Whether an ACK has to leave at `now`, if need be in a packet of its own.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        let at_once = self.at_once || self.waiting >= self.effective_step();
        self.has_waiting() && (at_once || self.deadline().is_some_and(|deadline| deadline <= now))
    }

    /// When an ACK becomes due although nothing more arrives; `None` while nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let delay = if self.waiting < 2 { self.max_delay } else { self.max_delay / ACK_STEP_WAIT_DIVISOR };
        self.has_waiting().then(|| self.waiting_since + delay)
    }

    /// How long the largest number has waited at `now`: the delay field of an ACK frame that leaves now.
    #[must_use]
    pub const fn delay(&self, now: Instant) -> Duration {
        now.saturating_since(self.largest_at)
    }

    /// The step in use. A longer one than usual has to be earned, since a loss is noticed later under it. And while
    /// the sender's window is small, an odd packet that waits for its pair costs a noticeable part of that window for
    /// a whole round trip (`docs/decisions/003-acknowledging-after-a-gap.md`).
    fn effective_step(&self) -> u8 {
        match self.in_order {
            ACK_STEP_PROBATION.. => self.step,
            ACK_EACH_AFTER_GAP.. => self.step.min(ACK_STEP_DEFAULT),
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests;
