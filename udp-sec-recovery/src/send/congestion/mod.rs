//! Congestion control: how many bytes may be in flight (RFC 9002 section 7).
//!
//! [`Controller`] is the seam: an enum with one variant per algorithm. The connection tells it what became of every
//! packet that counts in flight, and asks for the window.

use udp_sec::time::Instant;

pub use newreno::NewReno;

pub mod newreno;

/// Whether the window was used when a packet was acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Utilisation {
    /// The window or the pacer stopped the last burst of sending. Waiting for the pacer counts as full use, since
    /// without it the window would have been used (RFC 9002 section 7.8).
    WindowLimited,
    /// Something else did: no data, no credit, no place in the sent-packet queue. The window proves nothing about
    /// the path, and must not grow.
    AppLimited,
}

/// What a lost packet did to the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// A recovery period began and the window was reduced.
    Reduced,
    /// The loss belongs to a recovery period that has begun already.
    Unchanged,
}

/// What a late acknowledgement of a lost packet did to the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undo {
    /// Every loss behind the last reduction has turned out spurious: the reduction was taken back.
    Restored,
    /// The last reduction stands.
    Unchanged,
}

/// A congestion controller.
#[derive(Clone, Copy, Debug)]
pub enum Controller {
    /// NewReno as in RFC 9002 appendix B.
    NewReno(NewReno),
}

impl Controller {
    /// NewReno on a new path.
    #[must_use]
    pub const fn new_reno() -> Self {
        Self::NewReno(NewReno::new())
    }

    /// The same controller at the start of another path, where nothing is in flight; the ceiling holds. From now on it is
    /// told of packets of that path only.
    #[must_use]
    pub fn on_new_path(self) -> Self {
        match self {
            Self::NewReno(newreno) => Self::NewReno(newreno.on_new_path()),
        }
    }

    /// The window never exceeds `bytes` (but may always be the minimum window): what the sent-packet queue holds.
    pub fn set_ceiling(&mut self, bytes: u64) {
        match self {
            Self::NewReno(newreno) => newreno.set_ceiling(bytes),
        }
    }

    /// The congestion window in bytes.
    #[must_use]
    pub const fn window(&self) -> u64 {
        match self {
            Self::NewReno(newreno) => newreno.window(),
        }
    }

    /// The slow-start threshold in bytes; `u64::MAX` until the first reduction.
    #[must_use]
    pub const fn ssthresh(&self) -> u64 {
        match self {
            Self::NewReno(newreno) => newreno.ssthresh(),
        }
    }

    /// Bytes sent and neither acknowledged, lost nor discarded.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        match self {
            Self::NewReno(newreno) => newreno.in_flight(),
        }
    }

    /// Bytes that may be sent now; 0 where probes, or a smaller window, have put more in flight than it allows.
    #[must_use]
    pub const fn room(&self) -> u64 {
        self.window().saturating_sub(self.in_flight())
    }

    /// A packet of `bytes` left.
    pub fn on_packet_sent(&mut self, bytes: u64) {
        match self {
            Self::NewReno(newreno) => newreno.on_packet_sent(bytes),
        }
    }

    /// A packet in flight, of `bytes`, sent at `sent_at`, was acknowledged.
    pub fn on_packet_acked(&mut self, bytes: u64, sent_at: Instant, utilisation: Utilisation) {
        match self {
            Self::NewReno(newreno) => newreno.on_packet_acked(bytes, sent_at, utilisation),
        }
    }

    /// A packet in flight, of `bytes`, sent at `sent_at`, was declared lost at `now`. The losses of one
    /// acknowledgement or timeout are reported in the order of sending.
    pub fn on_packet_lost(&mut self, bytes: u64, sent_at: Instant, now: Instant) -> Reaction {
        match self {
            Self::NewReno(newreno) => newreno.on_packet_lost(bytes, sent_at, now),
        }
    }

    /// A packet sent at `sent_at` and declared lost was acknowledged after all; once per packet.
    pub fn on_spurious_loss(&mut self, sent_at: Instant) -> Undo {
        match self {
            Self::NewReno(newreno) => newreno.on_spurious_loss(sent_at),
        }
    }

    /// The losses just reported establish persistent congestion. Follows the last of them, since each of them
    /// would otherwise seem to begin a recovery period.
    pub fn on_persistent_congestion(&mut self) {
        match self {
            Self::NewReno(newreno) => newreno.on_persistent_congestion(),
        }
    }

    /// A packet in flight, of `bytes`, was given up without being acknowledged or lost (RFC 9002 appendix B.9).
    pub fn on_packet_discarded(&mut self, bytes: u64) {
        match self {
            Self::NewReno(newreno) => newreno.on_packet_discarded(bytes),
        }
    }
}
