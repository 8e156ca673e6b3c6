//! Memory goes out, comes back, and is as new then.

use std::boxed::Box;

use super::{Pool, StaticPool};
use crate::memory::{Small, Storage};
use crate::span::Span;

fn memory() -> &'static mut Small {
    Box::leak(Box::default())
}

#[test]
fn there_is_room_for_as_many_sessions_as_memory_was_lent() {
    let mut pool = StaticPool::<Small, 1>::new();
    assert!(pool.reserve().is_none(), "no memory yet");
    pool.lend(memory()).expect("room for one");
    pool.lend(memory()).expect_err("and for no more");
    let (slot, storage) = pool.reserve().expect("one");
    assert_eq!(slot, 0);
    assert!(pool.reserve().is_none(), "it is out");
    pool.restore(storage);
    assert!(pool.reserve().is_some_and(|(slot, _)| slot == 0), "it is back");
}

#[test]
fn what_comes_back_is_as_new() {
    let mut pool = StaticPool::<Small, 1>::new();
    pool.lend(memory()).expect("room");
    let (_, storage) = pool.reserve().expect("one");
    let memory = storage.memory();
    memory.send.fill(1);
    memory.recv.fill(2);
    memory.replay.fill(3);
    for spans in [memory.acked, memory.lost, memory.reorder] {
        spans.push(Span::new(4, 5)).expect("room for a span");
    }
    pool.restore(storage);
    let (_, storage) = pool.reserve().expect("it is back");
    let memory = storage.memory();
    assert!(memory.send.iter().chain(&*memory.recv).all(|byte| *byte == 0), "bytes of the last session");
    assert!(memory.replay.iter().all(|word| *word == 0), "the window of the last session");
    assert!(memory.sent.is_empty() && memory.acked.is_empty(), "packets of the last session");
    assert!(memory.lost.is_empty() && memory.reorder.is_empty(), "ranges of the last session");
}
