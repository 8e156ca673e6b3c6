//! What is drawn: samples of a bulk transfer, and what follows from them.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Windows that goodput and losses are counted in, over the whole transfer.
const WINDOWS: usize = 60;

/// The sender at one moment. Bytes, but for the time; `acked` and `lost` count from the beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Seconds since the transfer began.
    pub(crate) time: f64,
    pub(crate) cwnd: f64,
    pub(crate) in_flight: f64,
    pub(crate) acked: f64,
    pub(crate) lost: f64,
}

/// A transfer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transfer {
    pub(crate) title: String,
    /// The link in words.
    pub(crate) link: String,
    /// Of the link, in bits per second; 0 for no limit.
    pub(crate) rate: f64,
    /// Ordered by time; two at least.
    pub(crate) samples: Vec<Sample>,
}

/// What happened in one window of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// In seconds.
    pub(crate) begin: f64,
    pub(crate) end: f64,
    /// Bits per second that the peer acknowledged.
    pub(crate) goodput: f64,
    /// Bytes declared lost.
    pub(crate) lost: f64,
}

impl Transfer {
    /// Reads `{title, link, rate_bits_per_second, samples: [[t_us, cwnd, in_flight, acked, lost], …]}`.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes).context("the transfer")?;
        let text = |name: &str| value[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let rows = value["samples"].as_array().context("no samples")?;
        let samples = rows
            .iter()
            .map(sample)
            .collect::<Option<Vec<Sample>>>()
            .context("a sample is not five numbers")?;
        ensure!(samples.len() > 1, "fewer than two samples");
        ensure!(samples.is_sorted_by(|a, b| a.time <= b.time), "the samples are not in order");
        ensure!(samples[0].time < samples[samples.len() - 1].time, "the transfer took no time");
        let rate = value["rate_bits_per_second"].as_f64().context("no rate_bits_per_second")?;
        Ok(Self { title: text("title")?, link: text("link")?, rate, samples })
    }

    /// The moment of the last sample, in seconds.
    pub(crate) fn end(&self) -> f64 {
        self.samples.last().map_or(0.0, |sample| sample.time)
    }

    /// Bits per second from the first sample to the last.
    pub(crate) fn goodput(&self) -> f64 {
        let [first, last] = [self.samples[0], self.samples[self.samples.len() - 1]];
        (last.acked - first.acked) * 8.0 / (last.time - first.time)
    }

    /// Bytes declared lost in all.
    pub(crate) fn lost(&self) -> f64 {
        self.samples[self.samples.len() - 1].lost - self.samples[0].lost
    }

    /// The samples at which something was declared lost.
    pub(crate) fn losses(&self) -> impl Iterator<Item = &Sample> {
        self.samples.windows(2).filter(|pair| pair[1].lost > pair[0].lost).map(|pair| &pair[1])
    }

    /// The transfer in equal windows, the first beginning with the first sample.
    pub(crate) fn windows(&self) -> Vec<Window> {
        let begin = self.samples[0].time;
        let span = (self.end() - begin) / WINDOWS as f64;
        let edges = (0..=WINDOWS).map(|edge| begin + span * edge as f64);
        let points: Vec<(f64, f64, f64)> =
            edges.map(|time| (time, self.at(time, |s| s.acked), self.at(time, |s| s.lost))).collect();
        points
            .windows(2)
            .map(|pair| Window {
                begin: pair[0].0,
                end: pair[1].0,
                goodput: (pair[1].1 - pair[0].1) * 8.0 / span,
                lost: pair[1].2 - pair[0].2,
            })
            .collect()
    }

    /// A count at `time`: that of the last sample that is not later.
    fn at(&self, time: f64, of: impl Fn(&Sample) -> f64) -> f64 {
        // A hair of room, because the last edge is a sum of fractions.
        let behind = self.samples.partition_point(|sample| sample.time <= time + 1e-9);
        of(&self.samples[behind.saturating_sub(1)])
    }
}

fn sample(row: &Value) -> Option<Sample> {
    let numbers = row.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()?;
    let [micros, cwnd, in_flight, acked, lost] = numbers.try_into().ok()?;
    Some(Sample { time: micros / 1e6, cwnd, in_flight, acked, lost })
}

#[cfg(test)]
pub(crate) mod tests;
