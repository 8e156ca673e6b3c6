//! A peer that puts a point of low order where a key belongs is refused, although everything else in its message is
//! right: it knows that the shared secret is zero, and seals under the keys that follow from that.
//!
//! The messages are made by hand, after the text of the Noise specification, section 5.

use super::*;
use crate::crypto::aead::{ChaChaKey, nonce};
use crate::crypto::dh::tests::low_order::points;
use crate::crypto::dh::{public_key, shared_secret};
use crate::crypto::hash::hash;
use std::vec::Vec;

const ZERO: [u8; 32] = [0; 32];

/// Noise section 5.2.
struct Symmetric {
    h: [u8; 32],
    ck: [u8; 32],
    key: Option<ChaChaKey>,
}

impl Symmetric {
    fn new(responder: &PublicKey) -> Self {
        let name = hash(&[b"Noise_IK_25519_ChaChaPoly_BLAKE2s"]);
        let mut symmetric = Self { h: name, ck: name, key: None };
        symmetric.mix_hash(&[&b"udp-sec v1"[..], &Initiation::prefix_of(Pattern::Ik, INITIATOR_ID)].concat());
        symmetric.mix_hash(responder.as_bytes());
        symmetric
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.h = hash(&[&self.h, data]);
    }

    /// Section 4.3: HKDF with two outputs, over HMAC (RFC 2104).
    fn mix_key(&mut self, input: &[u8; 32]) {
        let hmac = |key: &[u8; 32], data: &[u8]| {
            let pad =
                |with: u8| -> Vec<u8> { (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ with).collect() };
            hash(&[&pad(0x5c), &hash(&[&pad(0x36), data])])
        };
        let temp = hmac(&self.ck, input);
        self.ck = hmac(&temp, &[1]);
        self.key = Some(ChaChaKey::new(&hmac(&temp, &[&self.ck[..], &[2]].concat())));
    }

    /// Every key seals at most once in IK, so the nonce is always 0.
    fn encrypt_and_hash(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        let tag = self.key.as_ref().unwrap().seal(&nonce(0), &self.h, &mut sealed).unwrap();
        sealed.extend_from_slice(&tag);
        self.mix_hash(&sealed);
        sealed
    }
}

/// Message 1 with these public keys, under these secrets.
fn message_1(
    responder: &PublicKey,
    ephemeral: &[u8; 32],
    es: &[u8; 32],
    key: &[u8; 32],
    ss: &[u8; 32],
) -> [u8; 1200] {
    let mut symmetric = Symmetric::new(responder);
    symmetric.mix_hash(ephemeral);
    symmetric.mix_key(es);
    let key = symmetric.encrypt_and_hash(key);
    symmetric.mix_key(ss);
    let payload = symmetric.encrypt_and_hash(&parameters().to_initiation(None).unwrap());
    forged(responder, INITIATOR_ID, &[&ephemeral[..], &key, &payload].concat().try_into().unwrap())
}

/// Message 2 to `initiation`, with `ephemeral` as the key and these secrets.
fn message_2(
    server: &StaticKeypair,
    client: &PublicKey,
    initiation: &[u8; 1200],
    ephemeral: &[u8; 32],
    ee: &[u8; 32],
    se: &[u8; 32],
) -> [u8; 1200] {
    let (e, s, payload) = (&initiation[12..44], &initiation[44..92], &initiation[92..1168]);
    let mut symmetric = Symmetric::new(server.public());
    symmetric.mix_hash(e);
    symmetric.mix_hash(s);
    symmetric.mix_hash(payload);
    symmetric.mix_key(&shared_secret(server.secret(), e.try_into().unwrap()).unwrap());
    symmetric.mix_key(&shared_secret(server.secret(), client.as_bytes()).unwrap());
    symmetric.mix_hash(ephemeral);
    symmetric.mix_key(ee);
    symmetric.mix_key(se);
    let payload = symmetric.encrypt_and_hash(&parameters().to_response(RESPONDER_ID, None).unwrap());
    Response::new(INITIATOR_ID, &[&ephemeral[..], &payload].concat().try_into().unwrap()).encode()
}

#[test]
fn messages_by_hand_are_right_when_they_are_honest() {
    let (pair, server) = (Pair::new(20), keypair(21));
    let secret = [6; 32];
    let es = shared_secret(&secret, server.public().as_bytes()).unwrap();
    let ss = shared_secret(pair.client.secret(), server.public().as_bytes()).unwrap();
    let client = pair.client.public();
    let initiation = message_1(server.public(), &public_key(&secret), &es, client.as_bytes(), &ss);
    assert_eq!(pair.authorized(&initiation).unwrap().peer(), client);

    let initiator = pair.initiator();
    let e = initiator.datagram()[12..44].try_into().unwrap();
    let ee = shared_secret(&secret, &e).unwrap();
    let se = shared_secret(&secret, client.as_bytes()).unwrap();
    let response = message_2(&server, client, initiator.datagram(), &public_key(&secret), &ee, &se);
    assert_eq!(established(initiator, &response).0.peer_id(), RESPONDER_ID);
}

#[test]
fn low_order_points_are_refused_everywhere() {
    let (pair, server) = (Pair::new(20), keypair(21));
    let secret = [6; 32];
    let es = shared_secret(&secret, server.public().as_bytes()).unwrap();
    let ss = shared_secret(pair.client.secret(), server.public().as_bytes()).unwrap();
    let client = pair.client.public();
    let read = |datagram: &[u8; 1200]| {
        pair.responder.read(pair.responder.check_mac1(datagram).unwrap(), &mut rng(1)).err()
    };
    let mut tried = 0;
    for point in points() {
        tried += 1;
        // The responder's static key, at the initiator.
        let low = PublicKey::from_bytes(point);
        let new = Initiator::new(&pair.client, &low, 1, &parameters(), &mut rng(1));
        assert_eq!(new.err(), Some(Reject::HandshakeFailed));
        // The initiator's ephemeral key, at the responder.
        let initiation = message_1(server.public(), &point, &ZERO, client.as_bytes(), &ss);
        assert_eq!(read(&initiation), Some(Reject::HandshakeFailed));
        // The initiator's static key, at the responder.
        let initiation = message_1(server.public(), &public_key(&secret), &es, &point, &ZERO);
        assert_eq!(read(&initiation), Some(Reject::HandshakeFailed));
        // The responder's ephemeral key, at the initiator.
        let initiator = pair.initiator();
        let response = message_2(&server, client, initiator.datagram(), &point, &ZERO, &ZERO);
        rejected(initiator, &response, Reject::HandshakeFailed);
    }
    assert_eq!(tried, 14);
}
