//! The handshake: one Initiation, one Response, and both sides hold a [`Session`](crate::session::Session).
//!
//! ```text
//! initiator                                             responder
//! Initiator::new ── Initiation (1200) ──> Responder::check_mac1   no Diffie-Hellman before this
//!                                         Responder::read         es, ss: who is it?
//!                                         Incoming::authorize     may it?  then: what does it want?
//! read_response <── Response (1200) ───── Authorized::accept      ee, se: keys
//!      │                                         │
//!   Session ═════════ Data ═════════════════> Session             confirmed by the first Data that opens
//! ```
//! Over a byte stream the same two messages are its first two records, bound to another name, and lead to two
//! [`RecordSession`](crate::session::record::RecordSession)s ([`Initiator::for_records`], [`Responder::read_record`]).
//!
//! Every step consumes the one before it. Timers, repeats and half-open tables belong to the endpoint above.
//! `docs/protocol.md` section 3.

mod carrier;
mod cookie;
mod credentials;
pub mod identity;
mod initiator;
mod mac;
pub mod params;
pub mod proof;
mod responder;

pub use carrier::{Carrier, Datagrams, Records};
pub use cookie::Cookies;
pub use credentials::{Caller, Credentials, PreSharedKeys};
pub use initiator::{Answer, Initiator};
pub use responder::{Accepted, Authorized, CheckedInitiation, Incoming, InitiationId, Responder};

#[cfg(test)]
mod tests;
