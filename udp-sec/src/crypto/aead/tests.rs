//! The vectors of RFC 8439 and of the GCM specification, every changed bit, and `ring` beside RustCrypto.

use super::{Aead, ChaChaKey, PacketKey, nonce};
use std::vec::Vec;

/// RFC 8439 section 2.8.2.
#[test]
fn seals_as_in_the_rfc() {
    let key = core::array::from_fn(|i| 0x80 + i as u8);
    let nonce = [7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47];
    let associated = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
    let plain =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
        sunscreen would be it.";
    let mut text = plain.to_vec();
    let key = ChaChaKey::new(&key);
    let tag = key.seal(&nonce, &associated, &mut text).unwrap();
    assert_eq!(text[..8], [0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb]);
    let expected = 0x1ae1_0b59_4f09_e26a_7e90_2ecb_d060_0691_u128.to_be_bytes();
    assert_eq!(tag, expected);
    assert!(key.open(&nonce, &associated, &mut text, &tag).is_some());
    assert_eq!(text, plain);
}

/// The GCM specification's test case 16: AES-256, 96-bit nonce, associated data.
#[test]
fn aes_seals_as_in_its_specification() {
    if !Aead::Aes256Gcm.is_available() {
        // What a build does not have, it refuses to use.
        let key = PacketKey::new(Aead::Aes256Gcm, &[0; 32]);
        assert!(key.seal(&[0; 12], b"", &mut [0; 4]).is_none());
        assert!(key.open(&[0; 12], b"", &mut [0; 4], &[0; 16]).is_none());
        return;
    }
    let key: [u8; 32] = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let nonce: [u8; 12] = hex("cafebabefacedbaddecaf888");
    let associated: [u8; 20] = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let plain: [u8; 60] = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    let sealed: [u8; 60] = hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
    let key = PacketKey::new(Aead::Aes256Gcm, &key);
    let mut text = plain;
    let tag = key.seal(&nonce, &associated, &mut text).unwrap();
    assert_eq!((text, tag), (sealed, hex("76fc6ece0f4e1768cddf8853bb2d551b")));
    assert!(key.open(&nonce, &associated, &mut text, &tag).is_some());
    assert_eq!(text, plain);
}

/// The bytes of a hexadecimal text.
fn hex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn nonce_is_the_number_behind_four_zeros() {
    assert_eq!(nonce(0x0102_0304_0506_0708), [0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn no_changed_bit_opens() {
    let key = ChaChaKey::new(&[1; 32]);
    let mut sealed = Vec::from(*b"some frames");
    let associated = [3; 16];
    let tag = key.seal(&nonce(5), &associated, &mut sealed).unwrap();
    let open = |number: u64, associated: &[u8; 16], text: &[u8], tag: &[u8; 16]| {
        key.open(&nonce(number), associated, &mut text.to_vec(), tag).is_some()
    };
    assert!(open(5, &associated, &sealed, &tag));
    let flip = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for bit in 0..128 {
        assert!(!open(5, &flip(&associated, bit).try_into().unwrap(), &sealed, &tag));
        assert!(!open(5, &associated, &sealed, &flip(&tag, bit).try_into().unwrap()));
    }
    for bit in 0..8 * sealed.len() {
        assert!(!open(5, &associated, &flip(&sealed, bit), &tag));
    }
    for bit in 0..64 {
        assert!(!open(5 ^ (1 << bit), &associated, &sealed, &tag));
    }
    assert!(!open(5, &associated, &sealed[..10], &tag));
}

/// The feature chooses who computes, never what is on the wire.
#[cfg(feature = "ring")]
#[test]
fn ring_and_rustcrypto_make_the_same_bytes() {
    let all = [Aead::ChaCha20Poly1305, Aead::Aes256Gcm];
    for aead in all.into_iter().take(if cfg!(feature = "aes-gcm") { 2 } else { 1 }) {
        make_the_same_bytes(aead);
    }
}

#[cfg(feature = "ring")]
fn make_the_same_bytes(aead: Aead) {
    use crate::crypto::portable::PortableKey;
    use crate::crypto::ring::RingKey;
    use rand_core::Rng;

    let mut rng = crate::tests::rng(4);
    for len in (0..200).chain([1151, 1152, 1167, 1168]) {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        let (ours, rings) = (PortableKey::new(aead, &key), RingKey::new(aead, &key));
        let number = rng.next_u64();
        let mut associated = [0; 16];
        rng.fill_bytes(&mut associated);
        let mut plain = std::vec![0; len];
        rng.fill_bytes(&mut plain);

        let (mut a, mut b) = (plain.clone(), plain.clone());
        let tag_a = ours.seal(&nonce(number), &associated, &mut a).unwrap();
        let tag_b = rings.seal(&nonce(number), &associated, &mut b).unwrap();
        assert_eq!((&a, tag_a), (&b, tag_b), "{len} bytes");
        assert!(ours.open(&nonce(number), &associated, &mut b, &tag_b).is_some());
        assert!(rings.open(&nonce(number), &associated, &mut a, &tag_a).is_some());
        assert_eq!((&a, &b), (&plain, &plain));

        let bad = core::array::from_fn(|i| tag_a[i] ^ u8::from(i == len % 16));
        let (mut a, mut b) = (plain.clone(), plain.clone());
        assert!(ours.open(&nonce(number), &associated, &mut a, &bad).is_none());
        assert!(rings.open(&nonce(number), &associated, &mut b, &bad).is_none());
    }
}
