//! Counters of one session, for people, tests and tools. All saturate; all start at 0.

use udp_sec::time::Duration;

/// What one session has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams sent, of any kind.
    pub datagrams_sent: u64,
    /// Bytes of UDP payload sent.
    pub bytes_sent: u64,
    /// Authenticated datagrams received.
    pub datagrams_received: u64,
    /// Bytes of UDP payload in them.
    pub bytes_received: u64,
    /// Packets declared lost.
    pub packets_lost: u64,
    /// Bytes of UDP payload in them.
    pub bytes_lost: u64,
    /// Packets declared lost and acknowledged later: the declaration was wrong.
    pub spurious_losses: u64,
    /// Stream bytes sent again because they were declared lost.
    pub stream_bytes_retransmitted: u64,
    /// Stream bytes sent again by probes.
    pub stream_bytes_probed: u64,
    /// Stream bytes sent for the first time.
    pub stream_bytes_sent: u64,
    /// Stream bytes received in order, ready for the application or read by it.
    pub stream_bytes_received: u64,
    /// ACK frames sent.
    pub acks_sent: u64,
    /// ACK frames received.
    pub acks_received: u64,
    /// Probes sent: packets that may leave whatever the window says.
    pub probes_sent: u64,
    /// Times the probe timeout expired.
    pub probe_timeouts: u64,
    /// Times congestion control reduced the window.
    pub window_reductions: u64,
    /// Reductions taken back because the losses behind them were spurious.
    pub reductions_undone: u64,
    /// Times persistent congestion was established.
    pub persistent_congestions: u64,
    /// Times we moved to the next key on our own account; following the peer does not count.
    pub key_updates: u64,
    /// Times the session followed the peer to another address.
    pub path_changes: u64,
    /// Packets whose stream data found no reassembly entry.
    pub reassembly_overflows: u64,
}

/// The state of the path as congestion control sees it, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathState {
    /// Congestion window in bytes.
    pub window: u64,
    /// Slow-start threshold in bytes; `u64::MAX` until the first loss.
    pub ssthresh: u64,
    /// Bytes in flight.
    pub in_flight: u64,
    /// Smoothed round-trip time.
    pub smoothed_rtt: Duration,
    /// Round-trip time variation.
    pub rtt_variation: Duration,
    /// Smallest round-trip time seen.
    pub min_rtt: Duration,
    /// Probe timeouts since the last acknowledgement.
    pub pto_count: u32,
}
