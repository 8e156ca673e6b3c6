//! What the processes tell each other, and what a benchmark leaves behind.

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::Failure;

const GIB: f64 = (1_u64 << 30) as f64;

/// One side of one transfer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Side {
    /// Bytes of the stream: delivered to the application (receiver) or taken from it (sender).
    pub(crate) bytes: u64,
    /// Wall time they took.
    pub(crate) seconds: f64,
    /// CPU time of the process in that time, user and system.
    pub(crate) cpu_seconds: f64,
}

impl Side {
    /// Prints it for the process that waits for it.
    pub(crate) fn print(self) -> Result<(), Failure> {
        println!("{}", serde_json::to_string(&self)?);
        Ok(std::io::stdout().flush()?)
    }
}

/// One transfer by one peer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) peer: &'static str,
    pub(crate) round: u32,
    /// Random loss each way in percent; `None` for bulk over plain loopback.
    pub(crate) loss_percent: Option<f64>,
    pub(crate) seed: Option<u64>,
    pub(crate) sender: Side,
    pub(crate) receiver: Side,
    /// The relay's counters, where there was one.
    pub(crate) relay: Option<serde_json::Value>,
}

impl Run {
    /// Delivered bits per second.
    pub(crate) fn goodput(&self) -> f64 {
        self.receiver.bytes as f64 * 8.0 / self.receiver.seconds
    }

    /// CPU seconds of one side per GiB delivered. Each side's CPU time is scaled from its own span of time to
    /// the receiver's, as the sender's is a little longer (it includes the close).
    pub(crate) fn cpu_per_gib(&self, side: Side) -> f64 {
        let share = side.cpu_seconds / side.seconds * self.receiver.seconds;
        share / (self.receiver.bytes as f64 / GIB)
    }
}

/// A median with the least and greatest value.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` without a value.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => return None,
            odd if odd % 2 == 1 => values[middle],
            _ => (values[middle - 1] + values[middle]) / 2.0,
        };
        Some(Self { median, min: values[0], max: values[values.len() - 1] })
    }
}

#[cfg(test)]
mod tests;
