//! Logs as guests write them, complete and not.

use super::*;
use crate::profile::{Profile, Role, cut_short, ladder};

const CONNECTOR: &str = "\
OpenSBI v1.1
boot: arguments [role=connector loss=1]
dsoftbusd: auth ok
dsoftbus: udp-sec os session ok
dsoftbusd: transport selected udp-sec
dsoftbus:mux session up
dsoftbus:mux data ok (udp-sec)
SELFTEST: udp-sec control ok
SELFTEST: udp-sec bulk ok
SELFTEST: udp-sec backpressure ok
SELFTEST: udp-sec recovery ok
SELFTEST: end
";

fn lossy() -> Ladder {
    ladder(Profile::UdpSec, Role::Connector, true)
}

#[test]
fn a_complete_log_passes_and_names_its_lines() {
    let verdict = judge(CONNECTOR, &lossy());
    assert!(verdict.passed(), "{:?}", verdict.faults);
    assert_eq!(verdict.reached.len(), 10);
    assert_eq!(verdict.reached[0], Reached { marker: "dsoftbusd: auth ok".to_owned(), line: 3 });
    assert_eq!(verdict.reached[9], Reached { marker: "SELFTEST: end".to_owned(), line: 12 });
}

#[test]
fn carriage_returns_of_the_serial_line_do_not_matter() {
    assert!(judge(&CONNECTOR.replace('\n', "\r\n"), &lossy()).passed());
}

#[test]
fn each_marker_is_required() {
    for marker in lossy().required {
        let text = marker.to_string();
        let log: String =
            CONNECTOR.lines().filter(|line| *line != text).map(|line| format!("{line}\n")).collect();
        let verdict = judge(&log, &lossy());
        assert!(
            matches!(&verdict.faults[..], [Fault::Missing { marker, .. }] if *marker == text),
            "{verdict:?}"
        );
    }
}

#[test]
fn every_swap_of_neighbours_is_out_of_order() {
    let lines: Vec<&str> = CONNECTOR.lines().collect();
    for first in 2..lines.len() - 1 {
        let mut swapped = lines.clone();
        swapped.swap(first, first + 1);
        let verdict = judge(&swapped.join("\n"), &lossy());
        let [Fault::OutOfOrder { marker, line, .. }] = &verdict.faults[..] else { panic!("{verdict:?}") };
        // The one that has moved up is found too early, once the one before it has been passed.
        assert_eq!((marker.as_str(), *line), (lines[first + 1], first + 1));
    }
}

#[test]
fn the_excerpt_is_around_the_last_marker_before_the_miss() {
    let cut: Vec<&str> = CONNECTOR.lines().take(8).chain(["error: session lost", "exit 3"]).collect();
    let verdict = judge(&cut.join("\n"), &lossy());
    let [Fault::Missing { marker, excerpt }] = &verdict.faults[..] else { panic!("{verdict:?}") };
    assert_eq!(marker, "SELFTEST: udp-sec bulk ok");
    assert!(excerpt.contains(">     8 | SELFTEST: udp-sec control ok\n"), "{excerpt}");
    assert!(excerpt.ends_with("      9 | error: session lost\n     10 | exit 3\n"), "{excerpt}");
    assert!(excerpt.starts_with("      2 | boot"), "{excerpt}");
}

#[test]
fn with_nothing_reached_the_excerpt_is_the_end_of_the_log() {
    let log: String = (1..=100).map(|number| format!("line {number}\n")).collect();
    let verdict = judge(&log, &lossy());
    let [Fault::Missing { excerpt, .. }] = &verdict.faults[..] else { panic!("{verdict:?}") };
    assert!(excerpt.ends_with("    100 | line 100\n"), "{excerpt}");
    assert!(judge("", &lossy()).faults[0].to_string().contains("the log is empty"));
}

#[test]
fn a_forbidden_line_fails_a_complete_log() {
    for line in [
        "dsoftbusd: transport selected tcp",
        "dsoftbus: udp-sec os disabled (fallback tcp)",
        "kernel PANIC at 0",
    ] {
        let verdict = judge(&format!("{CONNECTOR}{line}\n"), &lossy());
        assert_eq!(verdict.reached.len(), 10);
        assert!(matches!(&verdict.faults[..], [Fault::Forbidden { line: 13, .. }]), "{line}: {verdict:?}");
    }
}

#[test]
fn recovery_is_required_only_with_loss() {
    let clean = CONNECTOR.replace("SELFTEST: udp-sec recovery ok\n", "");
    assert!(judge(&clean, &ladder(Profile::UdpSec, Role::Connector, false)).passed());
    assert!(!judge(&clean, &lossy()).passed());
}

#[test]
fn behind_a_killed_peer_no_later_marker_may_stand() {
    let cut: Vec<&str> = CONNECTOR.lines().take(8).chain(["error: the peer is gone"]).collect();
    let ladder = cut_short(lossy());
    assert!(judge(&cut.join("\n"), &ladder).passed());
    for later in CONNECTOR.lines().skip(8) {
        let verdict = judge(&format!("{}\n{later}\n", cut.join("\n")), &ladder);
        assert!(matches!(&verdict.faults[..], [Fault::Forbidden { .. }]), "{later}: {verdict:?}");
    }
    // Killed too early, the log shows nothing of what was to be shown.
    assert!(!judge(&cut[..6].join("\n"), &ladder).passed());
}
