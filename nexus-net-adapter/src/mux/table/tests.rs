//! Places, and how long what is over is remembered.

use super::*;
use crate::mux::credit::ReceiveCredit;
use crate::mux::id::{PriorityClass, StreamName, WindowCredit};
use crate::mux::ring::Ring;
use crate::mux::slot::{Closing, Notes, Opening, Reader, Writer};
use crate::mux::stream::StreamState;

fn stream(id: u32) -> Stream {
    Stream {
        id: StreamId::new(id).unwrap(),
        priority: PriorityClass::HIGHEST,
        name: StreamName::new("name").unwrap(),
        state: StreamState::Open,
        opening: Opening::Done,
        closing: Closing::NotYet,
        reset: None,
        reader: Reader::Reading,
        writer: Writer::Free,
        notes: Notes::default(),
        send_credit: WindowCredit::NONE,
        receive_credit: ReceiveCredit::new(0, WindowCredit::NONE),
        grant: WindowCredit::NONE,
        inbound: Ring::EMPTY,
        outbound: Ring::EMPTY,
    }
}

#[test]
fn a_stream_that_is_over_is_found_until_its_place_is_needed() {
    let mut table = Table::<3>::new(3);
    for id in 1..=3 {
        table.insert(stream(id)).unwrap();
    }
    assert!(!table.has_room() && table.insert(stream(4)).is_none());
    let find = |table: &Table<3>, id| table.find(StreamId::new(id).unwrap());
    let [first, second] = [1, 2].map(|id| find(&table, id).unwrap());
    table.retire(second);
    table.retire(second);
    table.retire(first);
    assert_eq!(table.live(), 1);
    assert_eq!(find(&table, 2), Some(second));
    assert_eq!(table.insert(stream(4)), Some(second), "the one that has been over longest");
    assert_eq!((find(&table, 2), find(&table, 1)), (None, Some(first)));
    assert_eq!(table.insert(stream(5)), Some(first));
    assert_eq!(table.insert(stream(6)), None, "retired twice is one place");
}

#[test]
fn there_are_no_more_places_than_memory() {
    let mut table = Table::<3>::new(2);
    assert_eq!([1, 2, 3].map(|id| table.insert(stream(id)).is_some()), [true, true, false]);
    assert_eq!(Table::<3>::new(1000).free.len(), 3);
}
