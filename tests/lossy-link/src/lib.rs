//! A link that loses packets, in virtual time: the network under every test of this workspace.
//!
//! ```text
//!            Link (one direction)
//! send ──> drop-tail queue ──> serialisation ──> wire: blackout, loss, corruption ──> delay ──> poll
//!          (full: dropped)     (rate)                  duplication                   (+ jitter, reordering)
//! ```
//!
//! Nothing here does I/O, reads a clock or asks a system for randomness: `now` is an argument, and the
//! same seed, configuration and calls give the same trace on every platform. What a datagram holds is of
//! no interest to a [`Link`]; a tag of the carrier's choice travels beside it. [`Path`] joins two links
//! and a NAT into the network between one client and one server. Two programs put the same
//! engine between real UDP sockets: `lossy-link` relays datagrams, `ether-relay` Ethernet frames of virtual machines.
//!
//! Reading order: [`config`] (what a link does to its packets), [`link`], [`path`].
//!
//! ```
//! use lossy_link::{ErrorModel, Link, LinkConfig};
//! use udp_sec::time::{Duration, Instant};
//!
//! let config = LinkConfig::default().delay(Duration::from_millis(10)).loss(ErrorModel::random(50_000));
//! let mut link = Link::new(config, 7);
//! let mut arrived = 0;
//! for _ in 0..1_000 {
//!     link.send(Instant::ZERO, (), &b"hello"[..]);
//! }
//! while let Some(at) = link.next_delivery() {
//!     assert_eq!(at, Instant::from_micros(10_000));
//!     arrived += u64::from(link.poll(at).is_some());
//! }
//! assert_eq!(arrived + link.counters().lost, 1_000);
//! assert!((30..70).contains(&link.counters().lost)); // 5 % of 1000, within 3 standard deviations
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "relay")]
extern crate std;

pub mod config;
pub mod counters;
#[cfg(feature = "relay")]
pub mod host;
pub mod link;
pub mod path;

mod errors;
mod random;
mod transmitter;

pub use config::{ErrorModel, LinkConfig};
pub use counters::Counters;
pub use link::{Delivery, Link};
pub use path::{Arrival, End, Path};
pub use random::direction_seeds;
