//! Records sealed and opened, what is refused, the change of keys, and Noise's own transport state as the judge.

use super::RecordSession;
use crate::crypto::resolver::Resolver;
use crate::error::Reject;
use crate::handshake::{Accepted, Answer, Initiator, Records, Responder};
use crate::limits::{RECORD_LEN_MAX, RECORD_LEN_MIN, RECORD_TEXT_MAX, RECORDS_PER_KEY, TAG_LEN};
use crate::session::SealError;
use crate::tests::{INITIATOR_ID, RESPONDER_ID, allow, keypair, parameters, rng};
use crate::wire::Response;
use proptest::prelude::*;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;
use zeroize::Zeroizing;

fn initiator(seed: u64) -> (Initiator<Records>, Responder) {
    let (client, server) = (keypair(seed), keypair(seed + 1));
    let initiator =
        Initiator::for_records(&client, server.public(), INITIATOR_ID, &parameters(), &mut rng(seed + 2));
    (initiator.unwrap(), Responder::new(server))
}

/// Both ends of a completed handshake over records: the initiator's and the responder's session.
fn sessions(seed: u64) -> (RecordSession, RecordSession) {
    let (initiator, responder) = initiator(seed);
    let checked = responder.check_mac1(initiator.datagram()).unwrap();
    let incoming = responder.read_record(checked, &mut rng(seed + 3)).unwrap();
    let authorized = incoming.authorize(&allow(&[*keypair(seed).public()])).unwrap();
    let Accepted::HalfOpen { response, session: theirs, .. } =
        authorized.accept(RESPONDER_ID, &parameters()).unwrap()
    else {
        panic!("refused")
    };
    let Answer::Established { session: ours, .. } = initiator.read_response(&response) else {
        panic!("not established")
    };
    (ours, theirs)
}

fn seal(session: &mut RecordSession, text: &[u8]) -> Vec<u8> {
    let mut record = [text, &[0; TAG_LEN]].concat();
    session.seal(&mut record).unwrap();
    record
}

fn open(session: &mut RecordSession, record: &[u8]) -> Result<Vec<u8>, Reject> {
    session.open(&mut record.to_vec()).map(|opened| opened.text().to_vec())
}

#[test]
fn both_directions_carry_records() {
    let (mut ours, mut theirs) = sessions(1);
    assert_eq!((ours.peer(), theirs.peer()), (keypair(2).public(), keypair(1).public()));
    for round in 0..3_u8 {
        let (there, back) = (seal(&mut ours, &[round; 40]), seal(&mut theirs, &[round, 7]));
        assert_eq!(open(&mut theirs, &there), Ok(vec![round; 40]));
        assert_eq!(open(&mut ours, &back), Ok(vec![round, 7]));
    }
    assert_eq!((ours.sealed(), theirs.opened()), (3, Some(3)));
    let largest = vec![5; RECORD_TEXT_MAX];
    let record = seal(&mut ours, &largest);
    assert_eq!((record.len(), open(&mut theirs, &record)), (RECORD_LEN_MAX, Ok(largest)));
}

#[test]
fn test_reject_oversized_record_encode() {
    let (mut ours, _) = sessions(2);
    for len in [0, 1, RECORD_LEN_MIN - 1, RECORD_LEN_MAX + 1, 65_535] {
        let mut record = vec![0xee; len];
        assert_eq!(ours.seal(&mut record), Err(SealError::Size));
        assert!(record.iter().all(|byte| *byte == 0xee), "nothing is written");
    }
    assert_eq!(ours.sealed(), 0, "no number is used");
}

#[test]
fn every_bit_counts() {
    let record = seal(&mut sessions(3).0, b"every bit of this counts");
    for bit in (0..8 * record.len()).step_by(3) {
        let (_, mut theirs) = sessions(3);
        let mut bad = record.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&mut theirs, &bad), Err(Reject::DecryptFailed), "bit {bit}");
        // There is no second try, not even with the right bytes.
        assert_eq!(open(&mut theirs, &record), Err(Reject::DecryptFailed));
        assert_eq!(theirs.opened(), None);
    }
    assert!(open(&mut sessions(3).1, &record).is_ok());
}

#[test]
fn a_record_of_another_length_does_not_open() {
    let record = seal(&mut sessions(4).0, &[9; 30]);
    for len in (0..record.len()).step_by(2) {
        let expected = if len < RECORD_LEN_MIN { Reject::MalformedHeader } else { Reject::DecryptFailed };
        assert_eq!(open(&mut sessions(4).1, &record[..len]), Err(expected), "{len} bytes");
    }
    let longer = [&record[..], &[0]].concat();
    assert_eq!(open(&mut sessions(4).1, &longer), Err(Reject::DecryptFailed));
    let oversize = vec![0; RECORD_LEN_MAX + 1];
    assert_eq!(open(&mut sessions(4).1, &oversize), Err(Reject::MalformedHeader));
}

#[test]
fn a_record_repeated_left_out_or_moved_does_not_open() {
    let (mut ours, mut theirs) = sessions(5);
    let records: Vec<_> = (1..=3_u8).map(|text| seal(&mut ours, &[text])).collect();
    assert_eq!(open(&mut theirs, &records[0]), Ok(vec![1]));
    assert_eq!(open(&mut theirs, &records[0]), Err(Reject::DecryptFailed), "repeated");
    assert_eq!(open(&mut sessions(5).1, &records[1]), Err(Reject::DecryptFailed), "the first left out");
    // Reflected: each direction has its own key.
    assert_eq!(open(&mut ours, &records[0]), Err(Reject::DecryptFailed));
    // Another handshake has other keys.
    assert_eq!(open(&mut sessions(50).1, &records[0]), Err(Reject::DecryptFailed));
}

/// A direction at a number close to what the test is about, on both sides.
fn at(seed: u64, number: u64) -> (RecordSession, RecordSession) {
    let (mut ours, mut theirs) = sessions(seed);
    ours.send.next = number;
    theirs.receive.as_mut().unwrap().next = number;
    (ours, theirs)
}

#[test]
fn the_key_changes_after_its_last_record_and_the_numbers_go_on() {
    let (mut ours, mut theirs) = at(6, RECORDS_PER_KEY - 2);
    let same_key = at(6, RECORDS_PER_KEY).0;
    let records: Vec<_> = (0..4_u8).map(|text| seal(&mut ours, &[text; 8])).collect();
    for (text, record) in (0_u8..).zip(&records) {
        assert_eq!(open(&mut theirs, record), Ok(vec![text; 8]));
    }
    // Under the old key the record after the last would have been another.
    let mut without_rekey = same_key;
    assert_ne!(seal(&mut without_rekey, &[2; 8]), records[2]);
    // And a side that did not change its key does not open it.
    let (_, mut behind) = at(6, RECORDS_PER_KEY);
    assert_eq!(open(&mut behind, &records[2]), Err(Reject::DecryptFailed));
}

#[test]
fn the_last_number_is_never_used() {
    let (mut ours, mut theirs) = at(7, u64::MAX - 2);
    let record = seal(&mut ours, &[1]);
    assert!(open(&mut theirs, &record).is_ok());
    let last = seal(&mut ours, &[2]);
    assert!(open(&mut theirs, &last).is_ok());
    assert_eq!(ours.seal(&mut [0; 40]), Err(SealError::KeyLimit));
    assert_eq!(open(&mut theirs, &record), Err(Reject::DecryptFailed));
}

/// A message recorded on one carrier is worth nothing on the other, in either role.
#[test]
fn datagrams_and_records_do_not_mix() {
    let (client, server) = (keypair(8), Responder::new(keypair(9)));
    let by_records =
        Initiator::for_records(&client, server.public(), INITIATOR_ID, &parameters(), &mut rng(1)).unwrap();
    let by_datagrams =
        Initiator::new(&client, server.public(), INITIATOR_ID, &parameters(), &mut rng(1)).unwrap();
    let check = |datagram| server.check_mac1(datagram).unwrap();
    let stray = server.read(check(by_records.datagram()), &mut rng(2)).err();
    assert_eq!(stray, Some(Reject::HandshakeFailed));
    let stray = server.read_record(check(by_datagrams.datagram()), &mut rng(2)).err();
    assert_eq!(stray, Some(Reject::HandshakeFailed));

    let incoming = server.read(check(by_datagrams.datagram()), &mut rng(2)).unwrap();
    let accepted = incoming.authorize(&allow(&[*client.public()])).unwrap().accept(5, &parameters()).unwrap();
    let Accepted::HalfOpen { response, .. } = accepted else { panic!("refused") };
    let Answer::Rejected(_, reject) = by_records.read_response(&response) else {
        panic!("a Response to a datagram opened as a record")
    };
    assert_eq!(reject, Reject::HandshakeFailed);
}

/// The other side is snow's: its handshake, its transport messages, its REKEY.
#[test]
fn records_are_noise_transport_messages() {
    let (initiator, responder) = initiator(10);
    let prologue = [&b"udp-sec v1 tcp"[..], &initiator.datagram()[..12]].concat();
    let secret = keypair(11);
    assert_eq!(secret.public(), responder.public());
    let resolver = Box::new(Resolver::new(Zeroizing::new([6; 32])));
    let mut theirs =
        snow::Builder::with_resolver("Noise_IK_25519_ChaChaPoly_BLAKE2s".parse().unwrap(), resolver)
            .prologue(&prologue)
            .and_then(|builder| builder.local_private_key(secret.secret()))
            .and_then(snow::Builder::build_responder)
            .unwrap();
    let mut room = vec![0; 2048];
    theirs.read_message(&initiator.datagram()[12..1168], &mut room).unwrap();
    let payload = parameters().to_response(RESPONDER_ID, None).unwrap();
    let len = theirs.write_message(&payload, &mut room).unwrap();
    let response = Response::new(INITIATOR_ID, room[..len].try_into().unwrap()).encode();
    let Answer::Established { session: mut ours, .. } = initiator.read_response(&response) else {
        panic!("not established")
    };
    let mut theirs = theirs.into_stateless_transport_mode().unwrap();
    let mut text = vec![0; 100];
    for number in [0, 1, 2, RECORDS_PER_KEY - 2, RECORDS_PER_KEY - 1, RECORDS_PER_KEY, RECORDS_PER_KEY + 1] {
        // Ours changes its keys by itself, snow's when it is told to.
        if number == RECORDS_PER_KEY {
            theirs.rekey_incoming();
            theirs.rekey_outgoing();
        } else {
            ours.send.next = number;
            ours.receive.as_mut().unwrap().next = number;
        }
        let there = seal(&mut ours, &[3; 5]);
        assert_eq!(theirs.read_message(number, &there, &mut text), Ok(5), "record {number}");
        assert_eq!(text[..5], [3; 5]);
        let len = theirs.write_message(number, b"back", &mut room).unwrap();
        assert_eq!(ours.open(&mut room[..len]).unwrap().text(), b"back", "record {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_comes_back(text in proptest::collection::vec(any::<u8>(), 1..=RECORD_TEXT_MAX), seed in 0..4_u64) {
        let (mut ours, mut theirs) = sessions(seed);
        let record = seal(&mut ours, &text);
        prop_assert_eq!(record.len(), text.len() + TAG_LEN);
        prop_assert_eq!(open(&mut theirs, &record), Ok(text));
    }

    #[test]
    fn no_bytes_make_it_panic_or_open(bytes in proptest::collection::vec(any::<u8>(), 0..20_000)) {
        prop_assert!(open(&mut sessions(0).1, &bytes).is_err());
    }
}
