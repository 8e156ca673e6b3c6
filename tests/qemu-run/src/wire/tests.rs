//! What each profile demands of the link.

use super::*;

/// Counts with these instead of zero.
fn wire(counts: &[(&str, &str, u64)]) -> Wire {
    let names = ["frames", "tcp", "tcp_syn", "udp_with_payload", "tcp_with_payload"];
    let mut value = serde_json::json!({ "socket_drops": 0, "fuzzed": 0 });
    for direction in ["a_to_b", "b_to_a"] {
        for name in names {
            value[direction]["sent"][name] = 0.into();
        }
        value[direction]["link"]["lost"] = 0.into();
    }
    for (direction, name, count) in counts {
        let part = if *name == "lost" { "link" } else { "sent" };
        value[*direction][part][*name] = (*count).into();
    }
    Wire::parse(&value.to_string()).unwrap()
}

fn faults(counts: &[(&str, &str, u64)], profile: Profile, lossy: bool) -> usize {
    wire(counts).faults(profile, lossy).unwrap().len()
}

#[test]
fn without_entropy_a_single_frame_is_too_many() {
    assert_eq!(faults(&[], Profile::NoEntropy, false), 0);
    assert_eq!(faults(&[("b_to_a", "frames", 1)], Profile::NoEntropy, false), 1);
}

#[test]
fn strict_allows_no_tcp_and_must_have_tried() {
    let tried = ("a_to_b", "udp_with_payload", 6);
    assert_eq!(faults(&[tried], Profile::Strict, false), 0);
    assert_eq!(faults(&[tried, ("a_to_b", "tcp", 1)], Profile::Strict, false), 1);
    assert_eq!(faults(&[], Profile::Strict, false), 1);
}

#[test]
fn a_lossy_run_must_have_lost_something() {
    assert_eq!(faults(&[], Profile::UdpSec, false), 0);
    assert_eq!(faults(&[], Profile::UdpSec, true), 1);
    assert_eq!(faults(&[("b_to_a", "lost", 3)], Profile::UdpSec, true), 0);
    assert_eq!(faults(&[("b_to_a", "lost", 3), ("a_to_b", "tcp", 2)], Profile::UdpSec, true), 1);
}

#[test]
fn a_fallback_must_have_used_tcp_and_quic_neither() {
    assert_eq!(faults(&[], Profile::Fallback, false), 1);
    assert_eq!(faults(&[("a_to_b", "tcp_with_payload", 3)], Profile::Fallback, false), 0);
    assert_eq!(faults(&[("a_to_b", "udp_with_payload", 1)], Profile::Quic, false), 1);
    assert_eq!(faults(&[("a_to_b", "frames", 1)], Profile::Quic, false), 0); // address resolution, say
}

#[test]
fn frames_lost_by_the_relay_itself_spoil_a_run() {
    let mut wire = wire(&[]);
    wire.0["socket_drops"] = 2.into();
    assert_eq!(wire.faults(Profile::UdpSec, false).unwrap().len(), 1);
}

#[test]
fn anything_else_is_no_report() {
    for line in ["", "{}", "relay ready", "{\"a_to_b\":{\"sent\":{\"frames\":1}}}"] {
        assert!(Wire::parse(line).is_err(), "{line}");
    }
}
