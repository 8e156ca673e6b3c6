//! What is legal decodes and encodes to the same bytes; everything else is refused under the right label.

use super::{CookieReply, DataHeader, Datagram, Initiation, KeyPhase, Pattern, Response, decode};
use crate::error::Reject;
use crate::limits::{COOKIE_REPLY_LEN, DATA_LEN_MIN, DATAGRAM_MAX, INITIATION_LEN, RESPONSE_LEN};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// One legal datagram of each type.
fn samples() -> Vec<Vec<u8>> {
    let (noise1, noise2) = ([7; 1156], [8; 1188]);
    let data = [&DataHeader::new(6, KeyPhase::Zero, 0xfedc_ba98).encode()[..], &[9; 17]].concat();
    vec![
        Initiation::new(Pattern::Ik, 1, &noise1, &[2; 16], &[0; 16]).encode().to_vec(),
        Response::new(3, &noise2).encode().to_vec(),
        CookieReply::new(4, &[5; 24], &[6; 32]).encode().to_vec(),
        data,
    ]
}

/// The bytes that `decoded` stands for, without what is sealed in a Data packet.
fn encode(decoded: &Datagram<'_>) -> Vec<u8> {
    match decoded {
        Datagram::Initiation(initiation) => initiation.encode().to_vec(),
        Datagram::Response(response) => response.encode().to_vec(),
        Datagram::CookieReply(reply) => reply.encode().to_vec(),
        Datagram::Data(header) => header.encode().to_vec(),
    }
}

#[test]
fn layout_is_fixed() {
    let samples = samples();
    let lengths: Vec<_> = samples.iter().map(Vec::len).collect();
    assert_eq!(lengths, [INITIATION_LEN, RESPONSE_LEN, COOKIE_REPLY_LEN, DATA_LEN_MIN]);
    assert_eq!(lengths, [1200, 1200, 68, 33]);
    assert_eq!(samples[0][..14], [1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 7]);
    assert_eq!(samples[0][1167..1186], [&[7][..], &[2; 16], &[0; 2]].concat());
    assert_eq!(samples[1][..14], [1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 8, 8]);
    assert_eq!(samples[2][..14], [1, 3, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 5]);
    assert_eq!(samples[3][..17], [1, 4, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0x98, 0xba, 0xdc, 0xfe, 9]);
    let phase_one = DataHeader::new(0x0807_0605_0403_0201, KeyPhase::One, 0).encode();
    assert_eq!(phase_one, [1, 4, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
    assert_eq!(DataHeader::decode(&phase_one).map(|header| header.key_phase()), Ok(KeyPhase::One));
}

#[test]
fn every_field_is_read_back() {
    const ID: u64 = 0x0807_0605_0403_0201;
    for pattern in [Pattern::Ik, Pattern::IkPsk2] {
        let encoded = Initiation::new(pattern, ID, &[7; 1156], &[2; 16], &[3; 16]).encode();
        let Ok(Datagram::Initiation(read)) = decode(&encoded) else { panic!("no initiation: {encoded:?}") };
        assert_eq!((read.pattern(), read.sender_id()), (pattern, ID));
        assert_eq!((read.noise(), read.mac1(), read.mac2()), (&[7; 1156], &[2; 16], &[3; 16]));
        assert_eq!(read.prefix()[..], encoded[..12]);
        assert_eq!(Initiation::prefix_of(pattern, ID), read.prefix());
    }
    let encoded = Response::new(ID, &[8; 1188]).encode();
    let Ok(Datagram::Response(read)) = decode(&encoded) else { panic!("no response: {encoded:?}") };
    assert_eq!((read.receiver_id(), read.noise()), (ID, &[8; 1188]));
    assert_eq!(Response::prefix(ID)[..], encoded[..12]);
    let encoded = CookieReply::new(ID, &[5; 24], &[6; 32]).encode();
    let Ok(Datagram::CookieReply(read)) = decode(&encoded) else { panic!("no cookie: {encoded:?}") };
    assert_eq!((read.receiver_id(), read.nonce(), read.sealed()), (ID, &[5; 24], &[6; 32]));
    for phase in [KeyPhase::Zero, KeyPhase::One] {
        let encoded = [&DataHeader::new(ID, phase, 0x0c0b_0a09).encode()[..], &[9; 17]].concat();
        let Ok(Datagram::Data(read)) = decode(&encoded) else { panic!("no data: {encoded:?}") };
        assert_eq!((read.receiver_id(), read.key_phase(), read.packet_number()), (ID, phase, 0x0c0b_0a09));
    }
}

/// All that a datagram can begin with, at every length that matters: what is legal is what the table of types says.
#[test]
fn every_prefix_of_three_bytes() {
    let mut legal = [0; 6];
    for (place, len) in [3, DATA_LEN_MIN - 1, DATA_LEN_MIN, COOKIE_REPLY_LEN, DATAGRAM_MAX, DATAGRAM_MAX + 1]
        .iter()
        .enumerate()
    {
        let mut datagram = vec![0; *len];
        for number in 0..1_u32 << 24 {
            datagram[..3].copy_from_slice(&number.to_le_bytes()[..3]);
            if let Ok(read) = decode(&datagram) {
                legal[place] += 1;
                let written = encode(&read);
                assert_eq!(written, datagram[..written.len()]);
            }
        }
    }
    // Data in either phase from 33 bytes on; a CookieReply of 68; an Initiation in two patterns and a Response of 1200.
    assert_eq!(legal, [0, 0, 2, 3, 5, 0]);
}

#[test]
fn a_data_header_is_of_no_other_datagram() {
    for sample in samples() {
        let header = sample[..16].try_into().expect("each is longer");
        assert_eq!(DataHeader::decode(header).is_ok(), sample[1] == 4, "type {}", sample[1]);
    }
}

#[test]
fn test_reject_bad_magic() {
    for sample in samples() {
        assert!(decode(&sample).is_ok());
        // Version, type and the reserved byte: every wrong value. Another type has another size, except that
        // Initiation and Response have the same.
        for (at, legal) in [(0, &[1][..]), (1, &[1, 2, 3, 4]), (3, &[0])] {
            for value in (0..=255_u8).filter(|value| !legal.contains(value)) {
                let mut bad = sample.clone();
                bad[at] = value;
                assert_eq!(decode(&bad), Err(Reject::MalformedHeader), "byte {at} = {value}");
            }
        }
        // Flags: Initiation and Data have one each.
        for flags in 1..=255_u8 {
            let mut bad = sample.clone();
            bad[2] = flags;
            assert_eq!(
                decode(&bad).is_ok(),
                [1, 4].contains(&sample[1]) && flags == 1,
                "flags {flags} of type {}",
                sample[1]
            );
        }
    }
}

#[test]
fn test_reject_truncated_payload() {
    for sample in samples() {
        let refused = (0..sample.len()).all(|len| decode(&sample[..len]) == Err(Reject::MalformedHeader));
        assert!(refused, "type {}", sample[1]);
        if sample.len() < DATAGRAM_MAX && sample[1] != 4 {
            let longer = [&sample[..], &[0]].concat();
            assert_eq!(decode(&longer), Err(Reject::MalformedHeader));
        }
    }
}

#[test]
fn test_reject_oversize_datagram() {
    for mut sample in samples() {
        sample.resize(DATAGRAM_MAX + 1, 0);
        assert_eq!(decode(&sample), Err(Reject::OversizeDatagram));
    }
    assert_eq!(decode(&vec![0; 65_507]), Err(Reject::OversizeDatagram));
}

fn any_datagram() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![Just(1200_usize), Just(68), 33..=1200_usize, 0..40_usize];
    let bytes = size.prop_flat_map(|size| proptest::collection::vec(any::<u8>(), size));
    (0..=5_u8, 0..=1_u8, bytes).prop_map(|(kind, flags, mut bytes)| {
        for (to, from) in bytes.iter_mut().zip([1, kind, flags, 0]) {
            *to = from;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in any_datagram()) {
        if let Ok(decoded) = decode(&bytes) {
            let encoded = encode(&decoded);
            prop_assert_eq!(&encoded[..], &bytes[..encoded.len()]);
            prop_assert!(encoded.len() == bytes.len() || matches!(decoded, Datagram::Data(_)));
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same_value(id: u64, phase: bool, number: u32) {
        let phase = if phase { KeyPhase::One } else { KeyPhase::Zero };
        let header = DataHeader::new(id, phase, number);
        prop_assert_eq!(DataHeader::decode(&header.encode()), Ok(header));
        let (noise, mac) = ([number as u8; 1156], [id as u8; 16]);
        let pattern = if number % 2 == 0 { Pattern::Ik } else { Pattern::IkPsk2 };
        let initiation = Initiation::new(pattern, id, &noise, &mac, &[1; 16]);
        let encoded = initiation.encode();
        prop_assert_eq!(decode(&encoded), Ok(Datagram::Initiation(initiation)));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1300)) {
        let _ = decode(&bytes);
    }
}
