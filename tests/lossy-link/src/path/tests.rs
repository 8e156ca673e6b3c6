//! Two ends, a NAT between them.

use super::*;
use crate::config::ErrorModel;
use udp_sec::time::Duration;

const SERVER: &str = "192.0.2.1:4433";
const CLIENT: &str = "198.51.100.7:50000";
const OTHER_PORT: &str = "198.51.100.7:50001";
const OTHER_ADDRESS: &str = "203.0.113.9:50000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

fn path(config: LinkConfig, seed: u64) -> Path {
    Path::new(address(CLIENT), address(SERVER), config.clone(), config, seed)
}

/// 10 ms each way.
fn plain_path() -> Path {
    path(LinkConfig::default().delay(Duration::from_millis(10)), 1)
}

#[test]
fn each_end_sees_the_others_address() {
    let mut path = plain_path();
    path.send(at(0), End::Client, address(SERVER), *b"ping");
    assert_eq!(path.next_delivery(), Some(at(10)));
    assert_eq!(path.poll(at(9)), None);
    let ping = path.poll(at(10)).unwrap();
    assert_eq!(
        ping,
        Arrival { at: at(10), to: End::Server, source: address(CLIENT), data: b"ping".to_vec() }
    );
    path.send(at(10), End::Server, ping.source, *b"pong");
    let pong = path.poll(at(20)).unwrap();
    assert_eq!(
        pong,
        Arrival { at: at(20), to: End::Client, source: address(SERVER), data: b"pong".to_vec() }
    );
    assert_eq!(path.next_delivery(), None);
    assert_eq!(path.unreachable(), 0);
}

#[test]
fn rebinding_changes_what_the_server_sees_from_then_on() {
    let mut path = plain_path();
    path.rebind(at(200), address(OTHER_ADDRESS));
    path.rebind(at(100), address(OTHER_PORT));
    for millis in [0, 99, 100, 199, 200] {
        path.send(at(millis), End::Client, address(SERVER), *b"x");
    }
    let sources: Vec<SocketAddr> =
        core::iter::from_fn(|| path.poll(at(1_000))).map(|arrival| arrival.source).collect();
    assert_eq!(sources, [CLIENT, CLIENT, OTHER_PORT, OTHER_PORT, OTHER_ADDRESS].map(address));
    assert_eq!(path.client_address(at(150)), address(OTHER_PORT));
}

#[test]
fn replies_to_an_old_binding_are_dropped_also_when_under_way() {
    let mut path = plain_path();
    path.rebind(at(100), address(OTHER_PORT));
    path.send(at(85), End::Server, address(CLIENT), *b"in time"); // arrives at 95
    path.send(at(90), End::Server, address(CLIENT), *b"too late"); // arrives at 100
    path.send(at(95), End::Server, address(OTHER_PORT), *b"new address"); // arrives at 105
    path.send(at(120), End::Server, address(CLIENT), *b"old address");
    let arrived: Vec<Vec<u8>> =
        core::iter::from_fn(|| path.poll(at(1_000))).map(|arrival| arrival.data).collect();
    assert_eq!(arrived, [b"in time".to_vec(), b"new address".to_vec()]);
    assert_eq!(path.unreachable(), 2);
}

#[test]
fn nobody_answers_at_a_foreign_address() {
    let mut path = plain_path();
    path.send(at(0), End::Client, address(OTHER_ADDRESS), *b"x");
    path.send(at(0), End::Server, address(OTHER_ADDRESS), *b"x");
    assert_eq!(path.poll(at(1_000)), None);
    assert_eq!(path.unreachable(), 2);
    assert_eq!(path.link_to(End::Server).counters().sent, 0);
}

#[test]
fn arrivals_of_both_directions_come_in_order_of_time() {
    let mut path = plain_path();
    path.send(at(0), End::Server, address(CLIENT), *b"first");
    path.send(at(1), End::Client, address(SERVER), *b"second");
    path.send(at(2), End::Server, address(CLIENT), *b"fourth");
    path.send(at(2), End::Client, address(SERVER), *b"third");
    let order: Vec<(u64, End)> = core::iter::from_fn(|| path.poll(at(1_000)))
        .map(|arrival| (arrival.at.as_micros() / 1_000, arrival.to))
        .collect();
    assert_eq!(order, [(10, End::Client), (11, End::Server), (12, End::Server), (12, End::Client)]);
}

#[test]
fn the_directions_lose_independently() {
    const PACKETS: usize = 200_000;
    let mut path = path(LinkConfig::default().loss(ErrorModel::random(300_000)), 4);
    let mut lost = [0_u32; 4]; // neither, toward the client, toward the server, both
    for _ in 0..PACKETS {
        path.send(at(0), End::Client, address(SERVER), *b"x");
        path.send(at(0), End::Server, address(CLIENT), *b"x");
        let mut fate = 0b11;
        while let Some(arrival) = path.poll(at(0)) {
            fate &= match arrival.to {
                End::Server => 0b01,
                End::Client => 0b10,
            };
        }
        lost[fate] += 1;
    }
    // 49 %, 21 %, 21 %, 9 %: deviations 224, 182, 182, 128.
    assert!(lost[0b00].abs_diff(98_000) < 1_118, "{lost:?}");
    assert!(lost[0b01].abs_diff(42_000) < 911, "{lost:?}");
    assert!(lost[0b10].abs_diff(42_000) < 911, "{lost:?}");
    assert!(lost[0b11].abs_diff(18_000) < 640, "{lost:?}");
}

#[test]
fn a_path_loses_what_links_with_the_direction_seeds_lose() {
    let config = LinkConfig::default().loss(ErrorModel::random(100_000));
    let mut path = path(config.clone(), 77);
    let mut link = Link::new(config, direction_seeds(77)[0]);
    for packet in 0..10_000 {
        path.send(at(packet), End::Client, address(SERVER), *b"x");
        link.send(at(packet), (), *b"x");
        assert_eq!(path.poll(at(packet)).is_some(), link.poll(at(packet)).is_some());
    }
}

/// What goes out keeps the mapping; what comes in does not. Once it is gone nothing gets in, and the next datagram that
/// goes out gets another port, through which answers come.
#[test]
fn a_nat_forgets_a_client_that_is_silent() {
    let mut path = plain_path();
    path.forget_after(Duration::from_secs(2));
    path.send(at(0), End::Client, address(SERVER), *b"1");
    path.send(at(1_900), End::Client, address(SERVER), *b"2");
    path.send(at(3_800), End::Server, address(CLIENT), *b"in time");
    path.send(at(3_895), End::Server, address(CLIENT), *b"too late");
    let arrived: Vec<_> = core::iter::from_fn(|| path.poll(at(4_000))).map(|arrival| arrival.data).collect();
    assert_eq!(arrived, [b"1".to_vec(), b"2".to_vec(), b"in time".to_vec()]);
    assert_eq!(path.unreachable(), 1);

    path.send(at(5_000), End::Client, address(SERVER), *b"3");
    let source = path.poll(at(5_100)).unwrap().source;
    assert_eq!(source, address(OTHER_PORT));
    path.send(at(5_100), End::Server, address(CLIENT), *b"to the old port");
    path.send(at(5_100), End::Server, source, *b"to the new one");
    assert_eq!(path.poll(at(5_200)).unwrap().data, b"to the new one");
    assert_eq!((path.poll(at(5_200)), path.unreachable()), (None, 2));
}
