//! Errors by who is at fault: [`Reject`] is a datagram that somebody sent us and that we drop and count;
//! [`CloseCode`] is why a session ended or was refused. Misuse by our own caller has its own type at each call.
//!
//! `docs/protocol.md` sections 4 and 7.

use core::fmt;

macro_rules! rejects {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// Why something received was dropped. Each reason has a stable label and a counter.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Reject {
            $($(#[$doc])* $name,)*
        }

        impl Reject {
            /// Every reason, in counter order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable label, `udpsec.reject.…`, for logs and counters.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("udpsec.reject.", $label),)*
                }
            }
        }
    };
}

rejects! {
    /// Unknown version or type, a reserved bit, or a size the type does not have.
    MalformedHeader = "malformed_header",
    /// More than 1200 bytes.
    OversizeDatagram = "oversize_datagram",
    /// An initiation whose `mac1` does not prove knowledge of our static key.
    BadMac1 = "bad_mac1",
    /// Under load, and the initiation carries no valid `mac2`.
    CookieRequired = "cookie_required",
    /// A handshake message that does not open, or whose Diffie-Hellman result is all zero.
    HandshakeFailed = "handshake_failed",
    /// Handshake parameters that are missing, doubled, of wrong length or out of range.
    MalformedParameters = "malformed_parameters",
    /// The peer's static key is not allowed here.
    PeerNotAuthorized = "peer_not_authorized",
    /// An identity proof whose signature or subject is wrong.
    IdentityProofInvalid = "identity_proof_invalid",
    /// The half-open table, or the peer's share of it, is full.
    HalfOpenLimit = "half_open_limit",
    /// The session table is full.
    SessionLimit = "session_limit",
    /// No live entry has this receiver id.
    UnknownSession = "unknown_session",
    /// The packet does not open under the session's keys.
    DecryptFailed = "decrypt_failed",
    /// A packet number seen before, or older than the replay window.
    ReplayOrStalePacketNumber = "replay_or_stale_packet_number",
    /// Data for a handshake that has not produced keys yet.
    UnauthenticatedDataBeforeHandshake = "unauthenticated_data_before_handshake",
    /// An unknown or truncated frame, or a frame with an illegal value.
    MalformedFrame = "malformed_frame",
    /// An acknowledgement of a packet number that was never sent.
    AckOfUnsentPacket = "ack_of_unsent_packet",
    /// Stream data above the credit that was granted.
    FlowControlViolation = "flow_control_violation",
    /// Two different final sizes, or data beyond the final size.
    FinalSizeChanged = "final_size_changed",
    /// Stream data that no reassembly entry is left for; it will be sent again.
    ReassemblyOverflow = "reassembly_overflow",
    /// A key phase flip that the rules of key update do not allow.
    KeyUpdateViolation = "key_update_violation",
    /// A packet for which the path is not validated.
    PathUnvalidated = "path_unvalidated",
    /// The caller's random source failed: nothing leaves.
    EntropyUnavailable = "entropy_unavailable",
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl core::error::Error for Reject {}

macro_rules! close_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why a session ended (CLOSE frame) or an initiation was refused (handshake parameter 8).
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum CloseCode {
            $($(#[$doc])* $name,)*
            /// A code this version does not know.
            Other(u16),
        }

        impl CloseCode {
            /// The code as it stands on the wire.
            #[must_use]
            pub const fn to_wire(self) -> u16 {
                match self { $(Self::$name => $code,)* Self::Other(code) => code }
            }

            /// The code that `wire` stands for.
            #[must_use]
            pub const fn from_wire(wire: u16) -> Self {
                match wire { $($code => Self::$name,)* other => Self::Other(other) }
            }

            /// What a person reads.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Other(_) => "unknown code" }
            }
        }
    };
}

close_codes! {
    /// Both directions are complete.
    NoError = 0, "complete";
    /// The application gave up.
    AppAbort = 1, "aborted by the application";
    /// The responder does not offer this application protocol.
    NoAppProtocol = 2, "no such application protocol";
    /// No AEAD in common.
    NoCommonAead = 3, "no AEAD in common";
    /// No room for another session.
    SessionLimit = 4, "session limit reached";
    /// A key reached the end of its life.
    KeyLimit = 5, "key limit reached";
    /// The version is not spoken here.
    Version = 6, "version not supported";
    /// See [`Reject::MalformedFrame`].
    MalformedFrame = 7, "malformed frame";
    /// See [`Reject::AckOfUnsentPacket`].
    AckOfUnsentPacket = 8, "acknowledgement of an unsent packet";
    /// See [`Reject::FlowControlViolation`].
    FlowControlViolation = 9, "flow control violation";
    /// See [`Reject::FinalSizeChanged`].
    FinalSizeChanged = 10, "final size changed";
    /// See [`Reject::KeyUpdateViolation`].
    KeyUpdateViolation = 11, "key update violation";
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "unknown code {code}"),
            known => f.write_str(known.text()),
        }
    }
}
