//! The figures of a transfer, for people and as JSON for programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use nexus_net_adapter::backend::host::HostStream;
use nexus_net_adapter::select::SelectedStream;
use serde_json::{Map, Value, json};
use udp_sec::time::Duration;

use crate::file::{self, Hash};
use crate::network::Session;

/// One finished transfer.
pub(crate) struct Transfer<'t> {
    pub(crate) session: &'t Session,
    pub(crate) name: &'t str,
    pub(crate) bytes: u64,
    pub(crate) elapsed: Duration,
    pub(crate) hash: &'t Hash,
}

impl Transfer<'_> {
    /// `time`, `rate` and hash in one line.
    pub(crate) fn verdict(&self) -> String {
        let seconds = self.elapsed.as_micros() as f64 / 1e6;
        let rate = self.goodput_bits_per_second() as f64 / 1e6;
        format!("{} bytes in {seconds:.3} s ({rate:.2} Mbit/s), SHA-256 {}", self.bytes, file::hex(self.hash))
    }

    fn goodput_bits_per_second(&self) -> u64 {
        let micros = u128::from(self.elapsed.as_micros().max(1));
        u64::try_from(u128::from(self.bytes) * 8_000_000 / micros).unwrap_or(u64::MAX)
    }

    /// Writes the figures as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut figures = json!({
            "name": self.name,
            "bytes": self.bytes,
            "sha256": file::hex(self.hash),
            "elapsed_us": self.elapsed.as_micros(),
            "goodput_bits_per_second": self.goodput_bits_per_second(),
            "transport": self.session.stream.transport().name(),
        });
        let below = match &self.session.stream {
            SelectedStream::UdpSec(stream) => datagrams(stream),
            // What TCP did only the system knows.
            _ => Map::new(),
        };
        if let Some(figures) = figures.as_object_mut() {
            figures.extend(below);
        }
        fs::write(path, format!("{figures:#}\n"))
            .with_context(|| format!("the figures could not be written to {}", path.display()))
    }
}

/// What it took at the socket.
fn datagrams(stream: &HostStream) -> Map<String, Value> {
    let stats = stream.stats();
    let state = stream.path_state();
    let rejects: Map<String, Value> = stream
        .endpoint()
        .rejects()
        .iter()
        .map(|(reject, count)| (reject.label().to_owned(), json!(count)))
        .collect();
    let figures = [
        ("datagrams_sent", stats.datagrams_sent),
        ("datagrams_received", stats.datagrams_received),
        ("bytes_sent", stats.bytes_sent),
        ("bytes_received", stats.bytes_received),
        ("packets_lost", stats.packets_lost),
        ("spurious_losses", stats.spurious_losses),
        ("stream_bytes_retransmitted", stats.stream_bytes_retransmitted),
        ("stream_bytes_probed", stats.stream_bytes_probed),
        ("probe_timeouts", stats.probe_timeouts),
        ("window_reductions", stats.window_reductions),
        ("smoothed_rtt_us", state.smoothed_rtt.as_micros()),
        ("min_rtt_us", state.min_rtt.as_micros()),
    ];
    let figures = figures.into_iter().map(|(name, figure)| (name.to_owned(), json!(figure)));
    figures.chain([("rejects".to_owned(), Value::Object(rejects))]).collect()
}
