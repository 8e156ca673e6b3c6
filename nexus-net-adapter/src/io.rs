//! The stream traits that others have written code for, over any [`ReliableStream`](crate::stream::ReliableStream).
//!
//! | type | over | implements | with feature |
//! | --- | --- | --- | --- |
//! | [`BlockingIo`] | any `ReliableStream` | `std::io::{Read, Write}` | `std` |
//! | [`BlockingIo`] | any `ReliableStream` | `embedded_io::{Read, Write, ReadReady, WriteReady}` | `embedded-io` |
//! | [`AsyncIo`] | any `PollReady` | `tokio::io::{AsyncRead, AsyncWrite}` | `tokio` |
//! | [`AsyncIo`] | any `PollReady` | `embedded_io_async::{Read, Write}` | `embedded-io` |
//!
//! Nothing is copied into a buffer of their own, so back-pressure is that of the stream. What they cannot say in their
//! traits' terms stays at the stream, which each of them gives out. `docs/adapters.md` tells what differs from TCP: above
//! all, that to drop a stream is to abort it.

mod blocking;
#[cfg(feature = "std")]
mod error;
#[cfg(any(feature = "tokio", feature = "embedded-io"))]
mod tasks;

pub use blocking::BlockingIo;
#[cfg(any(feature = "tokio", feature = "embedded-io"))]
pub use tasks::AsyncIo;
