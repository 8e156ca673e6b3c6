//! Project Wycheproof's vectors through udp-sec's own X25519 and ChaCha20-Poly1305.

use udp_sec::crypto::aead::{ChaChaKey, PacketKey};
use udp_sec::crypto::dh::shared_secret;
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

#[test]
fn chacha20_poly1305() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    assert_eq!(set.number_of_tests, 325);
    let mut checked = 0;
    // A nonce of another size cannot be written down: the function takes an array.
    for group in set.test_groups.iter().filter(|group| group.nonce_size == 96) {
        for test in &group.tests {
            let key = test.key[..].try_into().unwrap();
            let portable = ChaChaKey::new(&key);
            check(
                test,
                |nonce, text| portable.seal(nonce, &test.aad, text),
                |nonce, text, tag| portable.open(nonce, &test.aad, text, tag),
            );
            let packet = PacketKey::new(&key);
            check(
                test,
                |nonce, text| packet.seal(nonce, &test.aad, text),
                |nonce, text, tag| packet.open(nonce, &test.aad, text, tag),
            );
            checked += 1;
        }
    }
    println!("ChaCha20-Poly1305: {checked} vectors with nonces of 96 bits");
    assert_eq!(checked, 316);
}
