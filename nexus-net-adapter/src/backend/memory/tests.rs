//! The link alone: what goes in at one end comes out at the other, later, unless the queue is full.

use std::vec::Vec;

use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Path, Transmit};

use super::{VirtualClock, Wire, WireSocket};
use crate::udp::{Clock, Datagrams, Received};

const DELAY: Duration = Duration::from_millis(10);

fn received<const N: usize>(socket: &mut WireSocket<'_, N>, now: Instant) -> Vec<(Path, Vec<u8>)> {
    let mut all = Vec::new();
    socket.receive(now, |path, datagram| all.push((path, datagram.to_vec())));
    all
}

#[test]
fn segments_arrive_as_datagrams_after_the_delay() {
    let wire = Wire::<8>::new(DELAY);
    let (mut near, mut far) = wire.ends();
    let start = Instant::from_micros(5);
    near.buffer()[..25].copy_from_slice(&core::array::from_fn::<u8, 25, _>(|index| index as u8));
    let transmit = Transmit { path: Path::to(far.local_addr()), len: 25, segment: 10 };
    near.send(start, &transmit).expect("room");

    assert_eq!(wire.next_arrival(), Some(start + DELAY));
    assert_eq!(far.receive(start, |_, _| panic!("too early")), Received::Nothing);
    let path = Path { remote: near.local_addr(), local: Some(far.local_addr().ip()) };
    let expected: Vec<_> =
        [0..10, 10..20, 20..25].map(|bytes: core::ops::Range<u8>| (path, bytes.collect::<Vec<_>>())).into();
    assert_eq!(received(&mut far, start + DELAY), expected);
    assert_eq!(received(&mut near, start + DELAY), [], "it went one way only");
    assert_eq!(wire.next_arrival(), None);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let wire = Wire::<2>::new(DELAY);
    let (mut near, mut far) = wire.ends();
    let transmit = Transmit { path: Path::to(far.local_addr()), len: 30, segment: 10 };
    near.send(Instant::ZERO, &transmit).expect("a loss is no error");
    assert_eq!(wire.dropped(), 1);
    assert_eq!(received(&mut far, Instant::ZERO + DELAY).len(), 2);
}

#[test]
fn waiting_is_the_passing_of_time() {
    let clock = &VirtualClock::new(Instant::from_micros(100));
    clock.idle(Instant::from_micros(250));
    assert_eq!(clock.now(), Instant::from_micros(250));
    clock.idle(Instant::from_micros(200));
    assert_eq!(clock.now(), Instant::from_micros(250), "time does not go back");
}
