//! Each way in which the two logs of a guest can disagree.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use serde_json::json;

use super::*;

const SERIAL: &str = "STAT packets_lost 3\nSTAT smoothed_rtt_us 20000\nSTAT socket_sends 9\n\
                      STAT reassembly_overflows 0\nREJECT udpsec.reject.bad_mac1 2\n\
                      EVENTS established=1 readable=40 writable=0 closed=2\n";

fn log() -> Value {
    json!({
        "damaged": 0,
        "messages": {
            "established": 1,
            "readable": 40,
            "closed: complete": 1,
            "closed: by us, code #": 1,
            "udpsec.reject.bad_mac1": 2,
        },
        "sums": { "packets_lost": 3 },
    })
}

fn found(serial: &str, log: &Value) -> Vec<String> {
    let fate = Fate::Ended(ExitStatus::from_raw(0));
    faults(Role::Connector, fate, &Output::parse(serial), log)
}

#[test]
fn logs_that_agree_have_no_faults() {
    assert_eq!(found(SERIAL, &log()), Vec::<String>::new());
}

#[test]
fn a_line_too_few_or_too_many_of_anything_is_a_fault() {
    for (group, line, fault) in [
        ("messages", "readable", "readable is 40 on the serial line, 41 in the defmt log"),
        ("messages", "closed: complete", "closed is 2 on the serial line, 3 in the defmt log"),
        ("messages", "writable", "writable is 0 on the serial line, 1 in the defmt log"),
        ("messages", "udpsec.reject.bad_mac1", "udpsec.reject.bad_mac1 is 2 on the serial line, 3 in"),
        ("sums", "packets_lost", "packets_lost is 3 on the serial line, 4 in the defmt log"),
        ("sums", "bytes_lost", "bytes_lost is 0 on the serial line, 1 in the defmt log"),
        ("messages", "something else", "something else is 0 on the serial line, 1 in the defmt log"),
    ] {
        let mut more = log();
        more[group][line] = json!(more[group][line].as_u64().unwrap_or(0) + 1);
        let faults = found(SERIAL, &more);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{faults:?}");
    }
    let mut fewer = log();
    fewer["messages"]["readable"] = json!(39);
    assert_eq!(found(SERIAL, &fewer).len(), 1);
}

#[test]
fn damaged_frames_and_events_that_were_not_told_are_faults() {
    let mut damaged = log();
    damaged["damaged"] = json!(1);
    assert_eq!(found(SERIAL, &damaged), ["connector: 1 frames of its defmt log are damaged"]);
    let untold = json!({ "damaged": 0, "messages": {}, "sums": {} });
    assert_eq!(found("", &untold), ["connector: does not say which events it has polled"]);
}

#[test]
fn a_guest_that_did_not_end_in_order_had_no_time_to_say_it_all() {
    for fate in [Fate::Killed, Fate::Ended(ExitStatus::from_raw(101 << 8))] {
        assert!(faults(Role::Listener, fate, &Output::parse(SERIAL), &json!({ "damaged": 1 })).is_empty());
    }
}
