//! Mux v2: up to 128 streams with names, priorities and back-pressure over one [`ReliableStream`].
//!
//! ```text
//! open, write, read, close        poll_event
//!            │                        ▲
//!            ▼                        │
//!    Engine: streams, credit, turns, keepalive      bytes in, bytes out, ticks in
//!            ▲ frame: the wire form
//!            ▼
//!    Pump ◄──► ReliableStream                       all that is known of what lies below
//! ```
//! | module | concept |
//! | --- | --- |
//! | [`frame`] | eight kinds of frames, as bytes and as events; usable without the engine |
//! | [`stream`] | the states of a stream |
//! | [`credit`] | when the peer may send more |
//! | [`scheduler`] | whose turn it is |
//! | [`keepalive`] | whether the peer is there |
//! | [`engine`] | all of it for one session, without I/O |
//! | [`pump`] | an engine on a stream |
//! | [`records`] | records on numbered channels, each channel a stream |
//!
//! Only an authenticated peer gets this far: an [`Engine`] is made from a
//! [`PeerIdentity`](crate::stream::PeerIdentity), which only a completed handshake can make, and a [`Pump`] takes no
//! stream without one. The contract is in `docs/mux.md`.
//!
//! Two engines, and a line from one to the other:
//! ```
//! use nexus_net_adapter::mux::{Engine, Event, PriorityClass, Side, StreamName};
//! use nexus_net_adapter::stream::PeerIdentity;
//! use udp_sec::keys::PublicKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // On a network, `Pump::begin` knows the peer. Four streams of 4 KiB, each with 1 KiB of credit at first.
//! let peer = PeerIdentity::unproven_for_tests(PublicKey::from_bytes([7; 32]));
//! let mut alice = Engine::<_, 4, 4096, 1024>::new(Side::Initiator, peer, [0; 4 * 4096]);
//! let mut bob = Engine::<_, 4, 4096, 1024>::new(Side::Responder, peer, [0; 4 * 4096]);
//!
//! let stream = alice.open(PriorityClass::HIGHEST, StreamName::new("greeting")?)?;
//! alice.write(stream, b"hello, bob")?;
//! alice.close(stream)?;
//!
//! // What one has to say, the other hears, until both are silent. On a network, `Pump::run` does this.
//! let mut wire = [0; 512];
//! while alice.has_output() || bob.has_output() {
//!     let len = alice.transmit(&mut wire, 512);
//!     bob.receive(&wire[..len])?;
//!     let len = bob.transmit(&mut wire, 512);
//!     alice.receive(&wire[..len])?;
//! }
//!
//! let Some(Event::Opened { stream, name, .. }) = bob.poll_event() else { panic!("alice opened a stream") };
//! assert_eq!(name.as_str(), "greeting");
//! let mut line = [0; 64];
//! let len = bob.read(stream, &mut line)?;
//! assert_eq!(&line[..len], b"hello, bob");
//! assert_eq!(bob.read(stream, &mut line)?, 0);
//! # Ok(())
//! # }
//! ```
//!
//! [`ReliableStream`]: crate::stream::ReliableStream

pub mod credit;
pub mod engine;
pub mod frame;
mod id;
mod ids;
pub mod keepalive;
pub mod limits;
pub mod pump;
pub mod records;
mod reject;
mod ring;
pub mod scheduler;
mod slot;
pub mod stream;
mod table;

pub use engine::{End, Engine, Event, MuxError};
pub use id::{PriorityClass, ResetCode, Side, StreamId, StreamName, WindowCredit};
pub use pump::{Progress, Pump};
pub use reject::MuxReject;
pub use stream::StreamState;

#[cfg(test)]
mod tests;
