//! What came of a simulation.

use alloc::vec::Vec;

use lossy_link::Counters;
use udp_sec::stats::RejectCounts;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::stats::{PathState, Stats};

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Every byte of both directions was delivered, and each reader saw the end of its stream.
    Success,
    /// A session ended before that, for this reason.
    Failed(Closure),
}

/// What one end has to say after a run.
#[derive(Clone, Debug, Default)]
pub struct SideReport {
    /// When the session was established here.
    pub established: Option<Instant>,
    /// When the last byte of the other direction was delivered here.
    pub delivered: Option<Instant>,
    /// Why the session ended here.
    pub closed: Option<Closure>,
    /// Counters of the session.
    pub stats: Stats,
    /// What was dropped, and why.
    pub rejects: RejectCounts,
    /// Sessions that began here.
    pub sessions: u64,
}

/// A moment of the initiator's congestion control.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Since the start.
    pub at: Duration,
    /// The state at that moment.
    pub path: PathState,
    /// Stream bytes delivered to the responder's application by then.
    pub delivered: u64,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// From the start to the last byte delivered at a receiver; of a handshake, to the responder's confirmation.
    pub done: Option<Duration>,
    /// From the start to the end of the last session.
    pub ended: Duration,
    /// The initiator.
    pub client: SideReport,
    /// The responder.
    pub server: SideReport,
    /// What the link toward the responder did.
    pub to_server: Counters,
    /// What the link toward the initiator did.
    pub to_client: Counters,
    /// Hash over every datagram (bytes, time, direction) and every event.
    pub trace: [u8; 32],
    /// The initiator's congestion control over time.
    pub samples: Vec<Sample>,
}

impl Report {
    /// Whether everything was delivered.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.outcome == Outcome::Success
    }

    /// Delivered bits per second from the start to the last byte, for `bytes` bytes.
    #[must_use]
    pub fn goodput(&self, bytes: u64) -> u64 {
        let micros = self.done.map_or(u64::MAX, Duration::as_micros).max(1);
        u64::try_from(u128::from(bytes) * 8 * 1_000_000 / u128::from(micros)).unwrap_or(u64::MAX)
    }
}
