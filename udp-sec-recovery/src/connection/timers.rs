//! The deadlines of one connection. Which of them are set says what the connection waits for.

use udp_sec::time::Instant;

/// One optional deadline per reason to wake.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timers {
    /// A packet becomes lost by the time threshold (RFC 9002 section 6.1.2).
    pub(super) loss: Option<Instant>,
    /// The probe timeout (RFC 9002 section 6.2).
    pub(super) probe: Option<Instant>,
    /// The pacer has room for another datagram.
    pub(super) pacing: Option<Instant>,
    /// Nothing was heard for the idle timeout.
    pub(super) idle: Option<Instant>,
    /// The responder has not confirmed the session within the handshake budget.
    pub(super) confirmation: Option<Instant>,
    /// The application wants a keepalive.
    pub(super) keepalive: Option<Instant>,
    /// Say again that the peer's credit is exhausted.
    pub(super) blocked: Option<Instant>,
    /// A challenge to a new address of the peer's was not answered.
    pub(super) path: Option<Instant>,
    /// Packets under the key before the present one are too late.
    pub(super) old_key: Option<Instant>,
    /// The closing or draining period is over.
    pub(super) end: Option<Instant>,
}

impl Timers {
    /// The earliest of them all.
    pub(super) fn next(&self) -> Option<Instant> {
        earliest(&[
            self.loss,
            self.probe,
            self.pacing,
            self.idle,
            self.confirmation,
            self.keepalive,
            self.blocked,
            self.path,
            self.old_key,
            self.end,
        ])
    }

    /// Takes `timer` if it has expired at `now`.
    pub(super) fn take(timer: &mut Option<Instant>, now: Instant) -> bool {
        timer.take_if(|deadline| *deadline <= now).is_some()
    }
}

/// The earliest of `deadlines`, if there is one.
#[inline(never)] // Asked for in many places.
pub(crate) fn earliest(deadlines: &[Option<Instant>]) -> Option<Instant> {
    deadlines.iter().flatten().min().copied()
}
