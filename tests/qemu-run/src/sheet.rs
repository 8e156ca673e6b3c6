//! The figures of one session as a table for people, read from what `summary.json` says.

use std::fmt::Write as _;

use serde_json::Value;

use crate::evidence::size;

/// Width of what a row is about.
const LABEL: usize = 32;
/// Width of a value of one end.
const VALUE: usize = 18;

/// The table of `summary`; empty where there was no bulk to tell of.
#[must_use]
pub fn sheet(summary: &Value) -> String {
    let connector = &summary["ends"]["connector"];
    let (figures, stats) = (&connector["figures"], &connector["stats"]);
    let (Some(bytes), Some(micros)) = (figures["bulk_bytes"].as_u64(), figures["bulk_us"].as_u64()) else {
        return String::new();
    };
    let mut text = String::new();
    let mut fact = |name: &str, value: &str| _ = writeln!(text, "  {name:<LABEL$} {value}");
    fact("bulk", &format!("{} in {:.2} s", size(bytes), micros as f64 / 1e6));
    if let Some(goodput) = figures["goodput_bits_per_second"].as_u64() {
        fact("goodput", &format!("{:.2} Mbit/s", goodput as f64 / 1e6));
    }
    if let (Some(least), Some(smoothed)) = (stats["min_rtt_us"].as_u64(), stats["smoothed_rtt_us"].as_u64()) {
        fact(
            "round trip, least / smoothed",
            &format!("{:.1} / {:.1} ms", least as f64 / 1e3, smoothed as f64 / 1e3),
        );
    }
    if let Some(hash) = figures["bulk_sha256"].as_str() {
        fact("SHA-256, both ends and this host", &format!("{}...", hash.get(..16).unwrap_or(hash)));
    }
    _ = writeln!(text, "\n  {:<LABEL$}{:>VALUE$}{:>VALUE$}", "", "connector", "listener");
    for (name, of) in ROWS {
        let [calls, listens] = ["connector", "listener"].map(|end| of(summary, end));
        if calls.is_some() || listens.is_some() {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            _ = writeln!(text, "  {name:<LABEL$}{:>VALUE$}{:>VALUE$}", shown(calls), shown(listens));
        }
    }
    text
}

/// A value of one end.
type Cell = fn(&Value, &str) -> Option<String>;

const ROWS: [(&str, Cell); 11] = [
    ("datagrams sent", |summary, end| stat(summary, end, "datagrams_sent")),
    ("frames that the link lost", lost_by_link),
    ("packets declared lost", |summary, end| stat(summary, end, "packets_lost")),
    ("of these wrongly", |summary, end| stat(summary, end, "spurious_losses")),
    ("bytes sent again", |summary, end| stat(summary, end, "stream_bytes_retransmitted")),
    ("probe timeouts", |summary, end| stat(summary, end, "probe_timeouts")),
    ("heap, at most", |summary, end| figure(summary, end, "heap_bytes")),
    ("heap, at the end", |summary, end| figure(summary, end, "heap_bytes_in_use")),
    ("stack, handshake", |summary, end| figure(summary, end, "stack_handshake_bytes")),
    ("stack, transfer", |summary, end| figure(summary, end, "stack_transfer_bytes")),
    ("memory of the session", |summary, end| figure(summary, end, "session_bytes")),
];

fn stat(summary: &Value, end: &str, name: &str) -> Option<String> {
    summary["ends"][end]["stats"][name].as_u64().map(|count| count.to_string())
}

fn figure(summary: &Value, end: &str, name: &str) -> Option<String> {
    summary["ends"][end]["figures"][name].as_u64().map(|bytes| format!("{bytes} B"))
}

/// Of the frames that this end has sent. A of the relay is the connector's side.
fn lost_by_link(summary: &Value, end: &str) -> Option<String> {
    let direction = if end == "connector" { "a_to_b" } else { "b_to_a" };
    let link = &summary["link"][direction]["link"];
    let (lost, sent) = (link["lost"].as_u64()?, link["sent"].as_u64()?);
    let percent = if sent > 0 { lost as f64 * 100.0 / sent as f64 } else { 0.0 };
    Some(format!("{lost} ({percent:.1} %)"))
}

#[cfg(test)]
mod tests;
