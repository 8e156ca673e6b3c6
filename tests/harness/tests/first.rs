//! The first line through all layers: bytes over a lossy link, bit for bit.

use harness::world::ms;
use harness::{Scenario, run};
use lossy_link::{ErrorModel, LinkConfig};

#[test]
fn transfers_over_a_perfect_link() {
    let report = run(&Scenario::new(1, 1 << 20).link(LinkConfig::default().delay(ms(10))));
    println!("{report:#?}");
    assert!(report.is_success());
}

#[test]
fn transfers_over_a_lossy_link() {
    let link = LinkConfig::default().delay(ms(10)).loss(ErrorModel::random(50_000));
    let report = run(&Scenario::new(2, 1 << 20).link(link));
    println!("{report:#?}");
    assert!(report.is_success());
}
