//! The client's address changes under way, and the session goes on.

mod common;

use common::{CLIENT, SERVER, interop_link, path, play_until, random, stats};
use harness::Scenario;
use harness::pool::HostStorage;
use harness::world::{World, ms};
use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};

const TEN_MIB: u64 = 10 << 20;

/// The time that 10 MiB take, to the server or from it, with the client moving at each of `moves`.
fn transfer(seed: u64, upload: bool, percent: u32, moves: &[(Duration, [u8; 4])]) -> (Duration, u64) {
    let link = interop_link().loss(random(percent));
    let mut scenario = Scenario::new(seed, if upload { TEN_MIB } else { 1 }).link(link);
    scenario.server_bytes = if upload { 0 } else { TEN_MIB };
    // Who only receives and says nothing is not found again: where its last acknowledgement is lost, a ping tells.
    scenario.keepalive = true;
    let mut world = World::<HostStorage>::new(&scenario);
    for (nth, (at, host)) in moves.iter().enumerate() {
        world.path.rebind(Instant::ZERO + *at, (*host, 50_000 + nth as u16).into());
    }
    play_until(&mut world, |world| world.has_ended(&scenario));
    let changes = stats(&world, SERVER).path_changes;
    let report = world.report(&scenario);
    assert!(report.is_success(), "{:?}", report.outcome);
    assert_eq!(report.server.sessions, 1, "one session all along");
    (report.done.expect("delivered"), changes)
}

/// At 1 s, and then every 5 s: by a new port as a NAT gives one, or by a new address as a walk to another network does.
#[test]
fn a_client_that_moves_every_five_seconds_is_followed() {
    const HOME: [u8; 4] = [192, 0, 2, 1];
    for (seed, upload) in (1..=2).flat_map(|seed| [(seed, true), (seed, false)]) {
        let (undisturbed, _) = transfer(seed, upload, 0, &[]);
        for (what, host) in [("port", HOME), ("address", [198, 51, 100, 7])] {
            let times = (0..20).map(|nth| Duration::from_millis(1_000 + 5_000 * nth));
            let moves: Vec<_> = times
                .zip(1..)
                .map(|(at, nth)| (at, if host == HOME { host } else { [198, 51, 100, nth] }))
                .collect();
            let (disturbed, changes) = transfer(seed, upload, 0, &moves);
            let expected = moves.iter().filter(|(at, _)| *at < disturbed).count() as u64;
            println!(
                "seed {seed}, {what}, upload {upload}: {disturbed:?} instead of {undisturbed:?}, {changes} changes"
            );
            assert!(changes == expected || changes + 1 == expected, "{changes} of {expected}");
            assert!(
                disturbed.as_micros() * 10 <= undisturbed.as_micros() * 13,
                "{disturbed:?}, {undisturbed:?}"
            );
        }
    }
}

/// A link that loses nothing, with a queue without end: what is sent to an address that the client has left is all that is
/// ever lost. It says nothing about the new path, so the window is never reduced; and a round trip of the old path, whose
/// queue was full, is never taken for one of the new (RFC 9000 section 9.4).
#[test]
fn what_the_old_path_lost_does_not_reduce_the_window_of_the_new_one() {
    let mut scenario = Scenario::new(1, 1).link(LinkConfig::default().rate(10_000_000).delay(ms(30)));
    scenario.server_bytes = TEN_MIB;
    scenario.keepalive = true;
    let mut world = World::<HostStorage>::new(&scenario);
    for nth in 0..4 {
        world.advance(Instant::ZERO + ms(1_000 + 2_000 * nth));
        let before = stats(&world, SERVER);
        world.path.rebind(world.now, ([198, 51, 100, nth as u8], 50_000).into());
        play_until(&mut world, |world| stats(world, SERVER).path_changes > before.path_changes);
        let fresh = path(&world, SERVER);
        assert_eq!((fresh.window, fresh.min_rtt), (12_000, Duration::ZERO), "move {nth}");
        let moved = world.now;
        play_until(&mut world, |world| world.now > moved + ms(1_000));
        let after = stats(&world, SERVER);
        assert!(after.packets_lost > before.packets_lost, "move {nth}: nothing was tested");
        assert!(path(&world, SERVER).window > 12_000, "move {nth}: slow start from the initial window");
    }
    play_until(&mut world, |world| world.has_ended(&scenario));
    assert_eq!(stats(&world, SERVER).window_reductions, 0);
    assert_eq!(path(&world, SERVER).ssthresh, u64::MAX);
    assert!(world.report(&scenario).is_success());
}

/// Every 200 ms, so that a path is hardly proven before it is gone again: slower, since each path begins with a window of
/// its own, but whole and in one session.
///
/// Who only receives is found after three probe timeouts of silence, which is not before the next move: half of the moves
/// are over before anybody knew. It goes on nevertheless.
#[test]
fn a_client_that_moves_five_times_a_second_is_followed() {
    for (seed, upload, followed, slower) in [(1, true, 90, 5), (2, false, 40, 40)] {
        let (undisturbed, _) = transfer(seed, upload, 0, &[]);
        for what in ["port", "address"] {
            let host = |nth: u64| match what {
                "port" => [192, 0, 2, 1],
                _ => [198, 51, 100, 1 + (nth % 250) as u8],
            };
            let moves: Vec<_> = (0..2_000).map(|nth| (ms(1_000 + 200 * nth), host(nth))).collect();
            let (disturbed, changes) = transfer(seed, upload, 0, &moves);
            let came = moves.iter().filter(|(at, _)| *at < disturbed).count() as u64;
            println!(
                "{what}, upload {upload}: {disturbed:?} instead of {undisturbed:?}, {changes} of {came}"
            );
            assert!(changes * 100 >= came * followed, "{changes} of {came} moves were followed");
            assert!(disturbed <= undisturbed * slower, "{disturbed:?}, {undisturbed:?}");
        }
    }
}

#[test]
fn a_client_is_followed_under_loss() {
    for seed in 0..20 {
        let moves: Vec<_> = (0..40)
            .map(|nth| (Duration::from_millis(500 + 3_000 * nth), [198, 51, 100, nth as u8]))
            .collect();
        let (_, changes) = transfer(seed, seed % 2 == 0, 5, &moves);
        assert!(changes >= 3, "{changes}");
    }
}

/// From a fast network to one whose round trip is hundreds of times the estimate, and whose uplink is so slow that
/// answers wait in its queue: the answer to a challenge comes long after the probe timeouts that were learnt before.
#[test]
fn a_client_that_moves_to_a_far_slower_network_is_followed() {
    for (seed, rtt) in (1..).zip([200, 600, 1_200, 2_400]) {
        let mut scenario =
            Scenario::new(seed, 64 << 10).link(LinkConfig::default().rate(50_000_000).delay(ms(1)));
        scenario.server_bytes = 64 << 10;
        let mut world = World::<HostStorage>::new(&scenario);
        for side in &mut world.sides {
            side.application.write_limit = 32 << 10;
        }
        world.advance(Instant::ZERO + ms(1_000));
        let slow = LinkConfig::default().rate(256_000).queue(16).delay(ms(rtt / 2));
        world.path.rebind(world.now, ([198, 51, 100, 7], 50_000).into());
        world.path.reconfigure(slow.clone(), slow);
        for side in &mut world.sides {
            side.application.write_limit = u64::MAX;
        }
        world.advance(world.now);
        play_until(&mut world, |world| world.has_ended(&scenario) || world.now > Instant::ZERO + ms(60_000));
        assert_eq!(stats(&world, SERVER).path_changes, 1, "RTT {rtt} ms");
        assert!(world.has_ended(&scenario), "RTT {rtt} ms: 64 KiB each way take longer than a minute");
        assert!(world.report(&scenario).is_success());
    }
}

/// An idle client moves while nothing is sent: its next packet tells.
#[test]
fn an_idle_session_survives_a_move_with_a_keepalive() {
    let mut scenario = Scenario::new(3, 1);
    scenario.keepalive = true;
    let mut world = World::<HostStorage>::new(&scenario.clone().link(interop_link()));
    world.sides[CLIENT].application.write_limit = 0;
    world.advance(Instant::ZERO + Duration::from_secs(20));
    world.path.rebind(world.now, ([203, 0, 113, 5], 1).into());
    world.advance(Instant::ZERO + Duration::from_secs(300));
    assert!(world.sides.iter().all(|side| side.closure().is_none()));
    assert_eq!(stats(&world, SERVER).path_changes, 1);
}
