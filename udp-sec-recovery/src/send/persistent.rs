//! Persistent congestion (RFC 9002 section 7.6): nothing came through for several probe timeouts.
//!
//! Losses are declared in the order of sending: once a packet is lost, every earlier one is acknowledged or lost.
//! So each packet can be reported once, in that order, as its fate is settled, and all that has to be remembered
//! is when the first packet of the present run of losses was sent. The run goes on from one acknowledgement or
//! timeout to the next.

use udp_sec::time::{Duration, Instant};

use crate::limits::PERSISTENT_CONGESTION_THRESHOLD;

/// What a run of losses says about the path. `Ord`, so that a pass over several losses can keep the gravest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Congestion {
    /// Losses that a smaller window answers.
    Transient,
    /// The path carried nothing for longer than the persistent congestion duration.
    Persistent,
}

/// The run of lost packets with no acknowledged one between them.
#[derive(Clone, Copy, Debug, Default)]
pub struct PersistentCongestion {
    run_start: Option<Instant>,
}

impl PersistentCongestion {
    /// No losses yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { run_start: None }
    }

    /// The next packet, in the order of sending, was acknowledged; or one already reported lost was, late.
    pub fn on_acked(&mut self) {
        // RFC 9002 section 7.6.2: no packet sent between the two may be acknowledged. A late acknowledgement
        // proves that the path carried something during the run; the rest of it is not worth keeping track of.
        self.run_start = None;
    }

    /// The next packet, in the order of sending, was lost. Only ack-eliciting packets are reported (RFC 9002
    /// section 7.6.2: a receiver need not acknowledge others soon). `first_sample_at` is when the first round-trip
    /// time sample was taken, `duration` is [`duration`].
    ///
    /// Says `Persistent` once per run that is long enough, and then begins a new run.
    pub fn on_lost(
        &mut self,
        sent_at: Instant,
        first_sample_at: Option<Instant>,
        duration: Duration,
    ) -> Congestion {
        // RFC 9002 section 7.6.2: before the first sample the probe timeout may be far too short for the path.
        if first_sample_at.is_none_or(|first| sent_at <= first) {
            return Congestion::Transient;
        }
        let start = *self.run_start.get_or_insert(sent_at);
        if sent_at.saturating_since(start) <= duration {
            return Congestion::Transient;
        }
        self.run_start = None;
        Congestion::Persistent
    }
}

/// The span that a run must exceed, from the probe timeout before any doubling, `max_ack_delay` included (RFC 9002
/// section 7.6.1).
#[must_use]
pub fn duration(pto_base: Duration) -> Duration {
    pto_base * PERSISTENT_CONGESTION_THRESHOLD
}

#[cfg(test)]
mod tests;
