//! RFC 7748's vectors, and the points that no handshake may use.

use super::{public_key, shared_secret};
use core::cell::Cell;

pub(crate) mod low_order;

std::thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// An X25519 is computed.
pub(super) fn count() {
    COUNT.set(COUNT.get() + 1);
}

/// How many X25519 `work` computes, and what it returns.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (u32, T) {
    let before = COUNT.get();
    let result = work();
    (COUNT.get() - before, result)
}

fn bytes(hex: &str) -> [u8; 32] {
    core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

/// RFC 7748 section 6.1.
#[test]
fn alice_and_bob() {
    let alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let shared = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_eq!(public_key(&alice), bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    assert_eq!(public_key(&bob), bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    assert_eq!(shared_secret(&alice, &public_key(&bob)).as_deref(), Some(&shared));
    assert_eq!(shared_secret(&bob, &public_key(&alice)).as_deref(), Some(&shared));
}

#[test]
fn every_low_order_point_is_refused() {
    let secret = *crate::tests::keypair(1).secret();
    let mut points = 0;
    for point in low_order::points() {
        assert!(shared_secret(&secret, &point).is_none(), "{point:02x?}");
        points += 1;
    }
    assert_eq!(points, 14);
}
