//! Whether a packet that counts in flight may leave now: what there is to send against what holds it back.
//!
//! Packets of nothing but an ACK ask no permit: they are not in flight, take no place in the sent-packet queue and
//! are not paced (RFC 9002 sections 2 and 7).

use crate::limits::{PROBE_SLOTS, UNPROVEN_LEAST, UNPROVEN_RESERVE};

/// What there is to send, in the order of its right to leave; the caller takes the greatest that applies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Interest {
    /// Nothing.
    None,
    /// Stream bytes that never left, and control frames.
    NewData,
    /// Stream bytes that were lost.
    LostData,
    /// A probe: the probe timeout expired.
    Probe,
}

/// What holds packets back, in the order of severity; the caller takes the greatest that applies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Constraint {
    /// Nothing.
    None,
    /// The pacer has no room yet.
    Paced,
    /// The window is full.
    CongestionLimited,
    /// Only what is kept free for probes is left: in the sent-packet queue, or of what an unproven path may get.
    ProbesOnly,
    /// The path has not proven to lead to the peer, and three times what came from there has been sent.
    PathUnproven,
    /// The sent-packet queue is full.
    SentQueueFull,
}

impl Constraint {
    /// What `room` bytes of congestion window mean for a packet of `bytes` (RFC 9002 section 7: bytes in flight
    /// never exceed the window).
    #[must_use]
    pub const fn of_window(room: u64, bytes: u64) -> Self {
        if bytes <= room { Self::None } else { Self::CongestionLimited }
    }

    /// What `room` bytes that may go to an unproven path mean for a packet of `bytes`; `None`: the path is proven.
    /// The last of them are for probes, which are bare challenges there.
    #[must_use]
    pub const fn of_path(room: Option<u64>, bytes: u64) -> Self {
        match room {
            Some(room) if room < UNPROVEN_LEAST => Self::PathUnproven,
            Some(room) if room < bytes.saturating_add(UNPROVEN_RESERVE) => Self::ProbesOnly,
            _ => Self::None,
        }
    }

    /// What `free` places in the sent-packet queue mean (`docs/protocol.md` section 5: two are kept for probes).
    #[must_use]
    pub const fn of_sent_queue(free: usize) -> Self {
        match free {
            0 => Self::SentQueueFull,
            1..=PROBE_SLOTS => Self::ProbesOnly,
            _ => Self::None,
        }
    }
}

/// Whether a packet may leave.
#[must_use]
pub const fn may_send(interest: Interest, constraint: Constraint) -> bool {
    match constraint {
        Constraint::None => !matches!(interest, Interest::None),
        // RFC 9002 section 7.5: neither the window nor the pacer holds a probe back, since no acknowledgement may
        // come without it.
        Constraint::Paced | Constraint::CongestionLimited | Constraint::ProbesOnly => {
            matches!(interest, Interest::Probe)
        }
        Constraint::PathUnproven | Constraint::SentQueueFull => false,
    }
}

#[cfg(test)]
mod tests;
