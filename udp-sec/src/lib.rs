//! Authenticated packets: the Noise IK handshake, and the datagrams it protects.
//!
//! ```text
//!                    ┌───────────────── udp-sec ─────────────────┐
//!  Initiation  ────> │ wire ──> handshake ──> Session            │
//!  Response    <──── │          (snow over    seal / open        │ ──> Authenticated<'_>: frames,
//!  Data       <────> │           crypto)      in place           │     for udp-sec-recovery
//!                    └───────────────────────────────────────────┘
//! ```
//! This crate knows no sockets, no clocks and no streams. Datagrams are slices, randomness comes from the caller, and
//! the same inputs give the same bytes. It allocates only while a handshake runs. What is dropped is a
//! [`Reject`](error::Reject), never a panic.
//!
//! Reading order: [`limits`] (all the numbers), [`wire`] (bytes to types), [`handshake`] (the straight line from two
//! keypairs to two sessions), [`session`] (seal, open, replay window). [`keys`], [`packet_number`], [`time`],
//! [`error`] and [`stats`] are what these stand on. The protocol itself is `docs/protocol.md`, sections 2 and 3.
//!
//! # One handshake, one sealed message
//!
//! ```
//! use udp_sec::handshake::identity::AllowList;
//! use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
//! use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
//! use udp_sec::keys::StaticKeypair;
//! # use rand_core::SeedableRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut rng = chacha20::ChaCha20Rng::from_seed([7; 32]);
//! // `rng` is any cryptographic random source. Each side knows the other's public key from elsewhere.
//! let alice = StaticKeypair::generate(&mut rng)?;
//! let bob = StaticKeypair::generate(&mut rng)?;
//! let mut allowed = AllowList::<1>::new();
//! allowed.add(*alice.public())?;
//! let parameters = Parameters::new(ApplicationProtocol::new(b"example/1")?, 65_536);
//!
//! // Alice calls; ids are random in earnest.
//! let initiator = Initiator::new(&alice, bob.public(), 0xa11ce, &parameters, &mut rng)?;
//! let initiation = initiator.datagram(); // 1200 bytes, to Bob
//!
//! // Bob looks, asks, answers.
//! let responder = Responder::new(bob);
//! let checked = responder.check_mac1(initiation)?;
//! let authorized = responder.read(checked, &mut rng)?.authorize(&allowed)?;
//! let Accepted::HalfOpen { response, session: mut bobs, .. } = authorized.accept(0xb0b, &parameters)? else {
//!     panic!("refused")
//! };
//!
//! // Alice reads the 1200 bytes of the answer, and both have a session.
//! let Answer::Established { session: mut alices, .. } = initiator.read_response(&response) else {
//!     panic!("no session")
//! };
//!
//! // A packet: room for the header, the frames, room for the tag. Sealed and opened where it lies.
//! let mut datagram = [&[0; 16][..], b"hello", &[0; 16]].concat();
//! alices.seal(&mut datagram)?;
//! let mut replay_window = [0; 128];
//! let opened = bobs.open(&mut replay_window, &mut datagram)?;
//! assert_eq!((opened.packet_number(), opened.frames()), (0, &b"hello"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! `ring`: Data packets are sealed and opened by `ring` instead of RustCrypto, for hosts. The wire is the same.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[doc(hidden)]
pub mod crypto;
pub mod error;
pub mod handshake;
pub mod keys;
pub mod limits;
pub mod packet_number;
pub mod session;
pub mod stats;
pub mod time;
pub mod wire;

#[cfg(test)]
mod tests;
