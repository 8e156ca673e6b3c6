//! The only files that name a cryptography crate.
//!
//! Public, but hidden: test vectors run against exactly what the handshake and the sessions use. Not part of the API.

pub mod aead;
pub mod dh;
pub mod hash;
pub(crate) mod noise;
pub mod portable;
pub mod resolver;
#[cfg(feature = "ring")]
pub mod ring;
pub(crate) mod stack;
