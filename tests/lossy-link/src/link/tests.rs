//! One direction: what is promised in the documentation of `LinkConfig`, each by name.

use alloc::vec;
use core::ops::Range;

use super::*;
use crate::config::ErrorModel;

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// Sends `packets` datagrams of `length` bytes, one every `spacing` microseconds, and takes all that arrives.
fn run(
    config: LinkConfig,
    seed: u64,
    packets: u64,
    spacing: u64,
    length: usize,
) -> (Vec<Delivery<u64>>, Counters) {
    let mut link = Link::new(config, seed);
    for packet in 0..packets {
        link.send(at(packet * spacing), packet, vec![packet as u8; length]);
    }
    let arrived = core::iter::from_fn(|| link.poll(Instant::MAX)).collect();
    assert_conserved(&link);
    (arrived, *link.counters())
}

fn assert_conserved<T: Clone>(link: &Link<T>) {
    let counters = link.counters();
    let gone = counters.delivered + counters.lost + counters.blacked_out + counters.queue_dropped;
    assert_eq!(counters.sent + counters.duplicated, gone + link.in_flight() as u64, "{counters}");
}

fn indices(arrived: &[Delivery<u64>]) -> Vec<u64> {
    arrived.iter().map(|delivery| delivery.index).collect()
}

/// Everything at once.
fn rough() -> LinkConfig {
    LinkConfig::default()
        .delay(Duration::from_millis(15))
        .jitter(Duration::from_millis(3))
        .rate(10_000_000)
        .queue(25)
        .loss(ErrorModel::bursts(100_000, 3))
        .corruption(ErrorModel::bursts(50_000, 3))
        .duplication(20_000)
        .reordering(30_000, Duration::from_millis(5))
        .blackout(at(1_000_000)..at(1_100_000))
}

fn assert_within(count: u64, range: Range<u64>) {
    assert!(range.contains(&count), "{count} not in {range:?}");
}

#[test]
fn a_perfect_link_delivers_everything_at_once_and_in_order() {
    let (arrived, counters) = run(LinkConfig::default(), 1, 1_000, 10, 1_200);
    for (packet, delivery) in arrived.iter().enumerate() {
        let packet = packet as u64;
        let expected =
            Delivery { at: at(packet * 10), index: packet, tag: packet, data: vec![packet as u8; 1_200] };
        assert_eq!(*delivery, expected);
    }
    let expected = Counters {
        sent: 1_000,
        sent_bytes: 1_200_000,
        delivered: 1_000,
        delivered_bytes: 1_200_000,
        largest: 1_200,
        ..Counters::default()
    };
    assert_eq!(counters, expected);
}

#[test]
fn poll_gives_nothing_before_its_time() {
    let mut link = Link::new(LinkConfig::default().delay(micros(500)), 1);
    assert_eq!(link.next_delivery(), None);
    link.send(at(10), (), *b"a");
    assert_eq!(link.next_delivery(), Some(at(510)));
    assert_eq!(link.poll(at(509)), None);
    assert_eq!(link.poll(at(510)).map(|delivery| delivery.data), Some(b"a".to_vec()));
    assert_eq!(link.poll(at(510)), None);
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let first = run(rough(), 42, 5_000, 700, 1_200);
    assert_eq!(first, run(rough(), 42, 5_000, 700, 1_200));
    assert_ne!(first, run(rough(), 43, 5_000, 700, 1_200));
}

#[test]
fn an_impairment_does_not_shift_the_losses() {
    let loss = LinkConfig::default().loss(ErrorModel::random(100_000));
    let (mut plain, _) = run(loss.clone(), 5, 10_000, 10, 100);
    let rough = loss
        .duplication(500_000)
        .jitter(micros(1_000))
        .corruption(ErrorModel::random(500_000))
        .reordering(500_000, micros(3_000));
    let (mut impaired, _) = run(rough, 5, 10_000, 10, 100);
    impaired.sort_by_key(|delivery| delivery.index);
    impaired.dedup_by_key(|delivery| delivery.index);
    plain.sort_by_key(|delivery| delivery.index);
    assert_eq!(indices(&plain), indices(&impaired));
}

#[test]
fn loss_takes_link_time() {
    // Every packet but the last is lost, and the last comes when the rate allows it.
    let config = LinkConfig::default().rate(10_000_000).overhead(50).drop_indices(0..9);
    let (arrived, counters) = run(config, 1, 10, 0, 1_200);
    assert_eq!(counters.lost, 9);
    assert_eq!(arrived.iter().map(|delivery| delivery.at).collect::<Vec<_>>(), [at(10_000)]);
}

#[test]
fn the_rate_counts_28_bytes_of_headers() {
    let (arrived, _) = run(LinkConfig::default().rate(1_228 * 8), 1, 3, 0, 1_200);
    let times: Vec<_> = arrived.iter().map(|delivery| delivery.at.as_micros()).collect();
    assert_eq!(times, [1_000_000, 2_000_000, 3_000_000]);
}

#[test]
fn a_saturated_link_carries_exactly_its_rate() {
    // Offered twice 100 Mbit/s for 10 s: 98.24 us a packet, so the 101 791st is the last to leave by then.
    let config = LinkConfig::default().rate(100_000_000).queue(208);
    let (arrived, counters) = run(config, 1, 10_000_000 / 49, 49, 1_200);
    let by_10_s = arrived.iter().filter(|delivery| delivery.at <= at(10_000_000)).count();
    assert_eq!(by_10_s, 101_791);
    assert_eq!(counters.queue_dropped + counters.delivered, counters.sent);
    assert_within(counters.queue_dropped, 102_000..102_500);
}

#[test]
fn a_full_queue_drops_the_tail() {
    let (arrived, counters) = run(LinkConfig::default().rate(1_000_000).queue(25), 1, 100, 0, 1_200);
    assert_eq!(indices(&arrived), (0..26).collect::<Vec<_>>());
    assert_eq!(counters.queue_dropped, 74);
}

#[test]
fn losses_duplicates_and_corruptions_have_their_rates() {
    let config = LinkConfig::default()
        .loss(ErrorModel::random(50_000))
        .corruption(ErrorModel::random(20_000))
        .duplication(100_000);
    let (_, counters) = run(config, 3, 1_000_000, 1, 16);
    // Five standard deviations: 218 of a million at 5 %; 136 of the 950 000 that pass at 2 %, 292 at 10 %.
    assert_within(counters.lost, 48_910..51_090);
    assert_within(counters.corrupted, 18_318..19_682);
    assert_within(counters.duplicated, 93_538..96_462);
}

#[test]
fn copies_arrive_behind_their_original_and_are_equal() {
    let (arrived, counters) = run(LinkConfig::default().duplication(1_000_000), 1, 100, 10, 50);
    assert_eq!(counters.duplicated, 100);
    assert_eq!(arrived.len(), 200);
    for pair in arrived.chunks(2) {
        assert_eq!(pair[0], pair[1]);
    }
    assert_eq!(counters.reordered, 0, "nothing sent later came before a copy");
}

#[test]
fn corruption_changes_one_byte_within_its_offsets() {
    let config = LinkConfig::default().corruption(ErrorModel::random(1_000_000)).corrupt_offsets(0..50);
    let (arrived, counters) = run(config.clone(), 1, 20_000, 1, 1_200);
    assert_eq!(counters.corrupted, 20_000);
    let mut hits = [0_u32; 50];
    for delivery in &arrived {
        let original = delivery.tag as u8;
        let changed: Vec<usize> = (0..1_200).filter(|&offset| delivery.data[offset] != original).collect();
        assert_eq!(changed.len(), 1);
        hits[changed[0]] += 1;
    }
    // 400 for each offset, standard deviation 19.8.
    assert!(hits.iter().all(|&count| count.abs_diff(400) < 99), "{hits:?}");

    // Shorter than the range: within the datagram. Nothing there: unharmed.
    assert_eq!(run(config.clone(), 1, 100, 1, 10).1.corrupted, 100);
    assert_eq!(run(config, 1, 100, 1, 0).1.corrupted, 0);
    let beyond = LinkConfig::default().corruption(ErrorModel::random(1_000_000)).corrupt_offsets(50..60);
    assert_eq!(run(beyond, 1, 100, 1, 50).1.corrupted, 0);
}

#[test]
fn corruption_anywhere_reaches_the_last_byte() {
    let (arrived, _) = run(LinkConfig::default().corruption(ErrorModel::random(1_000_000)), 1, 1_000, 1, 20);
    assert!(arrived.iter().any(|delivery| delivery.data[19] != delivery.tag as u8));
    assert!(arrived.iter().any(|delivery| delivery.data[0] != delivery.tag as u8));
}

#[test]
fn corruption_in_bursts_lets_every_fourth_pass() {
    let config = LinkConfig::default().corruption(ErrorModel::bursts(1_000_000, 3));
    assert_eq!(run(config, 1, 400, 1, 100).1.corrupted, 300);
}

#[test]
fn jitter_reorders_and_deliveries_are_ordered_by_time() {
    let config = LinkConfig::default().delay(micros(10_000)).jitter(micros(1_000));
    let (arrived, counters) = run(config, 1, 10_000, 100, 10);
    assert!(arrived.is_sorted_by_key(|delivery| delivery.at));
    assert!(!indices(&arrived).is_sorted());
    let mut next_expected = 0;
    let late = arrived.iter().filter(|delivery| {
        let late = delivery.index < next_expected;
        next_expected = next_expected.max(delivery.index + 1);
        late
    });
    assert_eq!(counters.reordered, late.count() as u64);
    let delays: Vec<u64> =
        arrived.iter().map(|delivery| delivery.at.as_micros() - delivery.index * 100).collect();
    assert!(delays.iter().all(|delay| (10_000..=11_000).contains(delay)));
    let mean = delays.iter().sum::<u64>() as f64 / delays.len() as f64;
    // Uniform over 1000: deviation 289, of the mean 2.9.
    assert!((mean - 10_500.0).abs() < 15.0, "{mean}");
}

#[test]
fn without_jitter_nothing_is_reordered() {
    let config = LinkConfig::default().delay(micros(10_000)).rate(10_000_000);
    let (arrived, counters) = run(config, 1, 1_000, 100, 1_200);
    assert!(indices(&arrived).is_sorted());
    assert_eq!(counters.reordered, 0);
}

#[test]
fn reordering_holds_back_by_its_delay() {
    // Held back by 2.5 spacings: the two packets behind overtake it, unless they are held back too.
    let config = LinkConfig::default().delay(micros(1_000)).reordering(100_000, micros(250));
    let (arrived, counters) = run(config, 1, 100_000, 100, 10);
    let delay = |delivery: &Delivery<u64>| delivery.at.as_micros() - delivery.index * 100;
    let held = arrived.iter().filter(|delivery| delay(delivery) == 1_250).count() as u64;
    let prompt = arrived.iter().filter(|delivery| delay(delivery) == 1_000).count() as u64;
    assert_eq!(held + prompt, 100_000);
    assert_within(held, 9_525..10_475); // deviation 95
    // It arrives late unless both of the two behind are held back as well (1 %).
    assert_within(counters.reordered, held * 98 / 100..held);
}

#[test]
fn a_blackout_takes_what_would_be_on_the_wire_and_nothing_else() {
    let config = LinkConfig::default()
        .delay(micros(5_000))
        .blackout(at(1_000)..at(2_000))
        .blackout(at(3_000)..at(3_001));
    let (arrived, counters) = run(config, 1, 50, 100, 10);
    let expected: Vec<u64> = (0..50).filter(|packet| !(10..20).contains(packet) && *packet != 30).collect();
    assert_eq!(indices(&arrived), expected);
    assert_eq!(counters.blacked_out, 11);
    assert_eq!(counters.lost, 0);
}

#[test]
fn a_blackout_does_not_shift_the_losses() {
    let loss = LinkConfig::default().loss(ErrorModel::random(200_000));
    let (mut plain, _) = run(loss.clone(), 8, 10_000, 1, 10);
    let (dark, _) = run(loss.blackout(at(2_000)..at(3_000)), 8, 10_000, 1, 10);
    plain.retain(|delivery| !(2_000..3_000).contains(&delivery.index));
    assert_eq!(plain, dark);
}

#[test]
fn the_drop_list_is_by_index_of_sending() {
    let config = LinkConfig::default().drop_indices([0, 3]).drop_indices([5]);
    let (arrived, counters) = run(config, 1, 7, 10, 10);
    assert_eq!(indices(&arrived), [1, 2, 4, 6]);
    assert_eq!(counters.lost, 3);
}

#[test]
fn counts_add_up_while_packets_are_under_way() {
    let mut link = Link::new(rough(), 9);
    for step in 0..20_000_u64 {
        link.send(at(step * 200), (), [0; 300]);
        if step % 3 == 0 {
            while link.poll(at(step * 200)).is_some() {}
        }
        assert_conserved(&link);
    }
    let counters = *link.counters();
    let busy = counters.fields().into_iter().filter(|&(_, count)| count == 0).count();
    assert_eq!(busy, 0, "every counter moved: {counters}");
}

#[test]
fn counters_print_as_one_json_object() {
    let counters = Counters { sent: 3, largest: 1_200, ..Counters::default() };
    let text = alloc::format!("{counters}");
    assert!(
        text.starts_with("{\"sent\":3,\"sent_bytes\":0,") && text.ends_with(",\"largest\":1200}"),
        "{text}"
    );
}

/// What is under way comes as it would have; what is sent later obeys the new configuration, behind the same queue.
#[test]
fn a_link_can_change_under_way() {
    // 1000 bytes in 8 ms.
    let config = LinkConfig::default().rate(1_000_000).overhead(0).delay(micros(1_000));
    let mut link = Link::new(config, 1);
    link.send(at(0), 'a', vec![0; 1_000]);
    link.send(at(0), 'b', vec![0; 1_000]);
    // Ten times as fast, and ten times as far.
    let slower = LinkConfig::default().rate(10_000_000).overhead(0).delay(micros(10_000));
    link.reconfigure(slower.clone());
    link.send(at(0), 'c', vec![0; 1_000]);
    link.reconfigure(slower.loss(ErrorModel::random(crate::config::PPM)));
    link.send(at(0), 'd', vec![0; 1_000]);
    let arrived: Vec<_> = core::iter::from_fn(|| link.poll(Instant::MAX)).map(|it| (it.tag, it.at)).collect();
    assert_eq!(arrived, [('a', at(9_000)), ('b', at(17_000)), ('c', at(26_800))]);
    assert_eq!(link.counters().lost, 1);
}
