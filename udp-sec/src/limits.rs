//! Every constant of this crate: what the protocol fixes, and the bounds that follow from it.
//!
//! `docs/protocol.md` sections 1, 2 and 3. Relations between the numbers are asserted at compile time at the end.

use crate::time::Duration;

/// The version in the first byte of every datagram.
pub const VERSION: u8 = 1;

/// The largest UDP payload that leaves, and the largest that is looked at. Bytes.
pub const DATAGRAM_MAX: usize = 1200;

/// An authentication tag of ChaCha20-Poly1305 (and of AES-256-GCM). Bytes.
pub const TAG_LEN: usize = 16;

/// An X25519 key, public or secret. Bytes.
pub const KEY_LEN: usize = 32;

// Datagrams: `docs/protocol.md` section 2.

/// An Initiation. Bytes.
pub const INITIATION_LEN: usize = 1200;
/// A Response. Bytes: never more than the Initiation that asked for it.
pub const RESPONSE_LEN: usize = 1200;
/// A CookieReply. Bytes.
pub const COOKIE_REPLY_LEN: usize = 68;
/// The header of a Data packet, which is its associated data. Bytes.
pub const DATA_HEADER_LEN: usize = 16;
/// The shortest Data packet: the header, one byte of frames, the tag. Bytes.
pub const DATA_LEN_MIN: usize = DATA_HEADER_LEN + 1 + TAG_LEN;
/// The most bytes of frames in one Data packet.
pub const FRAMES_MAX: usize = DATAGRAM_MAX - DATA_HEADER_LEN - TAG_LEN;

/// `ver`, `typ`, `flags`, `rsv` and the sender's or receiver's id. Bytes.
pub const PREFIX_LEN: usize = 12;
/// `mac1` and `mac2` of an Initiation. Bytes each.
pub const MAC_LEN: usize = 16;
/// Noise message 1: e, encrypted s, encrypted payload. Bytes.
pub const NOISE_INITIATION_LEN: usize = KEY_LEN + (KEY_LEN + TAG_LEN) + INITIATION_PAYLOAD_LEN + TAG_LEN;
/// Noise message 2: e, encrypted payload. Bytes.
pub const NOISE_RESPONSE_LEN: usize = KEY_LEN + RESPONSE_PAYLOAD_LEN + TAG_LEN;
/// Parameters in an Initiation, padding included. Bytes.
pub const INITIATION_PAYLOAD_LEN: usize = 1060;
/// Parameters in a Response, padding included. Bytes.
pub const RESPONSE_PAYLOAD_LEN: usize = 1140;
/// The nonce of an AEAD. Bytes.
pub const NONCE_LEN: usize = 12;

// Handshake parameters: `docs/protocol.md` section 3.

/// The largest initial credit. Bytes of stream: every offset stays below it too.
pub const INITIAL_CREDIT_MAX: u64 = 1 << 62;
/// The largest acknowledgement delay that may be announced.
pub const MAX_ACK_DELAY_MAX: Duration = Duration::from_millis(500);
/// The shortest idle timeout that may be announced.
pub const IDLE_TIMEOUT_MIN: Duration = Duration::from_secs(1);
/// The longest idle timeout that may be announced.
pub const IDLE_TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// The longest name of an application protocol. Bytes.
pub const APPLICATION_PROTOCOL_MAX: usize = 32;
/// The acknowledgement step of a peer that names none: every second ack-eliciting packet (RFC 9000 section 13.2.2).
pub const ACK_STEP_DEFAULT: u8 = 2;
/// The largest acknowledgement step.
pub const ACK_STEP_MAX: u8 = 64;

/// The longest name of a device in an identity proof. Bytes.
pub const DEVICE_ID_MAX: usize = 64;
/// An Ed25519 signature. Bytes.
pub const SIGNATURE_LEN: usize = 64;
/// The longest identity proof: the name with its length, the Ed25519 key, the signature. Bytes.
pub const PROOF_MAX: usize = 1 + DEVICE_ID_MAX + KEY_LEN + SIGNATURE_LEN;
/// The longest statement that an identity proof signs: the label, the role, the static key, the name with its length.
/// Bytes.
pub const STATEMENT_MAX: usize = 19 + 1 + KEY_LEN + 1 + DEVICE_ID_MAX;

// Handshake timing: `docs/protocol.md` section 3, "Repeats" and "Half-open entry".

/// From the first Initiation to its first repeat; doubled after each repeat.
pub const RETRY_FIRST: Duration = Duration::from_millis(250);
/// The longest pause between two Initiations.
pub const RETRY_MAX: Duration = Duration::from_secs(2);
/// How long a handshake may take before it ends as a timeout.
pub const HANDSHAKE_BUDGET: Duration = Duration::from_secs(30);
/// The same, where falling back to another transport is allowed.
pub const HANDSHAKE_BUDGET_WITH_FALLBACK: Duration = Duration::from_secs(5);
/// How long a half-open entry lives; repeats do not extend it.
pub const HALF_OPEN_LIFE: Duration = Duration::from_secs(30);
/// Half-open entries for each static key.
pub const HALF_OPEN_PER_KEY: usize = 4;
/// The age at which the oldest half-open entry of a key gives way to a further one of the same key.
pub const HALF_OPEN_REPLACE_AGE: Duration = Duration::from_secs(3);

// Cookies: `docs/protocol.md` section 3, "Under load".

/// How long a cookie secret is in use; the one before it stays good for as long again.
pub const COOKIE_LIFE: Duration = Duration::from_secs(120);

// Replay window: `docs/protocol.md` section 2.

/// The smallest replay window. Words of 64 packet numbers.
pub const REPLAY_WORDS_MIN: usize = 4;
/// The largest replay window: 8192 packet numbers. Words of 64 packet numbers.
pub const REPLAY_WORDS_MAX: usize = 128;

// Life of a key: `docs/protocol.md` section 3, "Key update".

/// Packets after which a key gives way to the next one.
pub const KEY_UPDATE_PACKETS: u64 = 1 << 20;
/// The age at which it does.
pub const KEY_UPDATE_AGE: Duration = Duration::from_secs(120);
/// Packets that one key of ChaCha20-Poly1305 may seal.
pub const KEY_SEALED_MAX: u64 = 1 << 32;
/// Packets that one key of AES-256-GCM may seal.
pub const KEY_SEALED_MAX_AES: u64 = 1 << 27;
/// Packets kept back below these, so that a session at its limit can still say CLOSE(KEY_LIMIT).
pub const KEY_SEALED_RESERVE: u64 = 1 << 10;
/// Openings that may fail in the life of a session (RFC 9001 section 6.6).
pub const KEY_FAILED_MAX: u64 = 1 << 36;

// Records of a byte stream: `docs/tcp.md`.

/// The most bytes that one record seals.
pub const RECORD_TEXT_MAX: usize = 16 * 1024;
/// The shortest sealed record: one byte and the tag. Bytes.
pub const RECORD_LEN_MIN: usize = 1 + TAG_LEN;
/// The longest sealed record. Bytes.
pub const RECORD_LEN_MAX: usize = RECORD_TEXT_MAX + TAG_LEN;
/// Records that one key seals before the next key takes over. 16 GiB at most, far below any bound of the cipher.
pub const RECORDS_PER_KEY: u64 = 1 << 20;

const _: () = {
    assert!(INITIATION_LEN <= RECORD_LEN_MAX && RESPONSE_LEN <= RECORD_LEN_MAX);
    assert!(RECORD_LEN_MAX <= u16::MAX as usize && RECORDS_PER_KEY.is_power_of_two());
    assert!(PREFIX_LEN + NOISE_INITIATION_LEN + 2 * MAC_LEN == INITIATION_LEN);
    assert!(PREFIX_LEN + NOISE_RESPONSE_LEN == RESPONSE_LEN);
    assert!(INITIATION_LEN <= DATAGRAM_MAX && RESPONSE_LEN <= INITIATION_LEN);
    assert!(COOKIE_REPLY_LEN == PREFIX_LEN + 24 + 16 + TAG_LEN);
    assert!(DATA_LEN_MIN == 33 && FRAMES_MAX == 1168);
    assert!(REPLAY_WORDS_MIN.is_power_of_two() && REPLAY_WORDS_MAX.is_power_of_two());
    assert!(REPLAY_WORDS_MIN < REPLAY_WORDS_MAX);
    assert!(KEY_SEALED_MAX_AES < KEY_SEALED_MAX && KEY_SEALED_RESERVE < KEY_SEALED_MAX_AES);
    assert!(KEY_UPDATE_PACKETS < KEY_SEALED_MAX_AES - KEY_SEALED_RESERVE);
    assert!(RETRY_FIRST.as_micros() < RETRY_MAX.as_micros());
    assert!(RETRY_MAX.as_micros() < HANDSHAKE_BUDGET_WITH_FALLBACK.as_micros());
    assert!(HANDSHAKE_BUDGET_WITH_FALLBACK.as_micros() < HANDSHAKE_BUDGET.as_micros());
    assert!(HANDSHAKE_BUDGET.as_micros() <= HALF_OPEN_LIFE.as_micros());
};
