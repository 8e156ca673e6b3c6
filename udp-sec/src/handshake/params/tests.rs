//! Parameters in range go there and back; everything else is malformed, and nothing panics.

use super::{Aead, AeadList, ApplicationProtocol, Parameters, Reply, Values};
use crate::error::{CloseCode, Reject};
use crate::limits::{INITIAL_CREDIT_MAX, VERSION};
use crate::time::Duration;
use proptest::prelude::*;
use std::vec::Vec;

fn sample() -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"a/1").unwrap(), 5)
}

fn field(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut field = std::vec![kind, value.len() as u8, (value.len() >> 8) as u8];
    field.extend_from_slice(value);
    field
}

/// The mandatory fields as a peer would write them, with the one of type `kind` replaced.
fn with(kind: u8, replacement: &[u8]) -> Vec<u8> {
    let defaults = [
        (1, field(1, &7_u64.to_le_bytes())),
        (2, field(2, &25_u16.to_le_bytes())),
        (3, field(3, &30_000_u32.to_le_bytes())),
        (4, field(4, b"a/1")),
        (5, field(5, &[1])),
    ];
    let mut payload: Vec<u8> =
        defaults.into_iter().flat_map(|(own, field)| if own == kind { Vec::new() } else { field }).collect();
    payload.extend_from_slice(replacement);
    payload
}

fn read(payload: &[u8]) -> Option<Parameters> {
    match Values::read(payload).and_then(|values| Parameters::from_initiation(&values)) {
        Ok(parameters) => Some(parameters),
        Err(reject) => {
            assert_eq!(reject, Reject::MalformedParameters);
            None
        }
    }
}

/// All that parameters can begin with: refused, or padding to the end, which lacks what is mandatory.
#[test]
fn every_prefix_of_three_bytes() {
    let rest = with(0, &[]);
    for number in 0..1_u32 << 24 {
        let prefix = &number.to_le_bytes()[..3];
        assert!(read(prefix).is_none(), "{prefix:?}");
    }
    // Before good ones: a field of no bytes that nobody knows is skipped.
    let mut payload = [&[0; 3][..], &rest].concat();
    let mut accepted = 0;
    for number in 0..1_u32 << 24 {
        payload[..3].copy_from_slice(&number.to_le_bytes()[..3]);
        accepted += u32::from(read(&payload).is_some());
    }
    assert!((1..=255).contains(&accepted), "{accepted}");
}

#[test]
fn layout_is_fixed() {
    let payload = sample().to_initiation(None).unwrap();
    let expected = [
        &[1, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0][..],
        &[2, 2, 0, 25, 0],
        &[3, 4, 0, 0x30, 0x75, 0, 0],
        &[4, 3, 0, b'a', b'/', b'1'],
        &[5, 1, 0, 1],
        &[7, 1, 0, 2],
        &[9, 1, 0, 1],
    ]
    .concat();
    assert_eq!(payload.len(), 1060);
    assert_eq!(payload[..expected.len()], expected);
    assert!(payload[expected.len()..].iter().all(|byte| *byte == 0));
    let response = sample().to_response(0x0102, None).unwrap();
    assert_eq!(response.len(), 1140);
    assert_eq!(response[expected.len()..][..12], [10, 8, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Reply::refusal(CloseCode::SessionLimit).unwrap()[..6], [8, 2, 0, 4, 0, 0]);
}

#[test]
fn missing_optional_fields_have_defaults() {
    let parameters = read(&with(0, &[])).unwrap();
    assert_eq!((parameters.ack_step, parameters.highest_version), (2, VERSION));
    assert_eq!(parameters.initial_credit, 7);
    assert_eq!(parameters.max_ack_delay, Duration::from_millis(25));
    assert_eq!(parameters.idle_timeout, Duration::from_secs(30));
    assert_eq!(parameters.application.as_bytes(), b"a/1");
}

#[test]
fn test_reject_malformed_parameters() {
    for kind in 1..=5 {
        assert_eq!(read(&with(kind, &[])), None, "type {kind} is mandatory");
        assert_eq!(read(&with(kind, &field(kind, &[]))), None, "type {kind} is not empty");
    }
    // Twice, even with the same value, and even for types that this version skips or knows as optional.
    for (kind, value) in [(1, &7_u64.to_le_bytes()[..]), (4, b"a/1"), (6, b"proof"), (7, &[2]), (9, &[1])] {
        let twice = [field(kind, value), field(kind, value)].concat();
        assert_eq!(read(&with(kind, &twice)), None, "type {kind} twice");
        assert!(read(&with(kind, &twice[..twice.len() / 2])).is_some(), "type {kind} once");
    }
    for (kind, len) in [(1, 8), (2, 2), (3, 4), (7, 1), (9, 1)] {
        for wrong in [len - 1, len + 1] {
            assert_eq!(read(&with(kind, &field(kind, &[1; 9][..wrong]))), None, "type {kind}, {wrong} bytes");
        }
    }
    // Only a Response has these.
    assert_eq!(read(&with(8, &field(8, &[0, 0]))), None);
    assert_eq!(read(&with(10, &field(10, &[0; 8]))), None);
}

#[test]
fn values_out_of_range_are_malformed() {
    let edges: [(u8, Vec<u8>, bool); 17] = [
        (1, INITIAL_CREDIT_MAX.to_le_bytes().to_vec(), true),
        (1, (INITIAL_CREDIT_MAX + 1).to_le_bytes().to_vec(), false),
        (2, 0_u16.to_le_bytes().to_vec(), true),
        (2, 500_u16.to_le_bytes().to_vec(), true),
        (2, 501_u16.to_le_bytes().to_vec(), false),
        (3, 999_u32.to_le_bytes().to_vec(), false),
        (3, 1_000_u32.to_le_bytes().to_vec(), true),
        (3, 120_000_u32.to_le_bytes().to_vec(), true),
        (3, 120_001_u32.to_le_bytes().to_vec(), false),
        (4, std::vec![b'x'; 32], true),
        (4, std::vec![b'x'; 33], false),
        (5, std::vec![1, 1], false),
        (5, std::vec![200, 201, 200], false),
        (7, std::vec![0], false),
        (7, std::vec![64], true),
        (7, std::vec![65], false),
        (9, std::vec![0], false),
    ];
    for (kind, value, legal) in edges {
        assert_eq!(read(&with(kind, &field(kind, &value))).is_some(), legal, "type {kind}: {value:?}");
    }
}

#[test]
fn test_reject_truncated_payload() {
    let payload = with(5, &field(5, &[1]));
    assert!(read(&payload).is_some());
    for len in 0..payload.len() {
        assert_eq!(read(&payload[..len]), None, "{len} of {} bytes", payload.len());
    }
    for behind in [&[4, 0xff, 0xff][..], &[11, 1, 0], &[11, 0], &[11]] {
        assert_eq!(read(&[&payload[..], behind].concat()), None, "{behind:?}");
    }
}

#[test]
fn padding_is_zero_to_the_end() {
    let payload = with(0, &[]);
    assert!(read(&[&payload[..], &[0; 500]].concat()).is_some());
    for at in [1, 250, 499] {
        let mut padding = [0; 500];
        padding[at] = 1;
        assert_eq!(read(&[&payload[..], &padding].concat()), None, "byte {at} of the padding");
    }
}

#[test]
fn unknown_types_are_skipped() {
    let unknown = [field(11, b"?"), field(255, &[]), field(11, &[0; 300])].concat();
    assert_eq!(read(&[unknown, with(0, &[])].concat()), read(&with(0, &[])));
}

#[test]
fn test_reject_oversized_payload_encode() {
    assert!(ApplicationProtocol::new(&[b'x'; 32]).is_ok());
    assert!(ApplicationProtocol::new(&[b'x'; 33]).is_err() && ApplicationProtocol::new(b"").is_err());
    let out_of_range: [fn(&mut Parameters); 6] = [
        |p| p.initial_credit = INITIAL_CREDIT_MAX + 1,
        |p| p.max_ack_delay = Duration::from_millis(501),
        |p| p.idle_timeout = Duration::from_millis(999),
        |p| p.idle_timeout = Duration::from_millis(120_001),
        |p| p.ack_step = 65,
        |p| p.highest_version = 0,
    ];
    for change in out_of_range {
        let mut parameters = sample();
        change(&mut parameters);
        assert_eq!(parameters.to_initiation(None), Err(Reject::MalformedParameters));
        assert_eq!(parameters.to_response(1, None), Err(Reject::MalformedParameters));
    }
}

#[test]
fn an_acknowledgement_delay_is_never_announced_too_short() {
    let mut parameters = sample();
    parameters.max_ack_delay = Duration::from_micros(4_001);
    let read = read(&parameters.to_initiation(None).unwrap()).unwrap();
    assert_eq!(read.max_ack_delay, Duration::from_millis(5));
}

#[test]
fn ciphers_are_those_of_this_build() {
    let mandatory = AeadList::mandatory();
    assert_eq!(mandatory.iter().collect::<Vec<_>>(), [Aead::ChaCha20Poly1305]);
    assert_eq!(AeadList::new(&[Aead::ChaCha20Poly1305]), Ok(mandatory.clone()));
    assert_eq!(AeadList::new(&[Aead::Aes256Gcm]).is_ok(), Aead::Aes256Gcm.is_available());
    assert_eq!(Aead::Aes256Gcm.is_available(), cfg!(any(feature = "ring", feature = "aes-gcm")));
    assert!(AeadList::new(&[]).is_err() && AeadList::new(&[Aead::ChaCha20Poly1305; 2]).is_err());
    // A peer's list may name what we do not have or do not know.
    let peer = read(&with(5, &field(5, &[99, 2, 1]))).unwrap().aeads;
    assert_eq!(peer.iter().collect::<Vec<_>>(), [Aead::Aes256Gcm, Aead::ChaCha20Poly1305]);
    assert_eq!(peer.choose(&mandatory), Some(Aead::ChaCha20Poly1305));
    let other = read(&with(5, &field(5, &[2, 99]))).unwrap().aeads;
    assert_eq!(other.choose(&mandatory), None);
    // Known by number is not enough.
    assert_eq!(other.choose(&other), Aead::Aes256Gcm.is_available().then_some(Aead::Aes256Gcm));
}

#[test]
fn replies() {
    let offered = sample();
    let accept = |payload: &[u8]| Values::read(payload).and_then(|values| Reply::read(&values, &offered));
    let good = sample().to_response(77, None).unwrap();
    assert_eq!(
        accept(&good),
        Ok(Reply::Accepted { parameters: sample(), aead: Aead::ChaCha20Poly1305, session_id: 77 })
    );
    for code in [CloseCode::NoAppProtocol, CloseCode::Version, CloseCode::Other(999)] {
        assert_eq!(accept(&Reply::refusal(code).unwrap()), Ok(Reply::Refused(code)));
    }
    let id = field(10, &[1; 8]);
    let malformed = [
        sample().to_initiation(None).unwrap().to_vec(), // no session id
        with(0, &field(10, &[1; 7])),                   // a session id of a wrong length
        [with(5, &field(5, &[1, 2])), id.clone()].concat(), // two ciphers
        [with(5, &field(5, &[2])), id.clone()].concat(), // a cipher that was not offered
        [with(5, &field(5, &[99])), id.clone()].concat(), // an unknown cipher
        [with(4, &field(4, b"b/1")), id.clone()].concat(), // another application
        [with(0, &id), field(8, &[0, 0])].concat(),     // a refusal that is not alone
        field(8, &[0]),                                 // a refusal of a wrong length
        Vec::new(),
    ];
    for payload in malformed {
        assert_eq!(accept(&payload), Err(Reject::MalformedParameters), "{payload:?}");
    }
    assert!(accept(&[with(0, &id), field(77, b"from the future")].concat()).is_ok());
}

fn any_parameters() -> impl Strategy<Value = Parameters> {
    let application = proptest::collection::vec(any::<u8>(), 1..=32);
    (0..=INITIAL_CREDIT_MAX, 0..=500_u64, 1_000..=120_000_u64, application, 1..=64_u8, 1..=255_u8).prop_map(
        |(initial_credit, delay, idle, application, ack_step, highest_version)| Parameters {
            initial_credit,
            max_ack_delay: Duration::from_millis(delay),
            idle_timeout: Duration::from_millis(idle),
            application: ApplicationProtocol::new(&application).unwrap(),
            aeads: AeadList::mandatory(),
            ack_step,
            highest_version,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn parameters_come_back(parameters in any_parameters(), session_id: u64) {
        prop_assert_eq!(read(&parameters.to_initiation(None).unwrap()), Some(parameters.clone()));
        let response = parameters.to_response(session_id, None).unwrap();
        let reply = Values::read(&response).and_then(|values| Reply::read(&values, &parameters));
        let aead = Aead::ChaCha20Poly1305;
        prop_assert_eq!(reply, Ok(Reply::Accepted { parameters, aead, session_id }));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1140)) {
        let _ = read(&bytes);
        let _ = Values::read(&bytes).and_then(|values| Reply::read(&values, &sample()));
    }

    #[test]
    fn no_damage_makes_it_panic_or_leave_the_range(at in 0..60_usize, value: u8, len in 0..1060_usize) {
        let mut payload = sample().to_initiation(None).unwrap();
        payload[at] = value;
        if let Some(parameters) = read(&payload[..len]) {
            prop_assert!(parameters.in_range());
        }
    }
}
