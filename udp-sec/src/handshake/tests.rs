//! Both sides of the handshake, honest, damaged, forged, and unwanted.

use super::params::{ApplicationProtocol, Parameters};
use super::{Accepted, Answer, Authorized, Carrier, Datagrams, Initiator, Responder};
use crate::crypto::noise::{Noise, prologue};
use crate::error::{CloseCode, Reject};
use crate::handshake::mac::Mac1Key;
use crate::keys::{PublicKey, StaticKeypair};
use crate::limits::{INITIATION_PAYLOAD_LEN, NOISE_INITIATION_LEN, RESPONSE_PAYLOAD_LEN};
use crate::session::Session;
use crate::tests::{INITIATOR_ID, RESPONDER_ID, allow, keypair, parameters, rng, seal};
use crate::wire::{Initiation, Pattern, Response};
use std::vec;
use zeroize::Zeroizing;

mod cost;
mod low_order;

/// The prologue of an initiation without a pre-shared key.
fn plain_prologue() -> vec::Vec<u8> {
    prologue(<Datagrams as Carrier>::PROLOGUE_LABEL, &Initiation::prefix_of(Pattern::Ik, INITIATOR_ID))
}

/// A client and a server that allows it.
struct Pair {
    client: StaticKeypair,
    responder: Responder,
    seed: u64,
}

impl Pair {
    fn new(seed: u64) -> Self {
        Self { client: keypair(seed), responder: Responder::new(keypair(seed + 1)), seed: seed + 2 }
    }

    fn initiator(&self) -> Initiator {
        self.initiator_with(&parameters())
    }

    fn initiator_with(&self, parameters: &Parameters) -> Initiator {
        let server = self.responder.public();
        Initiator::new(&self.client, server, INITIATOR_ID, parameters, &mut rng(self.seed)).unwrap()
    }

    fn authorized(&self, initiation: &[u8]) -> Result<Authorized, Reject> {
        let checked = self.responder.check_mac1(initiation)?;
        let incoming = self.responder.read(checked, &mut rng(self.seed + 1))?;
        incoming.authorize(&allow(&[*self.client.public()]))
    }

    fn accept(&self, initiation: &[u8]) -> ([u8; 1200], Session) {
        match self.authorized(initiation).unwrap().accept(RESPONDER_ID, &parameters()).unwrap() {
            Accepted::HalfOpen { response, session, .. } => (response, session),
            Accepted::Refused { code, .. } => panic!("refused: {code}"),
        }
    }
}

/// The handshake again, after it has rejected `datagram` as `reject`.
fn rejected(initiator: Initiator, datagram: &[u8], reject: Reject) -> Initiator {
    match initiator.read_response(datagram) {
        Answer::Rejected(initiator, why) => {
            assert_eq!(why, reject);
            initiator
        }
        other => panic!("not rejected: {other:?}"),
    }
}

fn established(initiator: Initiator, response: &[u8]) -> (Session, Parameters) {
    match initiator.read_response(response) {
        Answer::Established { session, parameters } => (session, parameters),
        other => panic!("not established: {other:?}"),
    }
}

/// The session that `sealed` by `from` opens in, to show that both hold the same keys.
fn talk(from: &mut Session, to: &mut Session) {
    let mut packet = seal(from, b"frames");
    assert_eq!(to.open(&mut [0; 4], &mut packet).unwrap().frames(), b"frames");
}

fn flipped(bytes: &[u8; 1200], bit: usize) -> [u8; 1200] {
    let mut bytes = *bytes;
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn both_sides_learn_the_same() {
    let pair = Pair::new(1);
    let theirs = Parameters { initial_credit: 999, ack_step: 10, ..parameters() };
    let initiator = pair.initiator_with(&theirs);
    let authorized = pair.authorized(initiator.datagram()).unwrap();
    assert_eq!((authorized.peer(), authorized.parameters()), (pair.client.public(), &theirs));
    let Accepted::HalfOpen { response, mut session, parameters: seen } =
        authorized.accept(RESPONDER_ID, &parameters()).unwrap()
    else {
        panic!("refused")
    };
    assert_eq!((seen, session.peer()), (theirs, pair.client.public()));
    let (mut ours, seen) = established(initiator, &response);
    assert_eq!((seen, ours.peer()), (parameters(), pair.responder.public()));
    assert_eq!((ours.local_id(), ours.peer_id()), (INITIATOR_ID, RESPONDER_ID));
    assert_eq!((session.local_id(), session.peer_id()), (RESPONDER_ID, INITIATOR_ID));
    talk(&mut ours, &mut session);
    talk(&mut session, &mut ours);
}

#[test]
fn a_repeat_is_the_same_bytes_and_has_the_same_id() {
    let pair = Pair::new(2);
    let initiator = pair.initiator();
    assert_eq!(initiator.datagram(), initiator.datagram());
    let id = |datagram: &[u8]| pair.responder.check_mac1(datagram).unwrap().id();
    let first = id(initiator.datagram());
    // Another mac2 makes no other initiation: a repeat may carry one.
    let mut with_mac2 = *initiator.datagram();
    with_mac2[1184..].copy_from_slice(&[5; 16]);
    assert_eq!(id(&with_mac2), first);
    let mut other = rng(77);
    let second =
        Initiator::new(&pair.client, pair.responder.public(), INITIATOR_ID, &parameters(), &mut other)
            .unwrap();
    assert_ne!(id(second.datagram()), first);
    assert_eq!(pair.responder.check_mac1(initiator.datagram()).unwrap().sender_id(), INITIATOR_ID);
}

#[test]
fn identities_are_hidden() {
    let pair = Pair::new(3);
    let initiator = pair.initiator();
    let (response, _) = pair.accept(initiator.datagram());
    for key in [pair.client.public(), pair.responder.public()] {
        for datagram in [initiator.datagram(), &response] {
            // Not even eight bytes of a key in a row.
            let leaked = key.as_bytes().windows(8).any(|part| datagram.windows(8).any(|there| there == part));
            assert!(!leaked);
        }
    }
    // The application's name is inside the encryption too.
    assert!(!initiator.datagram().windows(6).any(|there| there == b"test/1"));
}

#[test]
fn test_reject_bad_mac1() {
    let pair = Pair::new(4);
    let initiator = pair.initiator();
    // Every bit that mac1 covers, after those that make another datagram of it, and mac1 itself.
    for bit in (32..8 * 1184).step_by(7) {
        let bad = flipped(initiator.datagram(), bit);
        assert_eq!(pair.responder.check_mac1(&bad).err(), Some(Reject::BadMac1), "bit {bit}");
    }
    // A caller that knows another responder.
    let other = Responder::new(keypair(44));
    assert_eq!(other.check_mac1(initiator.datagram()).err(), Some(Reject::BadMac1));
    let (response, _) = pair.accept(initiator.datagram());
    assert_eq!(pair.responder.check_mac1(&response).err(), Some(Reject::MalformedHeader));
    let oversize = [&initiator.datagram()[..], &[0]].concat();
    assert_eq!(pair.responder.check_mac1(&oversize).err(), Some(Reject::OversizeDatagram));
}

/// What an attacker sends who knows the responder's public key: mac1 is right, the rest is not.
fn forged(responder: &PublicKey, sender_id: u64, noise: &[u8; NOISE_INITIATION_LEN]) -> [u8; 1200] {
    let prefix = Initiation::prefix_of(Pattern::Ik, sender_id);
    let mac1 = Mac1Key::new(responder).compute(&prefix, noise);
    Initiation::new(Pattern::Ik, sender_id, noise, &mac1, &[0; 16]).encode()
}

#[test]
fn test_reject_handshake_failed() {
    let pair = Pair::new(5);
    let initiator = pair.initiator();
    let noise: [u8; NOISE_INITIATION_LEN] = initiator.datagram()[12..1168].try_into().unwrap();
    let read = |datagram: &[u8; 1200]| {
        let checked = pair.responder.check_mac1(datagram).unwrap();
        pair.responder.read(checked, &mut rng(1)).map(|incoming| *incoming.peer())
    };
    let public = pair.responder.public();
    assert_eq!(read(&forged(public, INITIATOR_ID, &noise)), Ok(*pair.client.public()));
    for bit in (0..8 * noise.len()).step_by(211).chain([0, 8 * 32, 8 * 80, 8 * 1156 - 1]) {
        let mut bad = noise;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read(&forged(public, INITIATOR_ID, &bad)), Err(Reject::HandshakeFailed), "bit {bit}");
    }
    // The sender's id is in the prologue.
    assert_eq!(read(&forged(public, INITIATOR_ID + 1, &noise)), Err(Reject::HandshakeFailed));
}

#[test]
fn a_bad_response_leaves_the_handshake_as_it_was() {
    let pair = Pair::new(6);
    let mut initiator = pair.initiator();
    let (response, mut session) = pair.accept(initiator.datagram());
    for bit in (8 * 12..8 * 1200).step_by(97) {
        initiator = rejected(initiator, &flipped(&response, bit), Reject::HandshakeFailed);
    }
    for bit in 32..96 {
        initiator = rejected(initiator, &flipped(&response, bit), Reject::UnknownSession);
    }
    for bit in 0..32 {
        initiator = rejected(initiator, &flipped(&response, bit), Reject::MalformedHeader);
    }
    // A true Response to another initiation of the same pair, and our own Initiation reflected.
    let other =
        Initiator::new(&pair.client, pair.responder.public(), INITIATOR_ID, &parameters(), &mut rng(9));
    let (foreign, _) = pair.accept(other.unwrap().datagram());
    initiator = rejected(initiator, &foreign, Reject::HandshakeFailed);
    let reflected = *initiator.datagram();
    initiator = rejected(initiator, &reflected, Reject::MalformedHeader);
    for len in [0, 1, 11, 12, 1199] {
        initiator = rejected(initiator, &response[..len], Reject::MalformedHeader);
    }
    initiator = rejected(initiator, &[0; 1201], Reject::OversizeDatagram);
    // And then the right one.
    let (mut ours, _) = established(initiator, &response);
    talk(&mut ours, &mut session);
    talk(&mut session, &mut ours);
}

#[test]
fn the_wrong_responder_cannot_answer() {
    let pair = Pair::new(7);
    let initiator = pair.initiator();
    // Same initiation, other static key: it does not even open. With mac1 made for it neither.
    let thief = Responder::new(keypair(70));
    let noise: [u8; NOISE_INITIATION_LEN] = initiator.datagram()[12..1168].try_into().unwrap();
    let redirected = forged(thief.public(), INITIATOR_ID, &noise);
    let checked = thief.check_mac1(&redirected).unwrap();
    assert_eq!(thief.read(checked, &mut rng(1)).err(), Some(Reject::HandshakeFailed));
}

#[test]
fn test_reject_peer_not_authorized() {
    let pair = Pair::new(8);
    let stranger = keypair(80);
    let initiator =
        Initiator::new(&stranger, pair.responder.public(), 1, &parameters(), &mut rng(1)).unwrap();
    assert_eq!(pair.authorized(initiator.datagram()).err(), Some(Reject::PeerNotAuthorized));
    assert!(pair.authorized(pair.initiator().datagram()).is_ok());
}

/// An authentic initiation with any payload.
fn initiation_with(pair: &Pair, payload: &[u8; INITIATION_PAYLOAD_LEN]) -> [u8; 1200] {
    let server = pair.responder.public();
    let ephemeral = Zeroizing::new([3; 32]);
    let mut noise =
        Noise::initiator(&pair.client, server, (Pattern::Ik, &plain_prologue()), ephemeral).unwrap();
    forged(server, INITIATOR_ID, &noise.write(payload).unwrap())
}

#[test]
fn test_reject_malformed_parameters() {
    let pair = Pair::new(9);
    let good = parameters().to_initiation(None).unwrap();
    assert!(pair.authorized(&initiation_with(&pair, &good)).is_ok());
    let mut bad = good;
    bad[0] = 11;
    let datagram = initiation_with(&pair, &bad);
    assert_eq!(pair.authorized(&datagram).err(), Some(Reject::MalformedParameters));
    // Whether a stranger may talk comes before what it says.
    let incoming = pair.responder.read(pair.responder.check_mac1(&datagram).unwrap(), &mut rng(1)).unwrap();
    assert_eq!(incoming.authorize(&allow(&[])).err(), Some(Reject::PeerNotAuthorized));
    // Our own caller's mistake.
    let mistake = Parameters { ack_step: 0, ..parameters() };
    let server = pair.responder.public();
    let refused = Initiator::new(&pair.client, server, 1, &mistake, &mut rng(1)).err();
    assert_eq!(refused, Some(Reject::MalformedParameters));
    let authorized = pair.authorized(pair.initiator().datagram()).unwrap();
    assert_eq!(authorized.accept(1, &mistake).err(), Some(Reject::MalformedParameters));
}

#[test]
fn parameters_that_cannot_be_met_are_refused() {
    let pair = Pair::new(10);
    let other = Parameters { application: ApplicationProtocol::new(b"other/1").unwrap(), ..parameters() };
    let initiator = pair.initiator_with(&other);
    let Accepted::Refused { response, code } =
        pair.authorized(initiator.datagram()).unwrap().accept(1, &parameters()).unwrap()
    else {
        panic!("accepted")
    };
    assert_eq!(code, CloseCode::NoAppProtocol);
    // A forged refusal decides nothing; the true one is final.
    let initiator = rejected(initiator, &flipped(&response, 4_000), Reject::HandshakeFailed);
    assert!(matches!(initiator.read_response(&response), Answer::Refused(CloseCode::NoAppProtocol)));

    // Only AES-256-GCM, which this side does not offer.
    let mut payload = parameters().to_initiation(None).unwrap();
    let at = payload.windows(4).position(|field| field == [5, 1, 0, 1]).unwrap();
    payload[at + 3] = 2;
    let authorized = pair.authorized(&initiation_with(&pair, &payload)).unwrap();
    let refused = authorized.accept(1, &parameters()).unwrap();
    assert!(matches!(refused, Accepted::Refused { code: CloseCode::NoCommonAead, .. }));
}

#[test]
fn an_endpoint_can_refuse_for_its_own_reasons() {
    let pair = Pair::new(11);
    let initiator = pair.initiator();
    let response = pair.authorized(initiator.datagram()).unwrap().refuse(CloseCode::SessionLimit).unwrap();
    assert!(matches!(initiator.read_response(&response), Answer::Refused(CloseCode::SessionLimit)));
}

/// The peer is who it should be, and talks nonsense: rejected, and the transcript is used up.
#[test]
fn an_authentic_but_malformed_response() {
    let pair = Pair::new(12);
    let initiator = pair.initiator();
    let respond = |payload: &[u8; RESPONSE_PAYLOAD_LEN]| {
        let server = keypair(13);
        let mut noise =
            Noise::responder(&server, (Pattern::Ik, &plain_prologue()), Zeroizing::new([4; 32])).unwrap();
        let message: [u8; NOISE_INITIATION_LEN] = initiator.datagram()[12..1168].try_into().unwrap();
        let _: [u8; INITIATION_PAYLOAD_LEN] = noise.read(&message).unwrap();
        Response::new(INITIATOR_ID, &noise.write(payload).unwrap()).encode()
    };
    let (nonsense, good) =
        (respond(&[9; RESPONSE_PAYLOAD_LEN]), respond(&parameters().to_response(5, None).unwrap()));
    let initiator = rejected(initiator, &nonsense, Reject::MalformedParameters);
    rejected(initiator, &good, Reject::HandshakeFailed);
    established(pair.initiator(), &good);
}

#[test]
fn arbitrary_bytes_behind_a_right_mac1() {
    let pair = Pair::new(17);
    for fill in 0..=255 {
        let datagram = forged(pair.responder.public(), u64::from(fill), &[fill; NOISE_INITIATION_LEN]);
        let checked = pair.responder.check_mac1(&datagram).unwrap();
        assert_eq!(pair.responder.read(checked, &mut rng(1)).err(), Some(Reject::HandshakeFailed));
    }
    assert_eq!(pair.responder.check_mac1(&vec![1; 1200]).err(), Some(Reject::MalformedHeader));
}
