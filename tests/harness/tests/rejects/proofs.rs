//! Endpoints that demand proofs of identity: silence for who calls without one, the end of the attempt where the peer
//! answers without one.

use udp_sec::error::Reject;
use udp_sec::handshake::Credentials;
use udp_sec::handshake::proof::{Claim, IdentityProof, IdentityProofs, Verifier};
use udp_sec_recovery::event::{Closure, Event};

use super::lab::{Lab, address, initiation, keys};

/// Believes whoever shows a proof under this name. (What signatures are worth is tested where they are encoded.)
struct Named(&'static [u8]);

impl Verifier for Named {
    fn verify(&self, _: &Claim<'_>, proof: &IdentityProof<'_>) -> bool {
        proof.device == self.0
    }
}

static HUBS: Named = Named(b"hub");
static HUB: IdentityProofs = proofs(b"hub");
static LAMP: IdentityProofs = proofs(b"lamp");

const fn proofs(device: &'static [u8]) -> IdentityProofs {
    let proof = IdentityProof { device, signer: &[1; 32], signature: &[2; 64] };
    IdentityProofs { calling: proof, answering: proof }
}

const fn demanding(proofs: Option<&'static IdentityProofs>) -> Credentials {
    Credentials { proofs, verifier: Some(&HUBS), pre_shared_keys: None }
}

#[test]
fn test_reject_identity_proof_invalid() {
    let peer = keys(10);
    let mut lab = Lab::with(&[peer.public()], 8, |config| config.credentials = demanding(Some(&HUB)));
    // It shows none: it is allowed, and gets silence all the same.
    let bare = initiation(&peer, lab.keys.public(), 0);
    lab.assert_rejects(Reject::IdentityProofInvalid, address(1), bare.datagram());
    // A stranger is a stranger first.
    let stranger = initiation(&keys(11), lab.keys.public(), 0);
    lab.assert_rejects(Reject::PeerNotAuthorized, address(1), stranger.datagram());
    assert_eq!(lab.endpoint.half_open(), 0);
}

/// Two endpoints, the caller first.
fn pair(calling: Credentials, answering: Credentials) -> [Lab; 2] {
    let (caller, answerer) = (keys(20), keys(21));
    let lab = |own: u64, peer, credentials| {
        Lab::with(&[peer], 8, |config| {
            config.keypair = keys(own);
            config.credentials = credentials;
        })
    };
    [lab(20, answerer.public(), calling), lab(21, caller.public(), answering)]
}

/// Lets the first call the second until neither has anything to say; what the caller heard.
fn call([caller, answerer]: &mut [Lab; 2]) -> Vec<Event> {
    let (now, peer) = (caller.now, *keys(21).public());
    caller.endpoint.connect(now, &mut caller.entropy, address(2), &peer).expect("room");
    let mut heard = Vec::new();
    loop {
        let there = caller.drain();
        heard.extend(there.events.into_iter().map(|(_, event)| event));
        for (_, datagram) in &there.datagrams {
            answerer.deliver(address(1), datagram);
        }
        let back = answerer.drain();
        for (_, datagram) in &back.datagrams {
            caller.deliver(address(2), datagram);
        }
        if there.datagrams.is_empty() && back.datagrams.is_empty() {
            return heard;
        }
    }
}

#[test]
fn an_answer_without_the_proof_that_was_demanded_is_final() {
    for shown in [None, Some(&LAMP)] {
        let mut sides = pair(demanding(Some(&HUB)), Credentials { proofs: shown, ..Credentials::NONE });
        assert_eq!(call(&mut sides), [Event::Closed(Closure::IdentityProofInvalid)]);
        let [caller, answerer] = &mut sides;
        assert_eq!(caller.endpoint.rejects().get(Reject::IdentityProofInvalid), 1);
        // Nothing more leaves, and the peer hears of no session.
        let later = caller.wait(udp_sec::time::Duration::from_secs(60));
        assert!(later.datagrams.is_empty() && later.events.is_empty(), "{later:?}");
        assert_eq!((caller.endpoint.sessions(), answerer.endpoint.sessions()), (0, 0));
        assert!(answerer.drain().events.is_empty());
    }
}

#[test]
fn who_proves_itself_to_who_demands_it_gets_a_session() {
    let mut sides = pair(demanding(Some(&HUB)), demanding(Some(&HUB)));
    assert!(call(&mut sides).contains(&Event::Established));
    assert!(sides.iter().all(|side| side.endpoint.rejects().total() == 0));
    // The caller's wrong name: silence, until its budget ends.
    let mut sides = pair(demanding(Some(&LAMP)), demanding(Some(&HUB)));
    assert_eq!(call(&mut sides), []);
    assert_eq!(sides[1].endpoint.rejects().get(Reject::IdentityProofInvalid), 1);
}
