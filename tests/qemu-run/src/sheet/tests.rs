//! The table shows what the summary says, and a dash where that says nothing.

use serde_json::json;

use super::*;

fn summary() -> Value {
    json!({
        "ends": {
            "connector": {
                "figures": {
                    "bulk_bytes": 2_097_152,
                    "bulk_us": 13_364_491,
                    "goodput_bits_per_second": 1_255_357,
                    "bulk_sha256": "2f7483452655fa6604b2556326a2a0c6",
                    "heap_bytes": 784,
                },
                "stats": { "datagrams_sent": 2_850, "min_rtt_us": 20_916, "smoothed_rtt_us": 22_666 },
            },
            "listener": { "figures": {}, "stats": { "datagrams_sent": 3_353 } },
        },
        "link": {
            "a_to_b": { "link": { "sent": 2_852, "lost": 140 } },
            "b_to_a": { "link": { "sent": 0, "lost": 0 } },
        },
    })
}

/// The line that begins with `name`, its gaps made one space.
fn row(name: &str) -> Option<String> {
    let text = sheet(&summary());
    let line = text.lines().find(|line| line.trim_start().starts_with(name))?;
    Some(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_row_comes_from_the_summary() {
    for (name, expected) in [
        ("bulk", "bulk 2 MiB in 13.36 s"),
        ("goodput", "goodput 1.26 Mbit/s"),
        ("round trip", "round trip, least / smoothed 20.9 / 22.7 ms"),
        ("SHA-256", "SHA-256, both ends and this host 2f7483452655fa66..."),
        ("datagrams", "datagrams sent 2850 3353"),
        ("frames", "frames that the link lost 140 (4.9 %) 0 (0.0 %)"),
        ("heap, at most", "heap, at most 784 B -"),
    ] {
        assert_eq!(row(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(row("stack, transfer"), None, "nobody has measured it");
}

#[test]
fn the_columns_stand_below_their_ends() {
    let text = sheet(&summary());
    let end = |name: &str, word: &str| {
        let line = text.lines().find(|line| line.contains(name)).unwrap();
        line.find(word).unwrap() + word.len()
    };
    assert_eq!(end("connector", "connector"), end("datagrams", "2850"));
    assert_eq!(end("connector", "listener"), end("datagrams", "3353"));
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
}

#[test]
fn without_a_bulk_there_is_no_table() {
    assert_eq!(sheet(&json!({ "ends": {} })), "");
}
