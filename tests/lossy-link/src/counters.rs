//! What happened to the packets of one link.

use core::fmt;

/// Counts since the link was made. At every moment
/// `sent + duplicated == delivered + lost + blacked_out + queue_dropped + in flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams given to the link.
    pub sent: u64,
    /// Their bytes (without overhead).
    pub sent_bytes: u64,
    /// Datagrams that came out, copies included.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Lost on the wire by the error model or by index.
    pub lost: u64,
    /// Lost in a blackout.
    pub blacked_out: u64,
    /// Dropped because the queue was full.
    pub queue_dropped: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Delivered after a datagram that was sent later (RFC 4737 section 3; copies too).
    pub reordered: u64,
    /// Datagrams in which a byte was changed.
    pub corrupted: u64,
    /// Length of the longest datagram given to the link, in bytes.
    pub largest: u64,
}

impl Counters {
    /// The counts by name, in a fixed order.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, u64); 11] {
        [
            ("sent", self.sent),
            ("sent_bytes", self.sent_bytes),
            ("delivered", self.delivered),
            ("delivered_bytes", self.delivered_bytes),
            ("lost", self.lost),
            ("blacked_out", self.blacked_out),
            ("queue_dropped", self.queue_dropped),
            ("duplicated", self.duplicated),
            ("reordered", self.reordered),
            ("corrupted", self.corrupted),
            ("largest", self.largest),
        ]
    }
}

/// One JSON object on one line.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, value)) in self.fields().into_iter().enumerate() {
            write!(f, "{}\"{name}\":{value}", if position == 0 { "{" } else { "," })?;
        }
        f.write_str("}")
    }
}
