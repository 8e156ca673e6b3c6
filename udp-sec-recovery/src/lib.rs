//! One reliable byte stream per udp-sec session: acknowledgements, loss recovery, congestion control, flow control.
//!
//! ```text
//!                    ┌──────────────────── udp-sec-recovery ────────────────────┐
//!  datagrams ──────> │ endpoint ──> connection ──> recv: reassembly, ack policy │ ──> read()
//!  passing of time ─>│ (handshakes, (ingress,      send: buffer, loss, NewReno, │ <── write()
//!  Output      <──── │  many        egress)              pacer                  │ ──> Event
//!                    │  sessions)                                               │
//!                    └──────────────────────────────────────────────────────────┘
//! ```
//! This crate knows no sockets and no clocks, allocates nothing, and every queue in it has a bound: what depends on a
//! capacity profile lies in memory that the caller lends ([`memory`]). The same inputs give the same outputs.
//!
//! Reading order: [`endpoint`] (the loop that a caller runs), [`connection`] (one session's stream), [`frame`] (what
//! packets say), then the parts: [`send`] and [`recv`]. [`limits`] has all the numbers. `docs/recovery.md` maps the
//! rules of RFC 9002 to files and tests; the protocol is `docs/protocol.md`, sections 4 to 6.
//!
//! # Two endpoints in memory
//!
//! ```
//! use udp_sec::handshake::identity::AllowList;
//! use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
//! use udp_sec::keys::StaticKeypair;
//! use udp_sec::time::{Duration, Instant};
//! use udp_sec_recovery::connection::Path;
//! use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool, Output, Tables};
//! use udp_sec_recovery::event::Event;
//! use udp_sec_recovery::memory::Small;
//! # use rand_core::SeedableRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut rng = chacha20::ChaCha20Rng::from_seed([7; 32]);
//! // At most two sessions and two handshakes at a time, 8 KiB each way.
//! type Device = Endpoint<InlinePool<Small, 2>, AllowList<1>, 2, 2>;
//!
//! let keys = [StaticKeypair::generate(&mut rng)?, StaticKeypair::generate(&mut rng)?];
//! let device = |own: usize, peer: usize| -> Result<Device, Box<dyn std::error::Error>> {
//!     let parameters = Parameters::new(ApplicationProtocol::new(b"example/1")?, 0);
//!     let mut allowed = AllowList::new();
//!     allowed.add(*keys[peer].public())?;
//!     let config = Config::new(keys[own].clone(), parameters);
//!     // On the heap; a device lends a static.
//!     Ok(Endpoint::new(config, Box::<Tables<2, 2>>::default(), InlinePool::new(), allowed))
//! };
//! let mut devices = [device(0, 1)?, device(1, 0)?];
//! let paths = [Path::to("192.0.2.1:4433".parse()?), Path::to("192.0.2.2:4433".parse()?)];
//!
//! let mut now = Instant::ZERO;
//! let call = devices[0].connect(now, &mut rng, paths[1], keys[1].public())?;
//! let mut received = Vec::new();
//! let mut buffer = [0; 1200];
//!
//! // Each turn, both ends say what they have to say, and a millisecond passes.
//! while received != b"hello" {
//!     for end in [0, 1] {
//!         devices[end].handle_timeout(now);
//!         loop {
//!             match devices[end].poll_output(now, &mut buffer) {
//!                 Output::Transmit(datagram) => {
//!                     let bytes = &mut buffer[..datagram.len];
//!                     devices[1 - end].handle_datagram(now, &mut rng, paths[end], bytes);
//!                 }
//!                 Output::Event(id, Event::Established) if id == call => {
//!                     devices[end].session(id).expect("established").write(b"hello").expect("open");
//!                 }
//!                 Output::Event(id, Event::Readable) => {
//!                     let mut bytes = [0; 64];
//!                     let count = devices[end].session(id).expect("established").read(&mut bytes).expect("open");
//!                     received.extend_from_slice(&bytes[..count]);
//!                 }
//!                 Output::Event(..) => {}
//!                 Output::Wait(_) => break,
//!             }
//!         }
//!     }
//!     now += Duration::from_millis(1);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! `ring`: passed on to `udp-sec`, which then protects packets by `ring`. The wire is the same.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod connection;
pub mod endpoint;
pub mod event;
pub mod frame;
pub mod home;
pub mod limits;
pub mod memory;
pub mod recv;
pub mod ring;
pub mod send;
pub mod span;
pub mod stats;

extern crate alloc;
#[cfg(test)]
extern crate std;
