//! The wire by hand, after `docs/protocol.md` sections 2 and 3, around another implementation of Noise: what is compared with
//! this is the protocol, and not udp-sec with itself.

use blake2_before::digest::consts::U16;
use blake2_before::digest::{Digest, FixedOutput, KeyInit, Update};
use blake2_before::{Blake2s256, Blake2sMac};
use noise_protocol::{CipherState, HandshakeState};
use noise_rust_crypto::{Blake2s, ChaCha20Poly1305, X25519};

/// `noise-protocol` with `noise-rust-crypto`.
pub(crate) type Noise = HandshakeState<X25519, ChaCha20Poly1305, Blake2s>;

/// The first twelve bytes of an Initiation or a Response.
pub(crate) fn header(kind: u8, id: u64) -> Vec<u8> {
    [&[1, kind, 0, 0][..], &id.to_le_bytes()].concat()
}

/// What both sides mix in first.
pub(crate) fn prologue(initiator_id: u64) -> Vec<u8> {
    [&b"udp-sec v1"[..], &header(1, initiator_id)].concat()
}

/// BLAKE2s-256 of a label and a static public key.
pub(crate) fn labelled_key(label: &str, responder: &[u8; 32]) -> [u8; 32] {
    Blake2s256::new().chain_update(label).chain_update(responder).finalize().into()
}

/// BLAKE2s-128 with a key.
pub(crate) fn keyed(key: &[u8], covered: &[&[u8]]) -> [u8; 16] {
    let mac = <Blake2sMac<U16> as KeyInit>::new_from_slice(key).unwrap();
    covered.iter().fold(mac, |mac, part| mac.chain(part)).finalize_fixed().into()
}

/// The first code of an Initiation.
pub(crate) fn mac1(responder: &[u8; 32], covered: &[u8]) -> [u8; 16] {
    keyed(&labelled_key("udp-sec v1 mac1", responder), &[covered])
}

/// A Data packet by hand: the header is the associated data, the cipher counts the packet numbers.
pub(crate) fn seal(
    cipher: &mut CipherState<ChaCha20Poly1305>,
    phase: u8,
    receiver_id: u64,
    number: u32,
    frames: &[u8],
) -> Vec<u8> {
    let mut packet = [&header(4, receiver_id)[..], &number.to_le_bytes()].concat();
    packet[2] = phase;
    let mut sealed = vec![0; frames.len() + 16];
    cipher.encrypt_ad(&packet, frames, &mut sealed);
    packet.extend_from_slice(&sealed);
    packet
}
