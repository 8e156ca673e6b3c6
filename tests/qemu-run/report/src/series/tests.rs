//! Samples from JSON, and sums that hold.

use super::*;

/// A second at 1 Mbit/s, sampled every 10 ms, with one packet lost at 0.5 s.
pub(crate) fn transfer() -> Transfer {
    let rows: Vec<String> = (0..=100)
        .map(|tick| {
            let lost = if tick < 50 { 0 } else { 1_200 };
            format!(
                "[{}, {}, {}, {}, {lost}]",
                tick * 10_000,
                12_000 + 100 * tick,
                6_000 + 50 * tick,
                1_250 * tick
            )
        })
        .collect();
    let json = format!(
        "{{\"title\":\"A & B\",\"link\":\"a < b\",\"rate_bits_per_second\":1e7,\"samples\":[{}]}}",
        rows.join(",")
    );
    Transfer::from_json(json.as_bytes()).unwrap()
}

#[test]
fn windows_share_out_what_was_acknowledged_and_lost() {
    let transfer = transfer();
    assert!((transfer.goodput() - 1e6).abs() < 1.0);
    assert!((transfer.lost() - 1_200.0).abs() < 1e-9);
    assert_eq!(transfer.losses().map(|sample| sample.time).collect::<Vec<_>>(), [0.5]);
    let windows = transfer.windows();
    assert_eq!(windows.len(), WINDOWS);
    let bits: f64 = windows.iter().map(|window| window.goodput * (window.end - window.begin)).sum();
    assert!((bits - 1e6).abs() < 1.0, "{bits}");
    let lost: Vec<&Window> = windows.iter().filter(|window| window.lost > 0.0).collect();
    assert_eq!(lost.len(), 1);
    assert!(lost[0].begin <= 0.5 && 0.5 <= lost[0].end, "{lost:?}");
}

#[test]
fn what_is_no_transfer_is_refused() {
    for samples in [
        "[]",
        "[[0,1,2,3,4]]",
        "[[0,1,2,3,4],[0,1,2,3,4]]",
        "[[9,1,2,3,4],[1,1,2,3,4]]",
        "[[0,1,2,3],[1,1,2,3]]",
    ] {
        let json =
            format!("{{\"title\":\"t\",\"link\":\"l\",\"rate_bits_per_second\":0,\"samples\":{samples}}}");
        assert!(Transfer::from_json(json.as_bytes()).is_err(), "{samples}");
    }
}
