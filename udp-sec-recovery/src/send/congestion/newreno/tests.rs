//! Growth, reduction, recovery periods and their undoing.

use super::*;
use crate::send::congestion::Controller;
use Utilisation::{AppLimited, WindowLimited};

const MDS: u64 = DATAGRAM_MAX;

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

/// Sends `packets` of full size at `sent` and acknowledges them.
fn deliver(newreno: &mut NewReno, packets: u64, sent: u64, utilisation: Utilisation) {
    for _ in 0..packets {
        newreno.on_packet_sent(MDS);
    }
    for _ in 0..packets {
        newreno.on_packet_acked(MDS, at(sent), utilisation);
    }
}

/// Sends one packet at `sent` and loses it at `now`.
fn lose(newreno: &mut NewReno, sent: u64, now: u64) -> Reaction {
    newreno.on_packet_sent(MDS);
    newreno.on_packet_lost(MDS, at(sent), at(now))
}

#[test]
fn begins_with_ten_datagrams_and_no_threshold() {
    let newreno = NewReno::new();
    assert_eq!((newreno.window(), newreno.ssthresh(), newreno.in_flight()), (12_000, u64::MAX, 0));
}

#[test]
fn slow_start_doubles_per_window() {
    let mut newreno = NewReno::new();
    for (round, packets) in [10, 20, 40, 80].into_iter().enumerate() {
        deliver(&mut newreno, packets, 0, WindowLimited);
        assert_eq!(newreno.window(), 12_000 << (round + 1));
    }
}

#[test]
fn avoidance_grows_by_exactly_one_datagram_per_window() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    let mut window = 6_000;
    assert_eq!((newreno.window(), newreno.ssthresh()), (window, window));
    for round in 0..2_000 {
        deliver(&mut newreno, window / MDS, 11 + round, WindowLimited);
        window += MDS;
        assert_eq!(newreno.window(), window, "round {round}");
    }
}

#[test]
fn avoidance_never_stalls_on_small_packets_and_large_windows() {
    let mut newreno = NewReno::new();
    deliver(&mut newreno, 100_000, 0, WindowLimited);
    lose(&mut newreno, 5, 10);
    let window = newreno.window();
    assert!(window > 60_000_000);
    // 50 of 1200 bytes per window of 60 MB: a fraction per packet would be rounded down to nothing.
    for _ in 0..window.div_ceil(50) {
        newreno.on_packet_sent(50);
        newreno.on_packet_acked(50, at(11), WindowLimited);
    }
    assert_eq!(newreno.window(), window + MDS);
}

#[test]
fn one_reduction_per_recovery_period() {
    let mut newreno = NewReno::new();
    assert_eq!(lose(&mut newreno, 5, 10), Reaction::Reduced);
    for (sent, now) in [(4, 10), (9, 11), (10, 12)] {
        assert_eq!(lose(&mut newreno, sent, now), Reaction::Unchanged, "sent at {sent}");
    }
    assert_eq!(newreno.window(), 6_000);
    assert_eq!(lose(&mut newreno, 11, 20), Reaction::Reduced);
    assert_eq!(newreno.window(), 3_000);
}

#[test]
fn a_loss_at_clock_zero_begins_a_recovery_period_like_any_other() {
    let mut newreno = NewReno::new();
    assert_eq!(lose(&mut newreno, 0, 0), Reaction::Reduced);
    assert_eq!(lose(&mut newreno, 0, 0), Reaction::Unchanged);
    assert_eq!(lose(&mut newreno, 1, 2), Reaction::Reduced);
}

#[test]
fn packets_sent_before_recovery_do_not_grow_the_window() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    deliver(&mut newreno, 100, 10, WindowLimited);
    assert_eq!(newreno.window(), 6_000);
    deliver(&mut newreno, 5, 11, WindowLimited);
    assert_eq!(newreno.window(), 7_200);
}

#[test]
fn never_below_two_datagrams() {
    let mut newreno = NewReno::new();
    for round in 0..10 {
        lose(&mut newreno, round * 10 + 1, round * 10 + 5);
    }
    assert_eq!(newreno.window(), 2_400);
    assert_eq!(newreno.ssthresh(), 1_200);
}

#[test]
fn an_unused_window_does_not_grow_in_slow_start() {
    let mut newreno = NewReno::new();
    for round in 0..10_000 {
        deliver(&mut newreno, 1, round, AppLimited);
    }
    assert_eq!((newreno.window(), newreno.in_flight()), (12_000, 0));
}

#[test]
fn an_unused_window_does_not_grow_in_avoidance() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    for round in 0..10_000 {
        deliver(&mut newreno, 1, 11 + round, AppLimited);
    }
    assert_eq!(newreno.window(), 6_000);
    // Nor does it save up growth for later.
    deliver(&mut newreno, 4, 50_000, WindowLimited);
    assert_eq!(newreno.window(), 6_000);
    deliver(&mut newreno, 1, 50_000, WindowLimited);
    assert_eq!(newreno.window(), 7_200);
}

#[test]
fn persistent_congestion_starts_again_from_the_minimum() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    newreno.on_persistent_congestion();
    assert_eq!((newreno.window(), newreno.ssthresh()), (2_400, 6_000));
    // Slow start up to the threshold, for packets of any age.
    deliver(&mut newreno, 3, 1, WindowLimited);
    assert_eq!(newreno.window(), 6_000);
    deliver(&mut newreno, 5, 1, WindowLimited);
    assert_eq!(newreno.window(), 7_200);
}

#[test]
fn ceiling_bounds_growth_and_the_present_window_but_not_below_the_minimum() {
    let mut newreno = NewReno::new();
    newreno.set_ceiling(30_000);
    deliver(&mut newreno, 1_000, 0, WindowLimited);
    assert_eq!(newreno.window(), 30_000);
    lose(&mut newreno, 5, 10);
    deliver(&mut newreno, 10_000, 11, WindowLimited);
    assert_eq!(newreno.window(), 30_000);
    newreno.set_ceiling(0);
    assert_eq!(newreno.window(), 2_400);
}

#[test]
fn a_new_path_forgets_the_window_and_what_is_in_flight_on_the_old_one() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    newreno.on_packet_sent(700);
    let mut fresh = newreno.on_new_path();
    assert_eq!((fresh.window(), fresh.ssthresh(), fresh.in_flight()), (12_000, u64::MAX, 0));
    assert_eq!(lose(&mut fresh, 5, 20), Reaction::Reduced, "no recovery period goes on");
}

#[test]
fn the_ceiling_holds_on_a_new_path() {
    for (ceiling, window) in [(0, 2_400), (11_999, 11_999), (12_000, 12_000), (13_000, 12_000)] {
        let mut newreno = NewReno::new();
        newreno.set_ceiling(ceiling);
        let mut fresh = newreno.on_new_path();
        assert_eq!(fresh.window(), window, "ceiling {ceiling}");
        deliver(&mut fresh, 100, 0, WindowLimited);
        assert_eq!(fresh.window(), ceiling.max(2_400));
    }
}

#[test]
fn in_flight_follows_every_fate() {
    let mut controller = Controller::new_reno();
    for bytes in [1_200, 1_200, 700, 60] {
        controller.on_packet_sent(bytes);
    }
    assert_eq!((controller.in_flight(), controller.room()), (3_160, 8_840));
    controller.on_packet_acked(1_200, at(1), AppLimited);
    controller.on_packet_lost(700, at(1), at(9));
    controller.on_packet_discarded(60);
    assert_eq!(controller.in_flight(), 1_200);
    // A late acknowledgement is of a packet that left the flight when it was declared lost.
    controller.on_spurious_loss(at(1));
    assert_eq!(controller.in_flight(), 1_200);
    for _ in 0..20 {
        controller.on_packet_sent(1_200);
    }
    assert_eq!(controller.room(), 0, "probes may exceed the window");
}

#[test]
fn a_reduction_is_undone_when_all_its_losses_were_spurious() {
    let mut newreno = NewReno::new();
    for sent in [3, 4] {
        lose(&mut newreno, sent, 10);
    }
    lose(&mut newreno, 5, 12);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Unchanged);
    assert_eq!(newreno.on_spurious_loss(at(3)), Undo::Unchanged);
    assert_eq!(newreno.window(), 6_000);
    assert_eq!(newreno.on_spurious_loss(at(4)), Undo::Restored);
    assert_eq!((newreno.window(), newreno.ssthresh()), (12_000, u64::MAX));
}

#[test]
fn one_true_loss_keeps_the_reduction() {
    let mut newreno = NewReno::new();
    for sent in [3, 4, 5] {
        lose(&mut newreno, sent, 10);
    }
    assert_eq!(newreno.on_spurious_loss(at(3)), Undo::Unchanged);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Unchanged);
    assert_eq!((newreno.window(), newreno.ssthresh()), (6_000, 6_000));
}

#[test]
fn undo_keeps_what_the_window_has_gained_since() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    for round in 0..10 {
        let packets = newreno.window() / MDS;
        deliver(&mut newreno, packets, 11 + round, WindowLimited);
    }
    assert_eq!(newreno.window(), 18_000);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Restored);
    assert_eq!((newreno.window(), newreno.ssthresh()), (18_000, u64::MAX));
}

#[test]
fn undo_respects_the_ceiling() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    newreno.set_ceiling(8_000);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Restored);
    assert_eq!(newreno.window(), 8_000);
}

#[test]
fn after_an_undo_a_true_loss_of_the_same_time_reduces_the_window() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    newreno.on_spurious_loss(at(5));
    assert_eq!(lose(&mut newreno, 6, 12), Reaction::Reduced);
    assert_eq!(newreno.window(), 6_000);
}

#[test]
fn losses_of_an_earlier_recovery_period_do_not_count_for_the_last() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    lose(&mut newreno, 15, 20);
    assert_eq!(newreno.window(), 3_000);
    // Late, and of the first period: neither its loss nor its acknowledgement concerns the second.
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Unchanged);
    lose(&mut newreno, 6, 21);
    assert_eq!(newreno.on_spurious_loss(at(15)), Undo::Restored);
    assert_eq!((newreno.window(), newreno.ssthresh()), (6_000, 6_000), "only the second is undone");
    assert_eq!(newreno.on_spurious_loss(at(6)), Undo::Unchanged);
}

#[test]
fn persistent_congestion_is_not_undone() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    newreno.on_persistent_congestion();
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Unchanged);
    assert_eq!((newreno.window(), newreno.ssthresh()), (2_400, 6_000));
}

#[test]
fn packets_from_before_persistent_congestion_do_not_undo_a_later_reduction() {
    let mut newreno = NewReno::new();
    lose(&mut newreno, 5, 10);
    newreno.on_persistent_congestion();
    deliver(&mut newreno, 2, 12, WindowLimited);
    assert_eq!(lose(&mut newreno, 15, 20), Reaction::Reduced);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Unchanged);
    assert_eq!(newreno.window(), 2_400);
    assert_eq!(newreno.on_spurious_loss(at(15)), Undo::Restored);
    assert_eq!(newreno.window(), 4_800);
}

#[test]
fn more_late_acknowledgements_than_losses_change_nothing() {
    let mut newreno = NewReno::new();
    assert_eq!(newreno.on_spurious_loss(at(0)), Undo::Unchanged);
    lose(&mut newreno, 5, 10);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Restored);
    assert_eq!(newreno.on_spurious_loss(at(5)), Undo::Unchanged);
    assert_eq!(newreno.window(), 12_000);
}

#[test]
fn absurd_sizes_and_times_saturate() {
    let mut newreno = NewReno::new();
    newreno.on_packet_acked(u64::MAX, at(u64::MAX), WindowLimited);
    newreno.on_packet_acked(u64::MAX, at(u64::MAX), WindowLimited);
    newreno.on_packet_sent(u64::MAX);
    newreno.on_packet_sent(u64::MAX);
    assert_eq!((newreno.window(), newreno.in_flight()), (u64::MAX, u64::MAX));
    newreno.on_packet_lost(u64::MAX, at(u64::MAX), at(u64::MAX));
    assert_eq!((newreno.window(), newreno.in_flight()), (u64::MAX / 2, 0));
}
