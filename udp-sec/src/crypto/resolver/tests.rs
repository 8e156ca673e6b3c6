//! The resolver gives three primitives and one secret, once.

use super::Resolver;
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use zeroize::Zeroizing;

fn resolver() -> Resolver {
    Resolver::new(Zeroizing::new([7; 32]))
}

#[test]
fn the_secret_is_given_once_and_whole() {
    let mut rng = resolver().resolve_rng().unwrap();
    assert_eq!(rng.try_fill_bytes(&mut [0; 31]), Err(Error::Rng));
    let mut secret = [0; 32];
    assert_eq!(rng.try_fill_bytes(&mut secret), Ok(()));
    assert_eq!(secret, [7; 32]);
    assert_eq!(rng.try_fill_bytes(&mut secret), Err(Error::Rng));
}

#[test]
fn other_primitives_are_not_resolved() {
    assert!(resolver().resolve_dh(&DHChoice::Curve448).is_none());
    assert!(resolver().resolve_hash(&HashChoice::Blake2b).is_none());
    assert!(resolver().resolve_hash(&HashChoice::SHA256).is_none());
    assert!(resolver().resolve_cipher(&CipherChoice::AESGCM).is_none());
}

#[test]
fn wrong_sizes_are_errors_and_not_panics() {
    let mut cipher = resolver().resolve_cipher(&CipherChoice::ChaChaPoly).unwrap();
    assert_eq!(cipher.encrypt(0, &[], b"text", &mut [0; 20]), 0, "no key yet");
    cipher.set(&[1; 32]);
    let mut sealed = [0; 20];
    assert_eq!(cipher.encrypt(0, &[], b"text", &mut sealed), 20);
    assert_eq!(cipher.encrypt(0, &[], b"text", &mut [0; 19]), 0, "no room for the tag");
    assert_eq!(cipher.encrypt(0, &[], b"text", &mut [0; 3]), 0, "no room for the text");
    assert_eq!(cipher.decrypt(0, &[], &sealed, &mut [0; 3]), Err(Error::Decrypt));
    assert_eq!(cipher.decrypt(0, &[], &sealed[..15], &mut [0; 4]), Err(Error::Decrypt));
    let mut text = [0; 4];
    assert_eq!(cipher.decrypt(0, &[], &sealed, &mut text), Ok(4));
    assert_eq!(&text, b"text");
}

#[test]
fn low_order_points_are_errors() {
    let mut dh = resolver().resolve_dh(&DHChoice::Curve25519).unwrap();
    dh.set(&[1; 32]);
    assert_eq!(dh.dh(&[0; 32], &mut [0; 32]), Err(Error::Dh));
    assert_eq!(dh.dh(&[9; 31], &mut [0; 32]), Err(Error::Dh));
}
