//! Panics of ours that stay in the image, each with the reason why it cannot happen, or why it may.

use crate::origin::Origin;

/// A panic that is known.
pub(crate) struct Exception {
    /// The end of the path of its file.
    pub(crate) file: &'static str,
    /// What is called.
    pub(crate) panic: &'static str,
    /// Why it stays.
    #[expect(dead_code, reason = "for those who read this file")]
    pub(crate) reason: &'static str,
}

impl Exception {
    pub(crate) fn covers(&self, origin: &Origin) -> bool {
        origin.file.ends_with(self.file) && origin.panic.contains(self.panic)
    }
}

/// All of them.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        file: "nexus-net-adapter/src/backend/memory.rs",
        panic: "core::cell::panic_already",
        reason: QUEUE,
    },
    Exception {
        file: "nexus-net-adapter/src/backend/smoltcp/listener.rs",
        panic: "core::cell::panic_already",
        reason: TABLE,
    },
    Exception { file: "udp-sec/src/crypto/hash.rs", panic: "handle_alloc_error", reason: HEAP },
    Exception { file: "udp-sec/src/crypto/noise.rs", panic: "handle_alloc_error", reason: HEAP },
    Exception { file: "udp-sec/src/crypto/noise.rs", panic: "alloc::raw_vec::handle_error", reason: HEAP },
    Exception { file: "udp-sec/src/handshake/initiator.rs", panic: "handle_alloc_error", reason: HEAP },
    Exception { file: "udp-sec/src/crypto/resolver.rs", panic: "handle_alloc_error", reason: HEAP },
    Exception { file: "udp-sec/src/session/mod.rs", panic: "handle_alloc_error", reason: HEAP },
    Exception { file: "udp-sec/src/session/record.rs", panic: "handle_alloc_error", reason: HEAP },
    Exception {
        file: "nexus-net-adapter/src/udp/local.rs",
        panic: "core::cell::panic_already",
        reason: ENDPOINT,
    },
    Exception {
        file: "nexus-net-adapter/src/backend/smoltcp/stack.rs",
        panic: "core::cell::panic_already",
        reason: TABLE,
    },
    Exception {
        file: "nexus-net-adapter/src/backend/smoltcp/tcp.rs",
        panic: "core::cell::panic_already",
        reason: TABLE,
    },
    Exception {
        file: "nexus-net-adapter/src/backend/smoltcp/udp.rs",
        panic: "core::cell::panic_already",
        reason: TABLE,
    },
];

const QUEUE: &str =
    "The cell is borrowed for one operation on the queue, and not while a datagram is delivered.";
const HEAP: &str = "The allocator has nothing left. What handshakes and sessions take is bounded by the endpoint's tables \
                    (docs/security.md, \"Secrets in memory\"), so an embedder that sets that aside never sees it.";
const ENDPOINT: &str = "The cell is borrowed for one call. Foreign code runs inside of `look` and `Clock::observe` only, \
                        whose documentation says to leave the endpoint alone meanwhile.";
const TABLE: &str = "The cell is borrowed within one function at a time, none of which runs foreign code.";
