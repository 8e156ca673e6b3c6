//! Keypairs follow RFC 7748, and equality, order and hash agree.

use super::{PublicKey, StaticKeypair};
use std::collections::HashSet;

fn bytes(hex: &str) -> [u8; 32] {
    core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

/// RFC 7748 section 6.1: Alice.
#[test]
fn public_key_of_the_rfc() {
    let secret = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let public = bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let alice = StaticKeypair::from_secret(secret);
    assert_eq!(alice.public(), &PublicKey::from_bytes(public));
    assert_eq!(alice.secret(), &secret);
}

#[test]
fn equality_order_and_hash_are_by_bytes() {
    let (mut low, mut high) = ([0; 32], [0; 32]);
    low[31] = 9;
    high[0] = 1;
    let (low, high) = (PublicKey::from_bytes(low), PublicKey::from_bytes(high));
    assert!(low < high && low != high && low == PublicKey::from_bytes(*low.as_bytes()));
    let set: HashSet<_> = [low, high, low].into_iter().collect();
    assert_eq!(set.len(), 2);
}
