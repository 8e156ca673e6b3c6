//! The figures of a transfer, for people and as JSON for programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use nexus_net_adapter::backend::host::{HostEndpoint, HostStream};
use serde_json::{Map, Value, json};
use udp_sec::time::Duration;

use crate::file::{self, Hash};

/// One finished transfer.
pub(crate) struct Transfer<'t> {
    pub(crate) endpoint: &'t HostEndpoint,
    pub(crate) stream: &'t HostStream,
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
        let stats = self.stream.stats();
        let state = self.stream.path_state();
        let rejects: Map<String, Value> = self
            .endpoint
            .rejects()
            .iter()
            .map(|(reject, count)| (reject.label().to_owned(), json!(count)))
            .collect();
        let figures = json!({
            "name": self.name,
            "bytes": self.bytes,
            "sha256": file::hex(self.hash),
            "elapsed_us": self.elapsed.as_micros(),
            "goodput_bits_per_second": self.goodput_bits_per_second(),
            "datagrams_sent": stats.datagrams_sent,
            "datagrams_received": stats.datagrams_received,
            "bytes_sent": stats.bytes_sent,
            "bytes_received": stats.bytes_received,
            "packets_lost": stats.packets_lost,
            "spurious_losses": stats.spurious_losses,
            "stream_bytes_retransmitted": stats.stream_bytes_retransmitted,
            "stream_bytes_probed": stats.stream_bytes_probed,
            "probe_timeouts": stats.probe_timeouts,
            "window_reductions": stats.window_reductions,
            "smoothed_rtt_us": state.smoothed_rtt.as_micros(),
            "min_rtt_us": state.min_rtt.as_micros(),
            "rejects": rejects,
        });
        fs::write(path, format!("{figures:#}\n"))
            .with_context(|| format!("the figures could not be written to {}", path.display()))
    }
}
