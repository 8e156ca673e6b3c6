//! Many runs: the same with other seeds, or every loss of the matrix; and their table.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::evidence::{self, size};
use crate::output::Output;
use crate::plan::{Plan, Tools};
use crate::profile::Role;
use crate::sheet::sheet;
use crate::spread;
use crate::stage::{self, Outcome};
use crate::watch::Watch;

/// Losses of the matrix, in percent.
pub const MATRIX: [f64; 4] = [0.0, 1.0, 5.0, 10.0];
/// Runs of each of them, unless told otherwise.
pub const MATRIX_SEEDS: u64 = 3;

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What ran.
    pub name: String,
    /// Losses each way, in percent.
    pub loss: f64,
    /// Seed.
    pub seed: u64,
    /// Whether everything was as it must be.
    pub passed: bool,
    /// The whole run, in seconds.
    pub seconds: f64,
    /// The bulk transfer, in microseconds.
    pub bulk_us: Option<u64>,
    /// Its bytes.
    pub bulk_bytes: Option<u64>,
    /// Packets that the connector's transport declared lost.
    pub packets_lost: Option<u64>,
    /// Bytes that it sent again.
    pub bytes_again: Option<u64>,
    /// High-water mark of the heap, the higher of the two ends, in bytes.
    pub heap: Option<u64>,
    /// High-water mark of the stack, the higher of the two ends, in bytes.
    pub stack: Option<u64>,
}

impl Row {
    fn of(plan: &Plan, outcome: &Outcome) -> Self {
        let connector = outcome.end(Role::Connector).map(|end| &end.output);
        let figure = |name: &str| connector.and_then(|output| output.figure(name));
        let stat = |name: &str| connector.and_then(|output| output.stats.get(name).copied());
        Self {
            name: plan.name(),
            loss: plan.link.loss,
            seed: plan.seed,
            passed: outcome.faults.is_empty(),
            seconds: outcome.elapsed.as_secs_f64(),
            bulk_us: figure("bulk_us"),
            bulk_bytes: figure("bulk_bytes"),
            packets_lost: stat("packets_lost"),
            bytes_again: stat("stream_bytes_retransmitted"),
            heap: outcome.ends.iter().filter_map(|end| end.output.figure("heap_bytes")).max(),
            stack: outcome.ends.iter().filter_map(|end| largest_stack(&end.output)).max(),
        }
    }

    /// Goodput of the bulk, in bits per second.
    #[must_use]
    pub fn goodput(&self) -> Option<u64> {
        let micros = self.bulk_us.filter(|&micros| micros > 0)?;
        Some(self.bulk_bytes?.saturating_mul(8_000_000) / micros)
    }

    fn to_json(&self) -> Value {
        json!({
            "run": self.name,
            "loss_percent": self.loss,
            "seed": self.seed,
            "passed": self.passed,
            "seconds": self.seconds,
            "bulk_bytes": self.bulk_bytes,
            "bulk_us": self.bulk_us,
            "goodput_bits_per_second": self.goodput(),
            "packets_lost": self.packets_lost,
            "retransmitted_bytes": self.bytes_again,
            "heap_bytes": self.heap,
            "stack_bytes": self.stack,
        })
    }
}

/// The highest of the stack's high-water marks: guests take one for each phase.
fn largest_stack(output: &Output) -> Option<u64> {
    output
        .figures
        .keys()
        .filter(|name| name.starts_with("stack_"))
        .filter_map(|name| output.figure(name))
        .max()
}

/// Runs all of `plans`, each in a folder of its own, and says of each how it went; with `watch` as
/// it goes, and with a table of its figures. Returns whether all passed.
///
/// # Errors
/// Where a run could not be made at all.
pub fn run_all(plans: &[Plan], tools: &Tools, stamp: &str, watch: bool) -> Result<bool> {
    let mut rows = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        let folder = tools.out.join(format!("{stamp}-{}", plan.name()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        if plans.len() > 1 {
            println!("[{}/{}] {}", number + 1, plans.len(), plan.name());
        }
        let watching = watch.then(|| Watch::begin(&folder));
        let mut outcome = stage::run(plan, tools, &folder)?;
        drop(watching);
        let summary = evidence::keep(plan, tools, &mut outcome, &folder)?;
        let row = Row::of(plan, &outcome);
        if row.passed && watch {
            println!("\n{}", sheet(&summary));
        } else if plans.len() == 1 || !row.passed {
            println!("{}", evidence::text(plan, &outcome));
        }
        println!("  {}: {}", if row.passed { "passed" } else { "FAILED" }, folder.display());
        rows.push(row);
    }
    if rows.len() > 1 {
        let mut table = table(&rows);
        let spreads = spread::table(&rows);
        if !spreads.is_empty() {
            table = format!("{table}\n{spreads}");
        }
        print!("\n{table}");
        let base = tools.out.join(format!("{stamp}-series"));
        write(base.with_extension("txt"), &table)?;
        let runs: Vec<Value> = rows.iter().map(Row::to_json).collect();
        let json = json!({ "runs": runs, "spreads": spread::to_json(&rows) });
        write(base.with_extension("json"), &(serde_json::to_string_pretty(&json)? + "\n"))?;
    }
    Ok(rows.iter().all(|row| row.passed))
}

fn write(path: PathBuf, text: &str) -> Result<()> {
    std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("  {}", path.display());
    Ok(())
}

/// The rows for people, and how many passed.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:>6} {:>6} {:>7} {:>9} {:>10} {:>10} {:>7} {:>10} {:>9} {:>9}\n",
        "loss %", "seed", "result", "run s", "bulk", "goodput", "lost", "again", "heap", "stack"
    );
    let shown = |value: Option<u64>, unit: &str| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value}{unit}"))
    };
    for row in rows {
        let bulk = row.bulk_bytes.map_or_else(|| "-".to_owned(), size);
        let goodput =
            row.goodput().map_or_else(|| "-".to_owned(), |bits| format!("{:.2} Mb/s", bits as f64 / 1e6));
        let result = if row.passed { "passed" } else { "FAILED" };
        _ = writeln!(
            text,
            "{:>6} {:>6} {result:>7} {:>9.1} {bulk:>10} {goodput:>10} {:>7} {:>10} {:>9} {:>9}",
            row.loss,
            row.seed,
            row.seconds,
            shown(row.packets_lost, ""),
            shown(row.bytes_again, " B"),
            shown(row.heap, " B"),
            shown(row.stack, " B"),
        );
    }
    let passed = rows.iter().filter(|row| row.passed).count();
    _ = writeln!(text, "{passed} of {} runs passed", rows.len());
    text
}

#[cfg(test)]
mod tests;
