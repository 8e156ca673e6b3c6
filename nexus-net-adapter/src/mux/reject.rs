//! [`MuxReject`]: what the contract refuses, by its stable label.

use core::fmt;

macro_rules! rejects {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// A violation of the contract: by the peer, which costs it the session, or by our own caller, which costs
        /// it the call.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum MuxReject {
            $($(#[$doc])* $name,)*
        }

        impl MuxReject {
            /// Every violation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable label, `mux.reject.…`, for logs and counters.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("mux.reject.", $label),)*
                }
            }
        }
    };
}

rejects! {
    /// A frame whose payload is longer than 32 KiB.
    FrameOversize = "frame_oversize",
    /// Something that the state of the stream does not allow: data after the end, a second end, an end after a
    /// reset, an answer to nothing, an id that is in use.
    InvalidStreamStateTransition = "invalid_stream_state_transition",
    /// More data than was granted, or more credit than 32 bits hold.
    WindowCreditOverflowOrUnderflow = "window_credit_overflow_or_underflow",
    /// A frame for a stream that was never opened, or no frame of this version at all.
    UnknownStreamFrame = "unknown_stream_frame",
    /// The peer of the stream below has not proven who it is.
    UnauthenticatedSession = "unauthenticated_session",
    /// More streams than there may be at once.
    StreamLimitExceeded = "stream_limit_exceeded",
    /// The name of a stream that is open.
    DuplicateStreamName = "duplicate_stream_name",
    /// A name that is empty, longer than 64 bytes, or not UTF-8.
    InvalidStreamName = "invalid_stream_name",
}

impl fmt::Display for MuxReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl core::error::Error for MuxReject {}
