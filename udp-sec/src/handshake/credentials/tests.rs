//! Handshakes with identity proofs and pre-shared keys: who gets in, and what each missing or wrong piece is called.

use super::{Caller, Credentials, PreSharedKeys};
use crate::error::Reject;
use crate::handshake::proof::{Claim, IdentityProof, IdentityProofs, Verifier};
use crate::handshake::{Accepted, Answer, Initiator, Responder};
use crate::keys::{PreSharedKey, PublicKey, StaticKeypair};
use crate::session::{Role, Session};
use crate::tests::{INITIATOR_ID, RESPONDER_ID, allow, keypair, parameters, rng, seal};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier as _, VerifyingKey};
use std::boxed::Box;
use std::sync::Mutex;
use std::vec::Vec;

/// Believes signatures of one Ed25519 key, for devices whose name is not revoked.
struct Trust {
    signer: [u8; 32],
    revoked: Mutex<Vec<Vec<u8>>>,
}

impl Verifier for Trust {
    fn verify(&self, claim: &Claim<'_>, proof: &IdentityProof<'_>) -> bool {
        let key = VerifyingKey::from_bytes(proof.signer);
        let signature = Signature::from_bytes(proof.signature);
        let is_signed = key.is_ok_and(|key| key.verify(&claim.statement().unwrap(), &signature).is_ok());
        let is_revoked = self.revoked.lock().unwrap().iter().any(|name| name == claim.device);
        is_signed && *proof.signer == self.signer && !is_revoked
    }
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A judge that believes what `seed`'s key signs.
fn trust(seed: u8) -> &'static Trust {
    let signer = signing_key(seed).verifying_key().to_bytes();
    Box::leak(Box::new(Trust { signer, revoked: Mutex::default() }))
}

/// What `seed`'s key says about `key`, in `role`.
fn proof(seed: u8, role: Role, key: &PublicKey, device: &'static [u8]) -> IdentityProof<'static> {
    let signing = signing_key(seed);
    let statement = Claim { role, key, device }.statement().unwrap();
    let leak = |bytes| Box::leak(Box::new(bytes));
    let signer = leak(signing.verifying_key().to_bytes());
    let signature = Box::leak(Box::new(signing.sign(&statement).to_bytes()));
    IdentityProof { device, signer, signature }
}

/// Credentials that show what `seed`'s key says about `keys`, and judge by `trust`.
fn proven(seed: u8, keys: &StaticKeypair, device: &'static [u8], trust: &'static Trust) -> Credentials {
    let calling = proof(seed, Role::Initiator, keys.public(), device);
    let answering = proof(seed, Role::Responder, keys.public(), device);
    let proofs = Box::leak(Box::new(IdentityProofs { calling, answering }));
    Credentials { proofs: Some(proofs), verifier: Some(trust), ..Credentials::NONE }
}

/// The keys that one side shares with the other.
struct Shared(Vec<(PublicKey, [u8; 32])>);

impl PreSharedKeys for Shared {
    fn shared_with(&self, peer: &PublicKey) -> Option<PreSharedKey> {
        self.0.iter().find(|(key, _)| key == peer).map(|(_, shared)| PreSharedKey::from_bytes(*shared))
    }
}

/// Credentials that share `key` with `peer`.
fn shared(peer: &PublicKey, key: u8) -> Credentials {
    let keys: &'static Shared = Box::leak(Box::new(Shared(Vec::from([(*peer, [key; 32])]))));
    Credentials { pre_shared_keys: Some(keys), ..Credentials::NONE }
}

/// Where a handshake got to.
#[derive(Debug)]
enum Outcome {
    Done(Box<(Session, Session)>),
    /// At the responder.
    Refused(Reject),
    /// At the initiator, for good.
    Unproven,
    /// At the initiator, which goes on waiting.
    NotOpened(Reject),
}

fn keys() -> (StaticKeypair, StaticKeypair) {
    (keypair(1), keypair(2))
}

/// A handshake between two sides with these credentials.
fn handshake(calling: Credentials, answering: Credentials) -> Outcome {
    let (client, server) = keys();
    let caller = Caller { keypair: &client, credentials: calling };
    let initiator =
        Initiator::new(caller, server.public(), INITIATOR_ID, &parameters(), &mut rng(3)).unwrap();
    let responder = Responder::with_credentials(server, answering);
    let checked = responder.check_mac1(initiator.datagram()).unwrap();
    let incoming = match responder.read(checked, &mut rng(4)) {
        Ok(incoming) => incoming,
        Err(reject) => return Outcome::Refused(reject),
    };
    let authorized = match incoming.authorize(&allow(&[*client.public()])) {
        Ok(authorized) => authorized,
        Err(reject) => return Outcome::Refused(reject),
    };
    let Ok(Accepted::HalfOpen { response, session: theirs, .. }) =
        authorized.accept(RESPONDER_ID, &parameters())
    else {
        panic!("not accepted")
    };
    match initiator.read_response(&response) {
        Answer::Established { session, .. } => Outcome::Done(Box::new((session, theirs))),
        Answer::Unproven => Outcome::Unproven,
        Answer::Rejected(_, reject) => Outcome::NotOpened(reject),
        Answer::Refused(code) => panic!("refused: {code}"),
    }
}

/// Whether the handshake led to two sessions with the same keys.
fn works(outcome: Outcome) -> bool {
    let Outcome::Done(both) = outcome else { return false };
    let (mut ours, mut theirs) = *both;
    let mut there = seal(&mut ours, b"there");
    let mut back = seal(&mut theirs, b"back");
    theirs.open(&mut [0; 4], &mut there).is_ok() && ours.open(&mut [0; 4], &mut back).is_ok()
}

#[test]
fn both_sides_show_and_believe() {
    let (client, server) = keys();
    let judge = trust(9);
    let (lamp, hub) = (proven(9, &client, b"lamp", judge), proven(9, &server, b"hub", judge));
    assert!(works(handshake(lamp, hub)));
    // What nobody asks for may be shown all the same.
    let silent_judge = |credentials: Credentials| Credentials { verifier: None, ..credentials };
    assert!(works(handshake(silent_judge(lamp), Credentials::NONE)));
    assert!(works(handshake(silent_judge(lamp), silent_judge(hub))));
}

#[test]
fn test_reject_identity_proof_invalid() {
    let (client, server) = keys();
    let judge = trust(9);
    let hub = proven(9, &server, b"hub", judge);
    let refused = |credentials: Credentials| match handshake(credentials, hub) {
        Outcome::Refused(reject) => assert_eq!(reject, Reject::IdentityProofInvalid),
        other => panic!("{other:?}"),
    };
    let showing = |calling: IdentityProof<'static>| {
        let answering = proof(9, Role::Responder, client.public(), b"lamp");
        let proofs = Box::leak(Box::new(IdentityProofs { calling, answering }));
        Credentials { proofs: Some(proofs), verifier: Some(judge), ..Credentials::NONE }
    };
    let genuine = proof(9, Role::Initiator, client.public(), b"lamp");
    assert!(works(handshake(showing(genuine), hub)));
    refused(Credentials { verifier: Some(judge), ..Credentials::NONE }); // nothing shown
    refused(showing(proof(8, Role::Initiator, client.public(), b"lamp"))); // by a key that nobody trusts
    refused(showing(proof(9, Role::Responder, client.public(), b"lamp"))); // of the other role
    refused(showing(proof(9, Role::Initiator, server.public(), b"lamp"))); // about another key
    refused(showing(IdentityProof { device: b"hub", ..genuine })); // under another name
    for bit in [0, 255, 511] {
        let mut signature = *genuine.signature;
        signature[bit / 8] ^= 1 << (bit % 8);
        refused(showing(IdentityProof { signature: Box::leak(Box::new(signature)), ..genuine }));
    }
    // A proof that was good ends when its judge says so.
    judge.revoked.lock().unwrap().push(b"lamp".to_vec());
    refused(showing(genuine));
}

#[test]
fn a_responder_without_a_proof_is_final() {
    let (client, server) = keys();
    let judge = trust(9);
    let lamp = proven(9, &client, b"lamp", judge);
    let other = proven(8, &server, b"hub", judge);
    let unproven = [
        Credentials { verifier: Some(judge), ..Credentials::NONE },
        Credentials { verifier: Some(judge), ..other },
    ];
    for hub in unproven {
        assert!(matches!(handshake(lamp, hub), Outcome::Unproven));
    }
    assert!(works(handshake(lamp, proven(9, &server, b"hub", judge))));
}

#[test]
fn a_pre_shared_key_is_needed_on_both_sides_or_on_none() {
    let (client, server) = keys();
    let (to_server, to_client) = (shared(server.public(), 5), shared(client.public(), 5));
    assert!(works(handshake(to_server, to_client)));
    for (calling, answering) in [(to_server, Credentials::NONE), (Credentials::NONE, to_client)] {
        let outcome = handshake(calling, answering);
        assert!(matches!(outcome, Outcome::Refused(Reject::PeerNotAuthorized)), "{outcome:?}");
    }
    // It goes in behind message 2, so the initiator is the one who notices that it is another.
    let outcome = handshake(to_server, shared(client.public(), 6));
    assert!(matches!(outcome, Outcome::NotOpened(Reject::HandshakeFailed)), "{outcome:?}");
    // A key for somebody else is none.
    assert!(works(handshake(shared(client.public(), 5), shared(server.public(), 5))));
}

#[test]
fn the_variant_is_bound_to_the_handshake() {
    let (client, server) = keys();
    let caller = Caller { keypair: &client, credentials: shared(server.public(), 5) };
    let initiator =
        Initiator::new(caller, server.public(), INITIATOR_ID, &parameters(), &mut rng(3)).unwrap();
    assert_eq!(initiator.datagram()[2], 1, "flag bit 0");
    let mac1_key = crate::handshake::mac::Mac1Key::new(server.public());
    let mut plain = *initiator.datagram();
    plain[2] = 0;
    let prefix = *plain.first_chunk().unwrap();
    let mac1 = mac1_key.compute(&prefix, plain[12..1168].try_into().unwrap());
    plain[1168..1184].copy_from_slice(&mac1);
    let responder = Responder::with_credentials(server, shared(client.public(), 5));
    let checked = responder.check_mac1(&plain).unwrap();
    assert_eq!(responder.read(checked, &mut rng(4)).err(), Some(Reject::HandshakeFailed));
}
