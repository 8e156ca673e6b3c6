//! The two programs of a QEMU run: a connector that climbs, one rung after the other, and a listener that holds the
//! ladder. Each rung is something that has been proven by then; the runs are judged by them.
//!
//! ```text
//!  Connector ──► Mux ◄──► Pump ◄──► any ReliableStream ◄──► Pump ◄──► Mux ◄── Listener
//!      │                                                                          │
//!  SessionUp, Data, Control, Bulk, Backpressure                    digests, answers, a stall
//! ```
//! | rung | has happened |
//! | --- | --- |
//! | [`SessionUp`](Rung::SessionUp) | the peer has accepted a stream |
//! | [`Data`](Rung::Data) | a few KiB arrived: the peer's SHA-256 and count are ours |
//! | [`Control`](Rung::Control) | requests on class 0 were answered, each with its own digest |
//! | [`Bulk`](Rung::Bulk) | the bulk of the run arrived, likewise |
//! | [`Backpressure`](Rung::Backpressure) | a reader that stalled stopped the writer; once it read, all arrived |
//!
//! Nothing here allocates, waits by itself or knows what carries the bytes: a caller alternates between `step` and
//! [`Session::turn`]. So the same programs run in one guest, between two guests, and on a host (`ladder-host`, with
//! the feature `host`). [`settings`] is what a run is told, [`markers`] what it says.
#![no_std]
#![forbid(unsafe_code)]

pub mod climb;
pub mod connector;
pub mod listener;
pub mod markers;
mod pattern;
pub mod settings;
mod transfer;

use core::fmt;

use nexus_net_adapter::mux::{Engine, MuxError, ResetCode};
use sha2::{Digest, Sha256};

pub use climb::{Broken, Session};
pub use connector::{Connector, Plan, Rung};
pub use listener::Listener;
pub use settings::{Role, Settings};

/// The application protocol that both ends name in their handshakes.
pub const APPLICATION: &[u8] = b"ladder/1";

/// Streams of a session.
pub const STREAMS: usize = 8;
/// Memory of a stream, in bytes.
pub const STREAM_BYTES: usize = 64 * 1024;
/// Memory of all streams, in bytes.
pub const MUX_MEMORY: usize = STREAMS * STREAM_BYTES;
/// What a stream's peer may send at first: as much as the memory for receiving holds.
pub const CREDIT: u32 = 48 * 1024;

/// The multiplexer of both ends, in memory that is lent.
pub type Mux<'m> = Engine<&'m mut [u8], STREAMS, STREAM_BYTES, CREDIT>;

/// Bytes of a request on the control stream.
pub const REQUEST_LEN: usize = 64;
/// Bytes of its answer: the SHA-256 of the request.
pub const ANSWER_LEN: usize = 32;
/// Bytes of a receipt: how many bytes came (`u64`, little-endian), and their SHA-256.
pub const RECEIPT_LEN: usize = 8 + ANSWER_LEN;

/// The stream of requests and answers.
const CONTROL: &str = "control";
/// The stream that is not read until a request begins with [`RESUME`].
const STALLED: &str = "stalled";
const RESUME: &[u8] = b"resume";

/// Why a climb ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// A call that should have worked did not.
    Mux(MuxError),
    /// The peer has given a stream up.
    Reset(ResetCode),
    /// What the peer says it received is not what was sent.
    Mismatch(&'static str),
    /// The peer opened a stream that nobody serves.
    UnknownStream,
}

impl From<MuxError> for Failure {
    fn from(error: MuxError) -> Self {
        Self::Mux(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mux(error) => error.fmt(f),
            Self::Reset(code) => write!(f, "the peer reset a stream with code {}", code.0),
            Self::Mismatch(what) => write!(f, "what arrived of {what} is not what was sent"),
            Self::UnknownStream => f.write_str("the peer opened a stream that nobody serves"),
        }
    }
}

impl core::error::Error for Failure {}

/// What `result` holds, or `None` where the call has to be repeated later.
fn unless_blocked<T>(result: Result<T, MuxError>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(MuxError::WouldBlock { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn receipt(count: u64, hasher: Sha256) -> [u8; RECEIPT_LEN] {
    let mut receipt = [0; RECEIPT_LEN];
    let fields = count.to_le_bytes().into_iter().chain(hasher.finalize());
    receipt.iter_mut().zip(fields).for_each(|(room, byte)| *room = byte);
    receipt
}

#[cfg(test)]
extern crate std;
#[cfg(test)]
mod tests;
