//! Flow control: a reader that stops, crawls and goes on; updates that are lost; a sender that never oversteps.

mod common;

use common::{CLIENT, SERVER, datagrams_sent, play_until, stats};
use harness::world::{World, ms};
use harness::{Profile, Scenario};
use lossy_link::LinkConfig;
use udp_sec::time::Duration;
use udp_sec_recovery::memory::Medium;

const BYTES: u64 = 200 << 10;
/// The receive buffer of the Medium profile, and so the credit that the sender begins with.
const WINDOW: u64 = 64 << 10;
const RTT: Duration = ms(30);
const MINUTE: Duration = Duration::from_secs(60);

fn scenario(to_client: LinkConfig) -> Scenario {
    let mut scenario = Scenario::new(5, BYTES).profile(Profile::Medium).link(link());
    scenario.to_client = to_client;
    scenario
}

fn link() -> LinkConfig {
    LinkConfig::default().delay(RTT / 2)
}

/// A world whose reader has read nothing for `stopped`.
fn stalled(scenario: &Scenario, stopped: Duration) -> World<Medium> {
    let mut world = World::new(scenario);
    world.sides[SERVER].application.read_limit = 0;
    world.advance(scenario.start + stopped);
    assert_eq!([world.sides[0].closure(), world.sides[1].closure()], [None, None], "the session lives on");
    assert_eq!(
        stats(&world, CLIENT).stream_bytes_sent,
        WINDOW,
        "the sender uses its credit, and no byte more"
    );
    assert_eq!(stats(&world, SERVER).stream_bytes_received, WINDOW);
    world
}

fn finish(mut world: World<Medium>, scenario: &Scenario) {
    world.sides[SERVER].application.read_limit = u64::MAX;
    world.advance(world.now);
    play_until(&mut world, |world| world.has_ended(scenario)).expect("the transfer ends");
    assert!(world.report(scenario).is_success());
}

/// DATA_BLOCKED every third of the idle timeout keeps a session alive for which nobody reads.
#[test]
fn a_reader_may_stop_then_crawl_then_go_on() {
    let scenario = scenario(link());
    let mut world = stalled(&scenario, MINUTE);
    let before = [CLIENT, SERVER].map(|side| datagrams_sent(&world, side));
    world.advance(scenario.start + MINUTE * 10);
    let sent = [CLIENT, SERVER].map(|side| datagrams_sent(&world, side) - before[side]);
    // Nine minutes of a DATA_BLOCKED every 10 s, each acknowledged.
    assert!(sent.iter().all(|sent| (53..=55).contains(sent)), "{sent:?} datagrams to keep alive");
    assert_eq!(stats(&world, CLIENT).stream_bytes_sent, WINDOW);

    for _ in 0..300 {
        world.sides[SERVER].application.read_limit += 1;
        world.advance(world.now + Duration::from_secs(1));
        let credit = WINDOW + world.sides[SERVER].application.received;
        assert!(stats(&world, CLIENT).stream_bytes_sent <= credit);
    }
    assert_eq!(world.sides[SERVER].application.received, 300);
    finish(world, &scenario);
}

/// One round trip after room is announced there are new bytes.
#[test]
fn a_blocked_sender_resumes_within_a_round_trip() {
    let scenario = scenario(link());
    let mut world = stalled(&scenario, MINUTE);
    let resumed = world.now;
    world.sides[SERVER].application.read_limit = u64::MAX;
    world.advance(resumed);
    let arrived = play_until(&mut world, |world| stats(world, SERVER).stream_bytes_received > WINDOW);
    assert!(arrived.expect("bytes arrive").saturating_since(resumed) <= RTT);
    finish(world, &scenario);
}

/// The announcement itself may be lost, ten times in a row: it is sent again until it is acknowledged.
#[test]
fn a_credit_update_survives_ten_losses() {
    const LOSSES: u64 = 10;
    let undisturbed = stalled(&scenario(link()), MINUTE);
    let first = datagrams_sent(&undisturbed, SERVER);
    let scenario = scenario(link().drop_indices(first..first + LOSSES));
    let mut world = stalled(&scenario, MINUTE);
    world.sides[SERVER].application.read_limit = u64::MAX;
    world.advance(world.now);
    let all_lost = |world: &World<Medium>| datagrams_sent(world, SERVER) > first + LOSSES;
    let got_through = play_until(&mut world, all_lost).expect("it is sent again");
    assert_eq!(stats(&world, SERVER).stream_bytes_received, WINDOW, "nothing could move before");
    let arrived = play_until(&mut world, |world| stats(world, SERVER).stream_bytes_received > WINDOW);
    assert!(arrived.expect("bytes arrive").saturating_since(got_through) <= RTT);
    finish(world, &scenario);
}

/// All of that with a tiny window, in every direction at once, under loss.
#[test]
fn a_slow_reader_at_both_ends_of_a_lossy_path() {
    let mut scenario = Scenario::new(6, 100 << 10).profile(Profile::Small);
    scenario.server_bytes = 100 << 10;
    scenario = scenario.link(link().loss(common::random(10)));
    let mut world = World::<udp_sec_recovery::memory::Small>::new(&scenario);
    for side in [CLIENT, SERVER] {
        world.sides[side].application.read_limit = 0;
    }
    while !world.sides.iter().all(|side| side.application.is_done()) {
        for side in [CLIENT, SERVER] {
            world.sides[side].application.read_limit += 500;
        }
        world.advance(world.now + ms(100));
        assert!(world.now < scenario.start + MINUTE * 5);
    }
    play_until(&mut world, |world| world.has_ended(&scenario)).expect("both ends have everything");
    assert!(world.report(&scenario).is_success());
}
