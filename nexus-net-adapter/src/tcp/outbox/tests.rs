//! Records that grow while they wait, against a peer that opens them.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use udp_sec::error::CloseCode;
use udp_sec::session::record::RecordSession;

use super::Outbox;
use crate::tcp::OUTBOUND_MIN;
use crate::tcp::record::{CONTROL_RESERVE, OVERHEAD, Record};
use crate::tcp::tests::{keys, pattern};

/// An outbox, its keys, and the peer's.
struct Sender {
    outbox: Outbox<Vec<u8>>,
    session: RecordSession,
    peer: RecordSession,
}

impl Sender {
    fn new(capacity: usize) -> Self {
        let (session, peer) = keys();
        Self { outbox: Outbox::new(vec![0; capacity]), session, peer }
    }

    fn put(&mut self, data: &[u8]) -> usize {
        self.outbox.put_data(&mut self.session, data).unwrap()
    }

    /// Lets up to `most` bytes leave.
    fn leave(&mut self, most: usize) -> Vec<u8> {
        self.outbox.ready(&mut self.session).unwrap();
        let bytes = self.outbox.transmit();
        let bytes = bytes[..bytes.len().min(most)].to_vec();
        self.outbox.sent(bytes.len());
        bytes
    }
}

/// The texts of the records in `bytes`.
fn texts(peer: &mut RecordSession, mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let len = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        let mut record = bytes[2..2 + len].to_vec();
        texts.push(peer.open(&mut record).unwrap().text().to_vec());
        bytes = &bytes[2 + len..];
    }
    texts
}

#[test]
fn a_record_leaves_at_once_on_a_free_wire_and_grows_on_a_busy_one() {
    let mut sender = Sender::new(8192);
    assert_eq!(sender.put(b"alone"), 5);
    let first = sender.leave(10);
    // The rest of the first is still here: the next two wait together.
    assert_eq!((sender.put(b"wait"), sender.put(b"ing")), (4, 3));
    let rest = sender.leave(usize::MAX);
    let waiting = sender.leave(usize::MAX);
    assert_eq!((first.len() + rest.len(), waiting.len()), (5 + OVERHEAD, 7 + OVERHEAD));
    let all = [first, rest, waiting].concat();
    assert_eq!(texts(&mut sender.peer, &all), [&b"\x02alone"[..], b"\x02waiting"]);
    assert!(sender.outbox.is_empty());
}

#[test]
fn a_full_record_is_sealed_and_the_next_begins() {
    let mut sender = Sender::new(1 << 17);
    let data = pattern(40_000);
    assert_eq!(sender.put(&data), 40_000);
    let mut bytes = sender.leave(usize::MAX);
    bytes.extend(sender.leave(usize::MAX));
    let texts = texts(&mut sender.peer, &bytes);
    assert_eq!(texts.iter().map(Vec::len).collect::<Vec<_>>(), [16_384, 16_384, 40_000 - 2 * 16_383 + 1]);
    let read: Vec<u8> = texts.iter().flat_map(|text| &text[1..]).copied().collect();
    assert!(read == data);
}

#[test]
fn there_is_always_room_for_the_end() {
    for capacity in [OUTBOUND_MIN, OUTBOUND_MIN + 1, 20_000, 1 << 16] {
        let mut sender = Sender::new(capacity);
        while sender.put(&pattern(997)) > 0 {}
        assert!(!sender.outbox.is_roomy());
        for record in [Record::Alive, Record::Fin, Record::Close(CloseCode::NoError)] {
            sender.outbox.put_record(&mut sender.session, record).unwrap();
        }
        let bytes = sender.leave(usize::MAX);
        assert!(bytes.len() <= capacity && bytes.len() + CONTROL_RESERVE + OVERHEAD >= capacity);
        let texts = texts(&mut sender.peer, &bytes);
        assert!(texts.ends_with(&[vec![0], vec![3], vec![4, 0, 0]]));
    }
}

#[test]
fn what_is_not_sealed_can_be_dropped() {
    let mut sender = Sender::new(8192);
    sender.put(b"sealed");
    let first = sender.leave(3);
    sender.put(b"dropped");
    sender.outbox.drop_unsealed();
    sender.outbox.put_record(&mut sender.session, Record::Close(CloseCode::AppAbort)).unwrap();
    let bytes = [first, sender.leave(usize::MAX)].concat();
    assert_eq!(texts(&mut sender.peer, &bytes), [&b"\x02sealed"[..], &[4, 1, 0]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against the simplest model there is: what goes in, comes out.
    #[test]
    fn whatever_leaves_is_what_was_put(
        steps in proptest::collection::vec((0..3_000_usize, 0..4_000_usize), 1..80),
        capacity in OUTBOUND_MIN..9_000_usize,
    ) {
        let mut sender = Sender::new(capacity);
        let (mut put, mut left) = (Vec::new(), Vec::new());
        for (write, leave) in steps {
            let data = pattern(write);
            let count = sender.put(&data);
            put.extend_from_slice(&data[..count]);
            prop_assert!(sender.outbox.unsent() <= capacity);
            left.extend(sender.leave(leave));
            let roomy = sender.outbox.is_roomy();
            prop_assert!(!roomy || Sender::put(&mut sender, b"") == 0);
        }
        while !sender.outbox.is_empty() {
            left.extend(sender.leave(usize::MAX));
        }
        let read: Vec<u8> = texts(&mut sender.peer, &left).iter().flat_map(|text| &text[1..]).copied().collect();
        prop_assert!(read == put);
        // Empty, it has all its room again.
        prop_assert_eq!(sender.put(&vec![1; capacity]), capacity - CONTROL_RESERVE - OVERHEAD);
    }
}
