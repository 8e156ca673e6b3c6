//! A peer that holds its keys and speaks Noise, and says what no peer of ours would.

use snow::{Builder, HandshakeState};
use udp_sec::crypto::hash::{hash, keyed_hash};
use udp_sec::crypto::resolver::Resolver;
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::limits::{INITIATION_PAYLOAD_LEN, MAC_LEN, NOISE_INITIATION_LEN, NOISE_RESPONSE_LEN};
use udp_sec::limits::{RESPONSE_LEN, RESPONSE_PAYLOAD_LEN};
use udp_sec::wire::{Initiation, Pattern, Response};
use zeroize::Zeroizing;

/// The id that these peers go by.
pub(crate) const PEER_ID: u64 = 0x0b5e_55ed;

fn builder(prologue: &[u8], ephemeral: u8) -> Builder<'_> {
    let protocol = "Noise_IK_25519_ChaChaPoly_BLAKE2s".parse().expect("a protocol that snow knows");
    let resolver = Box::new(Resolver::new(Zeroizing::new([ephemeral; 32])));
    Builder::with_resolver(protocol, resolver).prologue(prologue).expect("once")
}

fn prologue(sender_id: u64) -> Vec<u8> {
    [&b"udp-sec v1"[..], &Initiation::prefix_of(Pattern::Ik, sender_id)].concat()
}

/// An initiation from `local` to the holder of `peer`, with a right `mac1`, around `payload`.
pub(crate) fn initiation(local: &StaticKeypair, peer: &PublicKey, payload: &[u8]) -> Vec<u8> {
    let bound_to = prologue(PEER_ID);
    let mut noise: HandshakeState = builder(&bound_to, 3)
        .local_private_key(local.secret())
        .and_then(|builder| builder.remote_public_key(peer.as_bytes()))
        .and_then(Builder::build_initiator)
        .expect("keys that work");
    let mut message = [0; NOISE_INITIATION_LEN];
    noise.write_message(&exactly::<INITIATION_PAYLOAD_LEN>(payload), &mut message).expect("room");
    let key: [u8; 32] = hash(&[b"udp-sec v1 mac1", peer.as_bytes()]);
    let mac1 = keyed_hash(&key, &[&Initiation::prefix_of(Pattern::Ik, PEER_ID), &message]);
    Initiation::new(Pattern::Ik, PEER_ID, &message, &mac1, &[0; MAC_LEN]).encode().to_vec()
}

/// The answer of `local` to `initiation`, around `payload`.
pub(crate) fn response(
    local: &StaticKeypair,
    initiation: &Initiation<'_>,
    payload: &[u8],
) -> [u8; RESPONSE_LEN] {
    let bound_to = prologue(initiation.sender_id());
    let mut noise = builder(&bound_to, 4)
        .local_private_key(local.secret())
        .and_then(Builder::build_responder)
        .expect("keys that work");
    noise.read_message(initiation.noise(), &mut [0; INITIATION_PAYLOAD_LEN]).expect("a genuine message");
    let mut message = [0; NOISE_RESPONSE_LEN];
    noise.write_message(&exactly::<RESPONSE_PAYLOAD_LEN>(payload), &mut message).expect("room");
    Response::new(initiation.sender_id(), &message).encode()
}

/// `bytes` cut off or filled up with zeros, which are padding.
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut room = [0; N];
    room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    room
}
