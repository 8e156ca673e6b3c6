//! Project Wycheproof's vectors through udp-sec's own X25519, ChaCha20-Poly1305 and AES-256-GCM.

use udp_sec::crypto::aead::{Aead, PacketKey};
use udp_sec::crypto::dh::shared_secret;
use udp_sec::crypto::portable::PortableKey;
use wycheproof::{TestResult, aead, xdh};

#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut checked, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let secret = test.private_key[..].try_into().unwrap();
        let public = test.public_key[..].try_into().unwrap();
        let expected: [u8; 32] = test.shared_secret[..].try_into().unwrap();
        // The only difference between us and the plain function: an all-zero result is none.
        let zero = test.flags.contains(&xdh::TestFlag::ZeroSharedSecret);
        assert_eq!(zero, expected == [0; 32], "test {}", test.tc_id);
        assert_eq!(
            shared_secret(&secret, &public).map(|shared| *shared),
            (!zero).then_some(expected),
            "test {}: {}",
            test.tc_id,
            test.comment
        );
        checked += 1;
        refused += usize::from(zero);
    }
    println!("X25519: {checked} vectors, {refused} of them refused");
    assert_eq!((checked, refused), (518, 31));
}

/// Seals and opens `test`; the two functions stand for one of our keys.
fn check(
    test: &aead::Test,
    seal: impl Fn(&[u8; 12], &mut [u8]) -> Option<[u8; 16]>,
    open: impl Fn(&[u8; 12], &mut [u8], &[u8; 16]) -> Option<()>,
) {
    let nonce = test.nonce[..].try_into().unwrap();
    let tag: [u8; 16] = test.tag[..].try_into().unwrap();
    let valid = test.result == TestResult::Valid;
    assert!(valid || test.result == TestResult::Invalid, "nothing here is left to taste");

    let mut sealed = test.pt.to_vec();
    let made = seal(&nonce, &mut sealed);
    assert_eq!(made == Some(tag) && sealed == test.ct[..], valid, "test {}: {}", test.tc_id, test.comment);
    let mut opened = test.ct.to_vec();
    assert_eq!(open(&nonce, &mut opened, &tag).is_some(), valid, "test {}: {}", test.tc_id, test.comment);
    assert!(!valid || opened == test.pt[..], "test {}: {}", test.tc_id, test.comment);
}

/// Vectors of `name` with keys of 256, nonces of 96 and tags of 128 bits, through every key of ours for `cipher`; how many.
/// Another size cannot be written down: the functions take arrays.
fn check_all(name: aead::TestName, cipher: Aead) -> usize {
    let set = aead::TestSet::load(name).unwrap();
    let sized =
        |group: &&aead::TestGroup| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128);
    let mut checked = 0;
    for test in set.test_groups.iter().filter(sized).flat_map(|group| &group.tests) {
        let key = test.key[..].try_into().unwrap();
        let portable = PortableKey::new(cipher, &key);
        check(
            test,
            |nonce, text| portable.seal(nonce, &test.aad, text),
            |nonce, text, tag| portable.open(nonce, &test.aad, text, tag),
        );
        let packet = PacketKey::new(cipher, &key);
        check(
            test,
            |nonce, text| packet.seal(nonce, &test.aad, text),
            |nonce, text, tag| packet.open(nonce, &test.aad, text, tag),
        );
        checked += 1;
    }
    println!("{cipher:?}: {checked} vectors");
    checked
}

#[test]
fn chacha20_poly1305() {
    assert_eq!(check_all(aead::TestName::ChaCha20Poly1305, Aead::ChaCha20Poly1305), 316);
}

#[test]
fn aes_256_gcm() {
    assert_eq!(check_all(aead::TestName::AesGcm, Aead::Aes256Gcm), 66);
}
