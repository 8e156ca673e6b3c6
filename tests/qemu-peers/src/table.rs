//! What came of it, for people and for programs.

use std::fmt::{self, Write as _};

use serde_json::json;

use crate::Options;
use crate::row::{ROWS, Row};
use crate::simulator::Simulated;

/// What came of one transfer.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Which row.
    pub(crate) row: &'static Row,
    /// Which losses, which bytes.
    pub(crate) seed: u64,
    /// This machine's load average when it began.
    pub(crate) load: f64,
    /// Bits per second, or what went wrong.
    pub(crate) goodput: Result<u64, String>,
    /// Bytes of buffers and state.
    pub(crate) ram: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} {:<26} load {:>5.2}  ", self.seed, self.row, self.load)?;
        match &self.goodput {
            Ok(goodput) => write!(f, "{} Mbit/s", megabits(*goodput)),
            Err(why) => write!(f, "FAILED: {why}"),
        }
    }
}

/// Least, median and greatest of a row, if it has any; and its memory.
fn spread(row: &Row, outcomes: &[Outcome]) -> Option<([u64; 3], u64)> {
    let own = || outcomes.iter().filter(|outcome| std::ptr::eq(outcome.row, row));
    let mut goodputs: Vec<u64> = own().filter_map(|outcome| outcome.goodput.clone().ok()).collect();
    goodputs.sort_unstable();
    let middle = goodputs.len() / 2;
    let median = if goodputs.len() % 2 == 1 {
        *goodputs.get(middle)?
    } else {
        (goodputs.get(middle.checked_sub(1)?)? + goodputs.get(middle)?) / 2
    };
    let ram = own().map(|outcome| outcome.ram).max()?;
    Some(([*goodputs.first()?, median, *goodputs.last()?], ram))
}

/// The table.
pub(crate) fn text(options: &Options, outcomes: &[Outcome], simulated: &[Simulated]) -> String {
    let mut text = format!(
        "{} bytes, {} % lost each way; Mbit/s; `ratio`: udp-sec's median in the same memory to this one; `done`: how \
         many of {} arrived within {} s, of which the others are\n\n",
        options.bytes, options.loss, options.seeds, options.limit
    );
    text += "| transport | memory | RAM, bytes | done | median | least | greatest | ratio | simulator |\n";
    text += "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for row in &ROWS {
        let own = || outcomes.iter().filter(|outcome| std::ptr::eq(outcome.row, row));
        let done = own().filter(|outcome| outcome.goodput.is_ok()).count();
        _ = write!(text, "| {}, {} | {} ", row.transport, row.control, row.memory());
        let Some(([least, median, greatest], ram)) = spread(row, outcomes) else {
            _ = writeln!(text, "| | {done} | | | | | |");
            continue;
        };
        let ours = ROWS.iter().find(|ours| ours.is_ours() && ours.profile == row.profile);
        let ratio = ours.and_then(|ours| Some(spread(ours, outcomes)?.0[1] as f64 / median as f64));
        let ratio = ratio.filter(|_| !row.is_ours()).map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
        let simulated = simulated.iter().find(|simulated| std::ptr::eq(simulated.row, row));
        let simulated = simulated.map(|simulated| megabits(simulated.goodput)).unwrap_or_default();
        let [least, median, greatest] = [least, median, greatest].map(megabits);
        _ = writeln!(text, "| {ram} | {done} | {median} | {least} | {greatest} | {ratio} | {simulated} |");
    }
    let loads = || outcomes.iter().map(|outcome| outcome.load);
    let (least, greatest) = (loads().fold(f64::INFINITY, f64::min), loads().fold(0.0, f64::max));
    _ = writeln!(text, "\nLoad average of this machine {least:.1} to {greatest:.1}.");
    text
}

/// The same and every transfer, for programs.
pub(crate) fn json(options: &Options, outcomes: &[Outcome], simulated: &[Simulated]) -> String {
    let transfers: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "row": outcome.row.to_string(), "seed": outcome.seed, "load": outcome.load,
                "goodput_bits_per_second": outcome.goodput.as_ref().ok(),
                "failure": outcome.goodput.as_ref().err(), "ram_bytes": outcome.ram,
            })
        })
        .collect();
    let simulated: Vec<_> = simulated
        .iter()
        .map(|simulated| json!({"row": simulated.row.to_string(), "goodput_bits_per_second": simulated.goodput}))
        .collect();
    let (bytes, loss, seeds) = (options.bytes, options.loss, options.seeds);
    format!(
        "{:#}\n",
        json!({"bytes": bytes, "loss_percent": loss, "seeds": seeds, "transfers": transfers, "simulated": simulated})
    )
}

/// Two digits behind the point.
fn megabits(bits: u64) -> String {
    format!("{:.2}", bits as f64 / 1e6)
}
