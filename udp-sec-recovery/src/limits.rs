//! Every constant and bound of this crate, and the relations between them, asserted at compile time.
//!
//! First what the protocol and RFC 9002 fix for both ends, then what this implementation chooses.

use core::fmt;

use udp_sec::time::Duration;

// The wire: `docs/protocol.md` sections 2 and 4.

/// The largest datagram, in bytes of UDP payload: RFC 9002's `max_datagram_size`.
pub const DATAGRAM_MAX: u64 = udp_sec::limits::DATAGRAM_MAX as u64;
/// One past the highest stream offset there can be: offset + length never exceeds it.
pub const STREAM_OFFSET_MAX: u64 = 1 << 62;
/// The most ranges in one ACK frame, and the most that a receiver remembers.
pub const ACK_RANGES_MAX: usize = 32;
/// The unit of the ACK frame's delay field.
pub const ACK_DELAY_UNIT: Duration = Duration::from_micros(8);
/// The longest reason in a CLOSE frame, in bytes of UTF-8.
pub const CLOSE_REASON_MAX: usize = 255;

// Loss detection: RFC 9002 section 6, `docs/protocol.md` section 5.

/// A packet is lost once one sent this many places later is acknowledged (kPacketThreshold).
pub const PACKET_THRESHOLD: u64 = 3;
/// Numerator of the time threshold, 9/8 of the round-trip time (kTimeThreshold).
pub const TIME_THRESHOLD_NUMERATOR: u64 = 9;
/// Denominator of the time threshold.
pub const TIME_THRESHOLD_DENOMINATOR: u64 = 8;
/// The finest step a timer is trusted with (kGranularity).
pub const GRANULARITY: Duration = Duration::from_millis(1);
/// The round-trip time assumed before the first sample (kInitialRtt).
pub const INITIAL_RTT: Duration = Duration::from_millis(333);
/// A round-trip sample counts for at most this many times what the probe timeout is made of (`docs/protocol.md`
/// section 5).
pub const RTT_GROWTH_MAX: u64 = 8;
/// The probe timeout doubles up to the idle timeout divided by this, or twice its base if that is longer.
pub const PTO_IDLE_DIVISOR: u64 = 8;
/// Ack-eliciting packets sent when the probe timeout fires.
pub const PROBES: u8 = 2;
/// Slots of the sent-packet queue kept free for those probes.
pub const PROBE_SLOTS: usize = 2;

// Congestion control: RFC 9002 section 7, appendix B.

/// The window of a new path, in bytes: ten datagrams, unless those are unusually large.
pub const INITIAL_WINDOW: u64 = min(10 * DATAGRAM_MAX, max(2 * DATAGRAM_MAX, 14_720));
/// The window never falls below this, in bytes (kMinimumWindow).
pub const MINIMUM_WINDOW: u64 = 2 * DATAGRAM_MAX;
/// The window is divided by this at a loss (kLossReductionFactor is one half).
pub const LOSS_REDUCTION_DIVISOR: u64 = 2;
/// Losses spanning this many probe timeouts are persistent congestion (kPersistentCongestionThreshold).
pub const PERSISTENT_CONGESTION_THRESHOLD: u64 = 3;
/// Numerator of the pacing rate, 5/4 of window per smoothed round-trip time (RFC 9002 section 7.7).
pub const PACING_NUMERATOR: u64 = 5;
/// Denominator of the pacing rate.
pub const PACING_DENOMINATOR: u64 = 4;

// Acknowledging: `docs/protocol.md` sections 3 (parameters 2 and 7) and 5.

/// How long an acknowledgement may wait, unless the profile says otherwise.
pub const ACK_DELAY_DEFAULT: Duration = Duration::from_millis(25);
/// The same on a local network.
pub const ACK_DELAY_LAN: Duration = Duration::from_millis(5);
/// The longest acknowledgement delay that a peer may announce.
pub const ACK_DELAY_MAX: Duration = Duration::from_millis(500);
/// Acknowledge every second ack-eliciting packet (RFC 9000 section 13.2.2), unless the peer asks for less.
pub const ACK_STEP_DEFAULT: u8 = 2;
/// The longest step a peer may ask for.
pub const ACK_STEP_MAX: u8 = 64;
/// Packets in order, at the start and after one that was not, that are acknowledged one by one.
pub const ACK_EACH_AFTER_GAP: u8 = 64;
/// Packets in order, without a gap, before a step longer than [`ACK_STEP_DEFAULT`] is used.
pub const ACK_STEP_PROBATION: u8 = 100;
/// Two packets or more that a longer step holds back wait only this fraction of the acknowledgement delay.
pub const ACK_STEP_WAIT_DIVISOR: u64 = 8;

// Flow control and liveness: `docs/protocol.md` sections 3 (parameter 3), 4 and 6.

/// MAX_DATA is due when this fraction of the receive buffer has been freed since the last.
pub const CREDIT_UPDATE_DIVISOR: u64 = 4;
/// DATA_BLOCKED is repeated, and a keepalive sent, after the idle timeout divided by this.
pub const KEEPALIVE_IDLE_DIVISOR: u64 = 3;
/// The idle timeout of a session that asks for nothing else.
pub const IDLE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// The shortest idle timeout that can be negotiated.
pub const IDLE_TIMEOUT_MIN: Duration = Duration::from_secs(1);
/// The longest idle timeout that can be negotiated.
pub const IDLE_TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// Bytes sent to an address that has not proven to be the peer's, for each byte received from there (RFC 9000
/// section 8.1).
pub const UNPROVEN_FACTOR: u64 = 3;
/// Of those, bytes kept for bare challenges: the idle timeout's worth of probes, for otherwise nothing could ever prove
/// the path once all that was sent is lost.
pub const UNPROVEN_RESERVE: u64 = DATAGRAM_MAX;
/// The least that is sent there: a challenge, and an ACK of one range. A first packet of any size pays for it.
pub const UNPROVEN_LEAST: u64 = DATA_OVERHEAD + 9 + 10;
/// Bytes of a Data packet besides its frames.
const DATA_OVERHEAD: u64 = (udp_sec::limits::DATA_HEADER_LEN + udp_sec::limits::TAG_LEN) as u64;
/// The idle timeout is at least this many probe timeouts, a closing session answers for as many, and a new address of
/// the peer's has as many to answer.
pub const PTO_PERIODS: u64 = 3;

/// A fixed-size store or a packet had no room: nothing was written, nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room")
    }
}

impl core::error::Error for Full {}

/// Initiations per second that an endpoint looks into although their source has proven nothing, unless configured
/// otherwise: about a tenth of what a slow processor can do.
pub const UNPROVEN_PER_SECOND: u16 = 100;

const _: () = {
    assert!(UNPROVEN_LEAST <= UNPROVEN_FACTOR * udp_sec::limits::DATA_LEN_MIN as u64);
    assert!(INITIAL_WINDOW == 12_000 && MINIMUM_WINDOW == 2_400);
    assert!(MINIMUM_WINDOW <= INITIAL_WINDOW);
    assert!(
        TIME_THRESHOLD_NUMERATOR > TIME_THRESHOLD_DENOMINATOR,
        "a packet must be given more than one RTT"
    );
    assert!(PACING_NUMERATOR > PACING_DENOMINATOR, "pacing below the window's rate would leave it unused");
    assert!(ACK_DELAY_LAN.as_micros() <= ACK_DELAY_DEFAULT.as_micros());
    assert!(ACK_DELAY_DEFAULT.as_micros() <= ACK_DELAY_MAX.as_micros());
    assert!(
        ACK_DELAY_MAX.as_micros() / ACK_DELAY_UNIT.as_micros() <= u16::MAX as u64,
        "the longest delay must fit the ACK frame's field",
    );
    assert!(1 <= ACK_EACH_AFTER_GAP && ACK_EACH_AFTER_GAP < ACK_STEP_PROBATION);
    assert!(
        1 <= ACK_STEP_DEFAULT && ACK_STEP_DEFAULT < ACK_STEP_PROBATION && ACK_STEP_DEFAULT <= ACK_STEP_MAX
    );
    assert!(PROBE_SLOTS >= PROBES as usize, "a full queue must not keep probes from leaving");
    assert!(
        PACKET_THRESHOLD > ACK_STEP_DEFAULT as u64,
        "an ordinary acknowledgement must not look like a loss"
    );
    assert!(1 <= ACK_RANGES_MAX && ACK_RANGES_MAX <= u8::MAX as usize);
    assert!(CLOSE_REASON_MAX <= u8::MAX as usize);
    assert!(IDLE_TIMEOUT_MIN.as_micros() <= IDLE_TIMEOUT_DEFAULT.as_micros());
    assert!(IDLE_TIMEOUT_DEFAULT.as_micros() <= IDLE_TIMEOUT_MAX.as_micros());
    assert!(
        ACK_DELAY_MAX.as_micros() < IDLE_TIMEOUT_MIN.as_micros(),
        "an acknowledgement that waits must not let the session time out",
    );
};

const fn min(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

const fn max(a: u64, b: u64) -> u64 {
    if a > b { a } else { b }
}
