//! The adapters of `io`: 10 MiB each at 5 % loss, a reader that stalls, and what an end of a session looks like.
#![cfg(any(feature = "embedded-io", feature = "std"))]

#[cfg(feature = "std")]
mod blocking;
#[cfg(all(feature = "embedded-io", feature = "udp"))]
mod embedded;
#[cfg(feature = "std")]
mod hosts;
#[cfg(all(feature = "embedded-io", feature = "udp"))]
#[path = "../mux_contract/network.rs"]
mod network;
#[cfg(feature = "std")]
mod relay;
#[cfg(feature = "tokio")]
mod tasks;
#[cfg(all(feature = "tokio", feature = "tcp"))]
mod tasks_tcp;

/// What each adapter has to move.
const BYTES: usize = 10 << 20;

/// Bytes that look random and differ at every offset, so that a misplaced one shows.
fn pattern(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}
