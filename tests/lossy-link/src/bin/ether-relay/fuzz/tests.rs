//! Hostile frames are many, of all kinds, and repeatable.

use std::collections::BTreeSet;

use super::*;
use crate::frame::kind;
use crate::frame::tests::{ipv4, tcp, udp};

const TARGET: [u8; 6] = [2, 0, 0, 0, 0, 9];

fn fuzzer(seed: u64) -> Fuzzer {
    let mut fuzzer = Fuzzer::new(20_000, seed);
    for length in 0..100 {
        fuzzer.learn(&ipv4(17, &udp(&vec![length; 3 * usize::from(length)])));
        fuzzer.learn(&ipv4(6, &tcp(0x18, &vec![length; usize::from(length)])));
    }
    fuzzer
}

fn frames(fuzzer: &mut Fuzzer) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| fuzzer.next(TARGET)).collect()
}

#[test]
fn it_makes_as_many_as_asked_and_the_same_again() {
    let mut first = fuzzer(1);
    let made = frames(&mut first);
    assert_eq!(made.len(), 20_000);
    assert_eq!(first.left(), 0);
    assert!(made == frames(&mut fuzzer(1)));
    assert!(made != frames(&mut fuzzer(2)));
    assert!(first.tail().eq(&made[19_000..]));
}

#[test]
fn every_layer_meets_some() {
    let made = frames(&mut fuzzer(3));
    let count = |wanted: fn(Kind) -> bool| made.iter().filter(|frame| wanted(kind(frame))).count();
    assert!(count(|kind| matches!(kind, Kind::Udp { payload: 1.. })) > 2_000);
    assert!(count(|kind| matches!(kind, Kind::Tcp { .. })) > 1_000);
    assert!(count(|kind| kind == Kind::Arp) > 300);
    assert!(count(|kind| kind == Kind::Other) > 1_000);
    assert!(count(|kind| kind == Kind::Runt) > 10);
    let lengths: BTreeSet<usize> = made.iter().map(Vec::len).collect();
    assert!(lengths.len() > 1_500, "{} lengths", lengths.len());
    assert_eq!((lengths.first(), lengths.last()), (Some(&SHORTEST), Some(&LONGEST)));
}

#[test]
fn how_a_session_began_is_not_forgotten() {
    let mut fuzzer = Fuzzer::new(5_000, 5);
    let real = |number: u32| ipv4(17, &udp(&number.to_le_bytes()));
    (0..10_000).for_each(|number| fuzzer.learn(&real(number)));
    let made = frames(&mut fuzzer);
    let again = |number| made.iter().filter(|frame| **frame == real(number)).count();
    assert!(again(0) > 2 && again(15) > 2 && again(9_999) > 2);
    assert_eq!((again(16), again(9_000)), (0, 0), "neither among the first nor among the latest");
}

#[test]
fn before_a_real_frame_was_seen_it_is_noise() {
    let mut fuzzer = Fuzzer::new(100, 1);
    let made = frames(&mut fuzzer);
    assert!(made.iter().filter(|frame| frame.starts_with(&TARGET)).count() > 50);
}

#[test]
fn address_resolution_is_not_forged() {
    let mut arp = [&[0xff; 6][..], &[2; 6], &[8, 6], &[0; 28]].concat();
    arp.extend(b"a real one");
    let mut fuzzer = Fuzzer::new(2_000, 4);
    fuzzer.learn(&arp);
    assert!(frames(&mut fuzzer).iter().all(|frame| !frame.ends_with(b"a real one")));
}
