//! Records that arrive in pieces, and are opened where they lie.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use udp_sec::error::Reject;
use udp_sec::session::record::RecordSession;

use super::{Inbox, Opened};
use crate::tcp::INBOUND_MIN;
use crate::tcp::record::{Expected, Record};
use crate::tcp::tests::{keys, pattern};

fn sealed(session: &mut RecordSession, text: &[u8]) -> Vec<u8> {
    let mut record = [text, &[0; 16]].concat();
    session.seal(&mut record).unwrap();
    [&u16::try_from(record.len()).unwrap().to_le_bytes()[..], &record].concat()
}

/// Gives `inbox` as much of `bytes` as it has room for.
fn give(inbox: &mut Inbox<Vec<u8>>, bytes: &[u8]) -> usize {
    let room = inbox.room();
    let count = room.len().min(bytes.len());
    room[..count].copy_from_slice(&bytes[..count]);
    inbox.received(count);
    count
}

#[test]
fn a_record_is_opened_when_it_is_whole_and_read_in_pieces() {
    let (mut sender, mut receiver) = keys();
    let bytes = [sealed(&mut sender, b"\x02some bytes"), sealed(&mut sender, &[3])].concat();
    let mut inbox = Inbox::new(vec![0; INBOUND_MIN]);
    for byte in &bytes[..28] {
        assert_eq!(inbox.open(&mut receiver), Ok(None));
        give(&mut inbox, &[*byte]);
    }
    give(&mut inbox, &bytes[28..]);
    assert_eq!(inbox.open(&mut receiver), Ok(Some(Opened::Record(Record::Data))));
    let mut part = [0; 4];
    assert_eq!((inbox.read(&mut part), &part), (4, b"some"));
    assert!(inbox.has_text());
    assert_eq!((inbox.read(&mut [0; 100]), inbox.has_text()), (6, false));
    assert_eq!(inbox.read(&mut part), 0);
    assert_eq!(inbox.open(&mut receiver), Ok(Some(Opened::Record(Record::Fin))));
    assert_eq!(inbox.open(&mut receiver), Ok(None));
}

#[test]
fn while_text_waits_only_the_room_behind_it_fills() {
    let (mut sender, mut receiver) = keys();
    let mut inbox = Inbox::new(vec![0; INBOUND_MIN + 100]);
    let first = sealed(&mut sender, &[&[2][..], &pattern(16_383)].concat());
    assert_eq!(give(&mut inbox, &first), first.len());
    inbox.open(&mut receiver).unwrap();
    let second = sealed(&mut sender, &[&[2][..], &pattern(500)].concat());
    let behind = give(&mut inbox, &second);
    assert_eq!((behind, inbox.room().len()), (100, 0));
    let mut read = vec![0; 16_383];
    assert_eq!(inbox.read(&mut read), 16_383);
    assert!(read == pattern(16_383));
    // Now the cut record moves to the front.
    assert_eq!(give(&mut inbox, &second[behind..]), second.len() - behind);
    assert_eq!(inbox.open(&mut receiver), Ok(Some(Opened::Record(Record::Data))));
    assert_eq!((inbox.read(&mut read), &read[..500]), (500, &pattern(500)[..]));
}

#[test]
fn a_length_that_no_record_has_is_refused_at_its_second_byte() {
    for (len, reject) in [(16_401_u16, Reject::OversizeDatagram), (16, Reject::MalformedHeader)] {
        let mut inbox = Inbox::new(vec![0; INBOUND_MIN]);
        let [low, high] = len.to_le_bytes();
        give(&mut inbox, &[low]);
        assert_eq!(inbox.open(&mut keys().1), Ok(None));
        give(&mut inbox, &[high]);
        assert_eq!(inbox.open(&mut keys().1), Err(reject));
        assert_eq!(inbox.take(Expected::Handshake).err().is_some(), len != 1200);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Records of any sizes, cut anywhere, read in any pieces, in any memory: the same bytes, and never stuck.
    #[test]
    fn cutting_changes_nothing(
        sizes in proptest::collection::vec(prop_oneof![1..60_usize, 1..16_384_usize], 1..20),
        cuts in proptest::collection::vec(prop_oneof![1..50_usize, 1..30_000_usize], 1..20),
        spare in 0..30_000_usize,
    ) {
        let (mut sender, mut receiver) = keys();
        let data = pattern(sizes.iter().sum());
        let (mut wire, mut rest) = (Vec::new(), &data[..]);
        for size in sizes {
            wire.extend(sealed(&mut sender, &[&[2][..], &rest[..size]].concat()));
            rest = &rest[size..];
        }
        let mut inbox = Inbox::new(vec![0; INBOUND_MIN + spare]);
        let (mut given, mut read, mut part) = (0, Vec::new(), vec![0; 30_000]);
        for cut in cuts.iter().cycle() {
            let end = wire.len().min(given + cut);
            let count = give(&mut inbox, &wire[given..end]);
            given += count;
            let opened = !inbox.has_text() && inbox.open(&mut receiver).unwrap().is_some();
            let taken = inbox.read(&mut part[..*cut]);
            read.extend_from_slice(&part[..taken]);
            if read.len() == data.len() {
                break;
            }
            prop_assert!(count > 0 || opened || taken > 0, "stuck at {} of {}", read.len(), data.len());
        }
        prop_assert!(read == data);
    }
}
