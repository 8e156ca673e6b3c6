//! The stream's ends: half-close, both directions at once, nothing at all, and giving up.

mod common;

use common::{CLIENT, SERVER, interop_link, play_until, random, stats, succeed};
use harness::world::{World, ms};
use harness::{Profile, Scenario};
use udp_sec::error::CloseCode;
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::memory::{Medium, Small};

const PROFILES: [Profile; 3] = [Profile::Small, Profile::Medium, Profile::Host];

/// The responder begins its answer only after it has read the whole question and its end.
#[test]
fn one_direction_ends_and_the_other_goes_on() {
    let mut scenario = Scenario::new(1, 20_000).profile(Profile::Medium).link(interop_link().loss(random(5)));
    scenario.server_bytes = 100_000;
    let mut world = World::<Medium>::new(&scenario);
    world.sides[SERVER].application.write_limit = 0;
    play_until(&mut world, |world| world.sides[SERVER].application.finished).expect("the question arrives");
    world.advance(world.now + ms(2_000));
    assert_eq!(world.sides[CLIENT].closure(), None, "half-closed is not closed");
    assert_eq!(stats(&world, SERVER).stream_bytes_sent, 0);
    world.sides[SERVER].application.write_limit = u64::MAX;
    world.advance(world.now);
    play_until(&mut world, |world| world.has_ended(&scenario)).expect("the answer arrives");
    let report = world.report(&scenario);
    assert!(report.is_success());
    assert_eq!([report.client.closed, report.server.closed], [Some(Closure::Complete); 2]);
}

#[test]
fn both_directions_at_once_in_every_profile() {
    for profile in PROFILES {
        for seed in 0..5 {
            let mut scenario =
                Scenario::new(seed, 300_000).profile(profile).link(interop_link().loss(random(5)));
            scenario.server_bytes = 200_000;
            let report = succeed(&scenario);
            let clean = [report.client.closed, report.server.closed].into_iter().flatten();
            assert!(clean.clone().all(Closure::is_clean), "{:?}", clean.collect::<Vec<_>>());
        }
    }
}

/// Sizes at which an implementation may be off by one: nothing, one packet's worth, a buffer's worth.
#[test]
fn every_size_arrives() {
    let around = |size: u64| size.saturating_sub(1)..=size + 1;
    // A packet takes 1168 bytes of frames, 11 of which are the STREAM frame's own.
    let sizes = [0, 1_157, 2 * 1_157, 8_192, 16_384, 65_536].into_iter().flat_map(around);
    for (seed, size) in (0..).zip(sizes) {
        for profile in PROFILES {
            let mut scenario =
                Scenario::new(seed, size).profile(profile).link(interop_link().loss(random(2)));
            scenario.server_bytes = size;
            succeed(&scenario);
        }
    }
}

/// The peer hears why, and can still read what arrived in order before.
fn abort(drop_first_close: bool) {
    let scenario = |link| Scenario::new(4, 1 << 20).profile(Profile::Small).link(link);
    let stop_at = |scenario: &Scenario| {
        let mut world = World::<Small>::new(scenario);
        world.sides[SERVER].application.read_limit = 50_000;
        play_until(&mut world, |world| world.sides[SERVER].application.received == 50_000)
            .expect("they arrive");
        world
    };
    let mut scenario_used = scenario(interop_link());
    if drop_first_close {
        let sent = common::datagrams_sent(&stop_at(&scenario_used), CLIENT);
        scenario_used.to_server = interop_link().drop_indices([sent]);
    }
    let mut world = stop_at(&scenario_used);
    let now = world.now;
    let id = world.sides[CLIENT].session.expect("a session");
    world.sides[CLIENT].endpoint.session(id).expect("open").abort(now, CloseCode::AppAbort);
    world.advance(now);
    play_until(&mut world, |world| world.sides[SERVER].closure().is_some()).expect("the peer hears of it");
    assert!(world.now.saturating_since(now) <= ms(1_000), "and soon");
    assert_eq!(world.sides[CLIENT].closure(), Some(Closure::ByUs(CloseCode::AppAbort)));
    assert_eq!(world.sides[SERVER].closure(), Some(Closure::ByPeer(CloseCode::AppAbort)));

    let arrived = stats(&world, SERVER).stream_bytes_received;
    assert!(arrived > 50_000, "something was left to read");
    world.sides[SERVER].application.read_limit = u64::MAX;
    world.advance(world.now);
    assert_eq!(world.sides[SERVER].application.received, arrived);
    assert!(!world.sides[SERVER].application.finished, "an abort is no end of the stream");
}

#[test]
fn an_abort_reaches_the_peer() {
    abort(false);
}

#[test]
fn an_abort_whose_close_is_lost_reaches_the_peer_when_it_speaks() {
    abort(true);
}
