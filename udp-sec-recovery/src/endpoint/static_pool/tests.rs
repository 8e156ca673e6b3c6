//! Memory goes out, comes back, and is as new then.

use std::boxed::Box;
use std::vec::Vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};

use super::{Pool, StaticPool};
use crate::connection::{Connection, Path};
use crate::endpoint::{Config, Endpoint, Output, Tables};
use crate::event::{Closure, Event};
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

type Device = Endpoint<&'static mut StaticPool<Small, 1>, AllowList<1>, 1, 2>;

fn device(keys: &[StaticKeypair; 2], own: usize) -> Device {
    let pool: &'static mut StaticPool<Small, 1> = Box::leak(Box::default());
    pool.lend(memory()).expect("room");
    let tables: &'static mut Tables<1, 2> = Box::leak(Box::default());
    let mut allowed = AllowList::new();
    allowed.add(*keys[1 - own].public()).expect("room");
    let parameters = Parameters::new(ApplicationProtocol::new(b"pool/1").expect("short"), 0);
    Endpoint::new(Config::new(keys[own].clone(), parameters), tables, pool, allowed)
}

/// Writes what there is to write and finishes after it; reads what there is to read.
fn move_bytes(session: &mut Connection<&'static mut Small>, unwritten: &mut &[u8], received: &mut Vec<u8>) {
    if !unwritten.is_empty() && session.closure().is_none() {
        let taken = session.write(unwritten).expect("open, and not finished");
        *unwritten = &unwritten[taken..];
    }
    if unwritten.is_empty() {
        session.finish();
    }
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = session.read(&mut bytes) {
        received.extend_from_slice(&bytes[..count]);
    }
}

/// Both ends have memory for one session, so the second session is in that of the first.
#[test]
fn one_session_after_another_in_the_same_memory() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let keys = [(); 2].map(|()| StaticKeypair::generate(&mut rng).expect("a generator that cannot fail"));
    let mut devices = [device(&keys, 0), device(&keys, 1)];
    let paths = [1, 2].map(|host| Path::to(([192, 0, 2, host], 4_433).into()));
    let mut now = Instant::ZERO;
    for round in 1..=3_u8 {
        let sent: Vec<u8> = (0..20_000).map(|at: u32| (at % 251) as u8 ^ round).collect();
        let mut unwritten = [sent.as_slice(), &[]];
        let mut received = [Vec::new(), Vec::new()];
        let mut sessions = [None; 2];
        let mut closed = [false; 2];
        let id = devices[0].connect(now, &mut rng, paths[1], keys[1].public()).expect("the memory is back");
        let late = now + Duration::from_secs(10);
        while closed != [true; 2] {
            for end in [0, 1] {
                devices[end].handle_timeout(now);
                if let Some(session) = sessions[end].and_then(|id| devices[end].session(id)) {
                    move_bytes(session, &mut unwritten[end], &mut received[end]);
                }
                let mut out = [0; 1200];
                loop {
                    match devices[end].poll_output(now, &mut out) {
                        Output::Transmit(transmit) => {
                            let datagram = &mut out[..transmit.len];
                            devices[1 - end].handle_datagram(now, &mut rng, paths[end], datagram);
                        }
                        Output::Event(id, Event::Established) => sessions[end] = Some(id),
                        Output::Event(id, Event::Closed(why)) => {
                            assert_eq!(why, Closure::Complete, "round {round}, end {end}");
                            let session = devices[end].session(id).expect("until it is released");
                            move_bytes(session, &mut unwritten[end], &mut received[end]);
                            devices[end].release(now, id);
                            closed[end] = true;
                        }
                        Output::Event(..) => {}
                        Output::Wait(_) => break,
                    }
                }
            }
            now += Duration::from_millis(1);
            assert!(now < late, "round {round}: {} bytes arrived, closed {closed:?}", received[1].len());
        }
        assert_eq!(sessions[0], Some(id));
        assert!(received == [Vec::new(), sent], "round {round}: what arrived differs");
        // What is left to say is said without the session's memory.
        for (end, device) in devices.iter_mut().enumerate() {
            device.check();
            assert_eq!(device.sessions(), 0, "round {round}, end {end}");
        }
    }
}
