//! What must hold in every run, whatever the network does.
//!
//! | | invariant | checked |
//! | --- | --- | --- |
//! | I1 | delivered bytes are a prefix of the sent ones | `application`, at every read |
//! | I2 | no datagram above 1200 bytes | here, at every datagram |
//! | I3 | no (key, nonce) pair twice | here, at every data packet and handshake message |
//! | I4 | bytes in flight are the sum of the packets in flight, and above the window only by probes | here, after each step |
//! | I5 | every queue within its bound | by type; `Endpoint::check` |
//! | I6 | a datagram that is dropped changes nothing but a counter | here, at every arrival |
//! | I7 | no timer wakes more than three times at one instant | here, at every wake |
//! | I8 | same scenario, same trace | `tests/determinism.rs` |
//! | I9 | every run ends, in success or a named error | here: no session outlives its idle timeout; `world` and `network`: by the run's limit |

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::stats::{PathState, Stats};

/// The largest UDP payload there may be.
const DATAGRAM_MAX: usize = 1200;
/// The type byte of a data packet.
const DATA: u8 = 4;
/// Those of handshake messages.
const INITIATION: u8 = 1;
const RESPONSE: u8 = 2;
/// Where a handshake message has its ephemeral key (`docs/protocol.md` section 2).
const EPHEMERAL: Range<usize> = 12..44;
/// Bytes of an Initiation before its macs, one of which may change between repeats. They use other keys.
const BEFORE_MACS: usize = 1168;
/// Wakes without progress that are still no spin.
const WAKES_MAX: u32 = 3;

/// What one end has done so far, as far as the invariants care.
#[derive(Debug, Default)]
pub struct Watch {
    /// By receiver id: the last packet number used. A session's ids and keys are one to one.
    numbers: BTreeMap<[u8; 8], u64>,
    /// By ephemeral key: what was sealed with what followed from it.
    sealed: BTreeMap<[u8; 32], Vec<u8>>,
    woken_at: Option<Instant>,
    wakes: u32,
}

impl Watch {
    /// I2 and I3: a datagram leaves.
    pub fn on_datagram(&mut self, datagram: &[u8]) {
        assert!(datagram.len() <= DATAGRAM_MAX, "I2: a datagram of {} bytes", datagram.len());
        match datagram[1] {
            INITIATION => return self.on_handshake(&datagram[..BEFORE_MACS]),
            RESPONSE => return self.on_handshake(datagram),
            DATA => {}
            _ => return,
        }
        let id = datagram[4..12].try_into().expect("eight bytes");
        let low = u32::from_le_bytes(datagram[12..16].try_into().expect("four bytes"));
        // Simulations send far fewer than 2^32 packets, so the low half is the number.
        let number = u64::from(low);
        let before = self.numbers.insert(id, number);
        assert!(before.is_none_or(|before| before < number), "I3: number {number} after {before:?}");
    }

    /// I3: every message key of a handshake has the nonce 0, so it may seal one text only. Other handshakes have other
    /// ephemeral keys; those of a repeat are the same, and so must all of its bytes be.
    fn on_handshake(&mut self, sealed: &[u8]) {
        let ephemeral = sealed[EPHEMERAL].try_into().expect("32 bytes");
        let before = self.sealed.entry(ephemeral).or_insert_with(|| sealed.to_vec());
        assert_eq!(before, sealed, "I3: two messages with one ephemeral key");
    }

    /// I4: the window was respected by everything but probes.
    pub fn on_transmit(before: (Stats, PathState), after: (Stats, PathState)) {
        let grew = after.1.in_flight > before.1.in_flight;
        let probed = after.0.probes_sent > before.0.probes_sent;
        assert!(
            !grew || probed || after.1.in_flight <= after.1.window,
            "I4: {} bytes in flight with a window of {}",
            after.1.in_flight,
            after.1.window,
        );
    }

    /// I6: a datagram was dropped.
    pub fn on_drop(before: (Stats, PathState), after: (Stats, PathState)) {
        assert_eq!(before, after, "I6: a dropped datagram changed the session");
    }

    /// I7: time woke this end, and nothing else did.
    pub fn on_wake(&mut self, now: Instant) {
        self.wakes = if self.woken_at == Some(now) { self.wakes + 1 } else { 1 };
        self.woken_at = Some(now);
        assert!(self.wakes <= WAKES_MAX, "I7: {} wakes at {now:?}", self.wakes);
    }

    /// Something other than time happened: wakes start anew.
    pub fn on_input(&mut self) {
        self.woken_at = None;
    }
}

/// I9: by when one session has to end, should nothing more be heard (`docs/protocol.md` section 6), as seen from outside.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    end: Instant,
    /// Whether an ack-eliciting packet left since the peer was heard.
    sent: bool,
    timeout: Duration,
}

impl Idle {
    /// What a session may take beyond its idle timeout.
    pub const MARGIN: Duration = Duration::from_secs(1);
    /// The longest acknowledgement delay that there is.
    const ACK_DELAY_MAX: Duration = Duration::from_millis(500);
    /// Three probe timeouts before there is a sample of the round trip, the longest acknowledgement delay included.
    const FIRST: Duration = Duration::from_millis(3 * (999 + 500));

    /// A session that begins at `now`.
    #[must_use]
    pub fn new(now: Instant, timeout: Duration) -> Self {
        Self { end: now + timeout.max(Self::FIRST), sent: false, timeout }
    }

    /// A packet of the peer opened; what is known of the path may have changed with it.
    pub fn on_heard(&mut self, now: Instant, paths: [PathState; 2]) {
        self.end = now + self.span(paths);
        self.sent = false;
    }

    /// A packet left that asks for an acknowledgement: the first one since the peer was heard counts.
    pub fn on_eliciting_sent(&mut self, now: Instant, paths: [PathState; 2]) {
        if !self.sent {
            self.end = now + self.span(paths);
            self.sent = true;
        }
    }

    /// The session is alive, and its end wants to be woken at `wake_at`: in time to end it, should nothing come.
    pub fn check(&self, wake_at: Option<Instant>) {
        let end = self.end + Self::MARGIN;
        assert!(
            wake_at.is_some_and(|at| at <= end),
            "I9: a session that may end by {end:?} waits for {wake_at:?}"
        );
    }

    /// The idle timeout is never shorter than three probe timeouts.
    fn span(&self, paths: [PathState; 2]) -> Duration {
        let pto = |path: PathState| {
            let variation = (path.rtt_variation * 4).max(Duration::from_millis(1));
            path.smoothed_rtt + variation + Self::ACK_DELAY_MAX
        };
        paths.map(|path| pto(path) * 3).into_iter().fold(self.timeout, Duration::max)
    }
}
