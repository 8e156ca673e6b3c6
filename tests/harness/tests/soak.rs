//! A sample of what `scripts/soak.sh` plays by the million: random topologies and faults, every invariant after every
//! step. `src/chaos.rs` draws them.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::on_two_threads;
use harness::{chaos, network};
use udp_sec_recovery::event::Closure;

const SEEDS: u64 = 240;

#[test]
fn random_plans_break_no_invariant() {
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let reports = on_two_threads(&seeds, |seed| {
        catch_unwind(AssertUnwindSafe(|| network::run(&chaos::plan(*seed))))
            .unwrap_or_else(|_| panic!("to see it again: ./scripts/soak.sh --replay {seed}"))
    });
    // A sample in which nothing goes wrong, or nothing right, would show little.
    let ends = |wanted: fn(Option<Closure>) -> bool| {
        reports.iter().flat_map(|report| &report.ended).filter(|end| wanted(end.why)).count()
    };
    let complete = ends(|why| why == Some(Closure::Complete));
    let timed_out = ends(|why| why == Some(Closure::TimedOut));
    let superseded = ends(|why| why == Some(Closure::Superseded));
    let restarted = ends(|why| why.is_none());
    println!("{complete} complete, {timed_out} timed out, {superseded} superseded, {restarted} restarted");
    assert!(complete >= 400 && timed_out >= 100 && superseded >= 20 && restarted >= 20);
}
