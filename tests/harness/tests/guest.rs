//! The runs that a guest repeats: what they are about does happen in them, and a trace tells any two of them apart.

use harness::guest::{BYTES, Line, scenario};
use harness::{Profile, run};

const SEEDS: core::ops::Range<u64> = 1..101;

#[test]
fn guests_repeat_runs_with_losses_and_reordering() {
    let mut percents = Vec::new();
    for seed in SEEDS {
        let report = run(&scenario(seed));
        assert!(report.is_success(), "run {seed}: {:?}", report.outcome);
        assert_eq!(report.server.stats.stream_bytes_received, BYTES);
        for link in [report.to_server, report.to_client] {
            assert!(link.reordered > 0, "run {seed}: nothing was overtaken");
            percents.push(100.0 * link.lost as f64 / link.sent as f64);
        }
        assert!(report.client.stats.stream_bytes_retransmitted > 0, "run {seed}: nothing was sent again");
    }
    let mean = percents.iter().sum::<f64>() / percents.len() as f64;
    println!("{mean:.1} % lost on average");
    assert!((11.0..14.0).contains(&mean), "5 to 20 %, evenly: {mean:.1}");
}

#[test]
fn both_profiles_of_devices_take_part() {
    let profiles: Vec<Profile> = SEEDS.map(|seed| scenario(seed).profile).collect();
    assert!(profiles.contains(&Profile::Small) && profiles.contains(&Profile::Medium));
    assert!(!profiles.contains(&Profile::Host), "more than a guest has");
}

#[test]
fn a_line_is_the_seed_and_the_trace_of_its_run() {
    let line = Line::of(7);
    let trace: String = line.trace().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(line.to_string(), format!("TRACE 7 {trace}"));
    assert_eq!(line.trace(), run(&scenario(7)).trace);
    assert_ne!(line.trace(), Line::of(8).trace());
}
