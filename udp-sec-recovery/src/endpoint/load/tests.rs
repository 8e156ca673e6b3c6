//! Budgets: how much at once, how much over time, and who does not pay for whom.

use core::net::SocketAddr;
use std::vec::Vec;

use udp_sec::time::{Duration, Instant};

use super::{GROUPS, Load, PER_GROUP, group};

fn source(host: u32) -> SocketAddr {
    (core::net::Ipv4Addr::from_bits(host), 4433).into()
}

#[test]
fn a_budget_is_spent_at_once_and_fills_up_in_a_second() {
    let mut load = Load::new(10);
    let start = Instant::from_micros(5_000_000);
    assert_eq!((0..100).filter(|_| load.admits_unproven(start)).count(), 10);
    let later = start + Duration::from_millis(100);
    assert_eq!((0..100).filter(|_| load.admits_unproven(later)).count(), 1);
    // Over time exactly the rate, whatever is asked for.
    let granted =
        (0..10_000_u64).filter(|step| load.admits_unproven(later + Duration::from_millis(*step))).count();
    assert!((99..=101).contains(&granted), "{granted} in ten seconds");
}

#[test]
fn a_rate_of_zero_admits_nobody_without_a_proof() {
    let mut load = Load::new(0);
    assert!(!load.admits_unproven(Instant::from_micros(5_000_000)));
    assert!(load.admits_proven(Instant::ZERO, source(1)));
}

#[test]
fn a_source_spends_only_the_budget_of_its_group() {
    let mut load = Load::new(10);
    let now = Instant::ZERO;
    let flooded = (0..1_000).filter(|_| load.admits_proven(now, source(77))).count();
    assert_eq!(flooded, usize::from(PER_GROUP));
    let others: Vec<_> = (0..256).filter(|host| group(source(*host)) != group(source(77))).collect();
    assert!(others.len() > 200);
    assert!(others.iter().take(100).all(|host| load.admits_proven(now, source(*host))));
    assert_eq!((0..100).filter(|_| load.admits_unproven(now)).count(), 10, "nor that of the unproven");
}

#[test]
fn sources_spread_over_all_groups() {
    let mut counts = [0; GROUPS];
    (0..1024).for_each(|host| counts[group(source(0x0a00_0000 + host))] += 1);
    assert!(counts.iter().all(|count| (8..=80).contains(count)), "{counts:?}");
}
