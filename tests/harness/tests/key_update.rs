//! Keys give way to the next ones while data flows, is lost and is reordered, and nobody above notices.

mod common;

use common::{CLIENT, SERVER, interop_link, random, stats, succeed};
use harness::pool::HostStorage;
use harness::world::{World, ms};
use harness::{Profile, Scenario};
use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::KeyLife;
use udp_sec_recovery::memory::Small;

/// Both ends move every so many packets, on links that lose and reorder: all arrives, and nothing that was sealed fails
/// to open.
#[test]
fn transfers_are_whole_across_hundreds_of_updates() {
    let mut updates = 0;
    for (seed, percent) in (1..).zip([0, 1, 5, 10, 20]) {
        let link = interop_link().loss(random(percent)).reordering(20_000, ms(10));
        let mut scenario = Scenario::new(seed, 1 << 20).link(link);
        scenario.server_bytes = 1 << 20;
        scenario.key_life.packets = 30;
        let report = succeed(&scenario);
        for side in [&report.client, &report.server] {
            updates += side.stats.key_updates;
            assert_eq!(side.rejects.get(udp_sec::error::Reject::DecryptFailed), 0, "{percent} %");
            assert_eq!(side.rejects.get(udp_sec::error::Reject::KeyUpdateViolation), 0, "{percent} %");
        }
    }
    println!("{updates} updates");
    assert!(updates > 100, "{updates}");
}

/// No key is older than 120 s where packets are sent: both ends together move at least that often, and each move is
/// followed.
#[test]
fn an_idle_session_that_is_kept_alive_changes_its_keys_every_two_minutes() {
    let mut scenario = Scenario::new(2, 1).profile(Profile::Small).link(LinkConfig::default().delay(ms(15)));
    scenario.keepalive = true;
    let mut world = World::<Small>::new(&scenario);
    world.sides[CLIENT].application.write_limit = 0;
    world.advance(Instant::ZERO + Duration::from_secs(3_600));
    assert!(world.sides.iter().all(|side| side.closure().is_none()));
    let updates: u64 = [CLIENT, SERVER].map(|side| stats(&world, side).key_updates).iter().sum();
    // A keepalive leaves every ten seconds, and the first one after 120 s takes the update along.
    assert!((27..=30).contains(&updates), "{updates}");
}

/// More packets than a key may seal between updates, with the protocol's own bound.
#[test]
fn a_long_transfer_changes_its_key_after_the_packets_of_its_life() {
    const LIFE: u64 = 1 << 12;
    let link = LinkConfig::default().rate(1_000_000_000).delay(ms(1)).queue(500);
    let mut scenario = Scenario::new(3, 40 << 20).link(link);
    scenario.key_life = KeyLife { packets: LIFE, ..KeyLife::LONGEST };
    let mut world = World::<HostStorage>::new(&scenario);
    while !world.has_ended(&scenario) {
        let next = world.next_instant().expect("it goes on");
        world.step(next);
    }
    let sent = stats(&world, CLIENT).datagrams_sent;
    let updates = stats(&world, CLIENT).key_updates;
    // The acknowledgements that it takes to move again come within a round trip.
    assert!(updates >= sent / LIFE - 1 && updates <= sent / LIFE, "{updates} for {sent} packets");
}
