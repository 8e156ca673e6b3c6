//! What the sender believes about the path: round-trip times, losses that were none, a window that was not used.

mod common;

use common::{CLIENT, SERVER, path, play_until, stats};
use harness::pool::HostStorage;
use harness::world::{World, ms};
use harness::{Profile, Scenario};
use lossy_link::{End, LinkConfig};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::memory::Medium;
use udp_sec_recovery::stats::Stats;

/// The peer's delays are taken out: estimates lie within a millisecond above the truth, at every moment, whether the
/// clock begins at 0 or ends a minute from now.
#[test]
fn round_trip_estimates_are_honest() {
    let late = Instant::from_micros(u64::MAX - 60_000_000);
    let rtts = [10, 100, 500].map(ms);
    for (rtt, start) in rtts.into_iter().flat_map(|rtt| [(rtt, Instant::ZERO), (rtt, late)]) {
        let mut scenario =
            Scenario::new(1, 300_000).profile(Profile::Medium).link(LinkConfig::default().delay(rtt / 2));
        scenario.server_bytes = 300_000;
        scenario.start = start;
        let mut world = World::<Medium>::new(&scenario);
        let truth = rtt..=rtt + ms(1);
        play_until(&mut world, |world| {
            for side in [CLIENT, SERVER] {
                let path = path(world, side);
                // Before the first sample the estimate is an assumption.
                let sampled = path.min_rtt > Duration::ZERO;
                let honest = [path.min_rtt, path.smoothed_rtt].iter().all(|rtt| truth.contains(rtt));
                assert!(!sampled || honest, "side {side}, RTT {rtt:?}: {path:?}");
            }
            world.has_ended(&scenario)
        });
        assert!([CLIENT, SERVER].iter().all(|side| path(&world, *side).min_rtt > Duration::ZERO));
    }
}

/// 10 Mbit/s: a full packet each 0.98 ms, so that a delay is a depth of reordering. The queue has no bound: nothing is
/// lost, and every loss declared is a mistake. Counters of the sender after a MiB, when all is acknowledged.
fn after_reordering_by(depth: u64) -> (Stats, u64) {
    let link = LinkConfig::default().rate(10_000_000).delay(ms(30));
    let link = link.reordering(100_000, Duration::from_micros(depth * 990));
    let scenario = Scenario::new(depth, 2 << 20).link(link);
    let mut world = World::<HostStorage>::new(&scenario);
    // The stream does not end: a CLOSE could come before the last late acknowledgement.
    world.sides[CLIENT].application.write_limit = 1 << 20;
    world.advance(scenario.start + ms(10_000));
    assert_eq!(world.sides[SERVER].application.received, 1 << 20);
    assert_eq!(path(&world, CLIENT).in_flight, 0);
    (stats(&world, CLIENT), world.path.link_to(End::Server).counters().reordered)
}

#[test]
fn shallow_reordering_is_no_loss() {
    for depth in [1, 2] {
        let (stats, reordered) = after_reordering_by(depth);
        assert!(reordered > 50, "depth {depth}: only {reordered} were reordered");
        assert_eq!((stats.packets_lost, stats.window_reductions), (0, 0), "depth {depth}");
    }
}

/// Deeper reordering looks like loss; the late acknowledgement shows that it was not, and the reduction is undone.
#[test]
fn deep_reordering_is_found_out() {
    for depth in [4, 6, 8, 12, 16, 24, 32] {
        let (stats, reordered) = after_reordering_by(depth);
        println!(
            "depth {depth}: reordered {reordered}, lost {}, spurious {}, reductions {}, undone {}",
            stats.packets_lost, stats.spurious_losses, stats.window_reductions, stats.reductions_undone
        );
        assert!(stats.packets_lost > 20, "depth {depth}: nothing was tested");
        assert_eq!(stats.spurious_losses, stats.packets_lost, "depth {depth}: each mistake is noticed");
        // Where a second reduction begins before the first was found out, only that one is taken back.
        assert!(stats.reductions_undone * 10 >= stats.window_reductions * 9, "depth {depth}: and undone");
    }
}

/// RFC 9002 section 7.8: a window that is not used does not grow.
#[test]
fn an_application_that_sends_a_packet_a_round_trip_leaves_the_window_alone() {
    let rtt = ms(30);
    let mut scenario =
        Scenario::new(2, 20_000_000).profile(Profile::Medium).link(LinkConfig::default().delay(rtt / 2));
    scenario.idle_timeout = Duration::from_secs(30);
    let mut world = World::<Medium>::new(&scenario);
    world.sides[CLIENT].application.write_limit = 0;
    world.advance(scenario.start + ms(1_000));
    let window = path(&world, CLIENT).window;
    for _ in 0..10_000 {
        world.sides[CLIENT].application.write_limit += 1_000;
        world.advance(world.now + rtt);
        assert_eq!(path(&world, CLIENT).window, window);
    }
    assert_eq!(window, 12_000);
    assert_eq!(stats(&world, CLIENT).stream_bytes_sent, 10_000_000);
}
