//! Proofs go there and back, and name one role and one key.

use super::{Claim, IdentityProof};
use crate::keys::PublicKey;
use crate::session::Role;
use std::vec::Vec;

const KEY: PublicKey = PublicKey::from_bytes([7; 32]);

#[test]
fn a_statement_is_its_label_role_key_and_name() {
    let claim = Claim { role: Role::Initiator, key: &KEY, device: b"lamp" };
    let expected = [b"udp-sec v1 identity", &[0][..], &[7; 32], &[4], b"lamp"].concat();
    assert_eq!(claim.statement().unwrap()[..], expected);
    let answering = Claim { role: Role::Responder, ..claim };
    assert_eq!(answering.statement().unwrap()[19], 1);
    let longest = [b'x'; 64];
    assert_eq!(Claim { device: &longest, ..claim }.statement().unwrap().len(), 19 + 1 + 32 + 1 + 64);
    assert_eq!(Claim { device: &[b'x'; 65], ..claim }.statement(), None);
    assert_eq!(Claim { device: b"", ..claim }.statement().unwrap().len(), 53);
}

#[test]
fn a_proof_has_one_encoding() {
    for len in [0, 1, 63, 64] {
        let device = std::vec![b'd'; len];
        let proof = IdentityProof { device: &device, signer: &[1; 32], signature: &[2; 64] };
        let bytes = proof.encode().unwrap();
        assert_eq!(bytes[..], [&[len as u8][..], &device, &[1; 32], &[2; 64]].concat());
        assert_eq!(IdentityProof::decode(&bytes), Some(proof));
        for cut in 0..bytes.len() {
            assert_eq!(IdentityProof::decode(&bytes[..cut]), None, "{cut} of {}", bytes.len());
        }
        assert_eq!(IdentityProof::decode(&[&bytes[..], &[0]].concat()), None);
    }
    let too_long: Vec<u8> = [&[65][..], &[b'd'; 65], &[1; 32], &[2; 64]].concat();
    assert_eq!(IdentityProof::decode(&too_long), None);
    let device = [b'd'; 65];
    assert_eq!(IdentityProof { device: &device, signer: &[1; 32], signature: &[2; 64] }.encode(), None);
}
