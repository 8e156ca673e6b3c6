//! BLAKE2s as RFC 7693 and the reference implementation's own test vectors have it.

use super::{PrivateNumbers, constant_time_eq, hash, keyed_hash};
use std::format;
use std::string::String;
use std::vec::Vec;
use zeroize::Zeroizing;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 7693 appendix B.
#[test]
fn hash_of_abc() {
    let expected = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982";
    assert_eq!(hex(&hash(&[b"abc"])), expected);
    assert_eq!(hex(&hash(&[b"a", b"", b"bc"])), expected, "parts are one input");
}

/// Python's `hashlib.blake2s(bytes(range(100)), digest_size=16, key=bytes(range(32)))`.
#[test]
fn keyed_hash_of_a_sequence() {
    let key: [u8; 32] = core::array::from_fn(|i| i as u8);
    let input: Vec<u8> = (0..100).collect();
    assert_eq!(hex(&keyed_hash(&key, &[&input[..64], &input[64..]])), "0b67d33f8b859c3157fbabd9e6e47ed0");
}

#[test]
fn comparison_sees_every_bit() {
    let a = [0x5a; 16];
    assert!(constant_time_eq(&a, &a));
    for bit in 0..128 {
        let mut b = a;
        b[bit / 8] ^= 1 << (bit % 8);
        assert!(!constant_time_eq(&a, &b));
    }
}

#[test]
fn private_numbers_depend_on_the_key_and_do_not_repeat() {
    let mut numbers = PrivateNumbers::new(Zeroizing::new([1; 32]));
    let mut again = numbers.clone();
    let mut others = PrivateNumbers::new(Zeroizing::new([2; 32]));
    let first: Vec<u64> = (0..1000).map(|_| numbers.next()).collect();
    assert_eq!(first, (0..1000).map(|_| again.next()).collect::<Vec<_>>());
    let mut all: Vec<u64> = first.into_iter().chain((0..1000).map(|_| others.next())).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 2000);
}
