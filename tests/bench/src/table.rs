//! The rounds of each peer in each cell, summed up and printed.

use std::fmt::Write;

use serde::Serialize;

use crate::report::{Run, Spread};

/// The peer that others are measured by.
const REFERENCE: &str = "quinn";

/// One peer in one cell, over all rounds.
#[derive(Serialize)]
pub(crate) struct Summary {
    peer: &'static str,
    loss_percent: Option<f64>,
    rounds: usize,
    goodput_bits_per_second: Spread,
    sender_cpu_seconds_per_gib: Spread,
    receiver_cpu_seconds_per_gib: Spread,
    /// Median goodput over quinn's, where quinn took part.
    goodput_ratio: Option<f64>,
}

/// One summary for each cell and peer, in the order in which they first ran.
pub(crate) fn summaries(runs: &[Run]) -> Vec<Summary> {
    let mut groups: Vec<Vec<&Run>> = Vec::new();
    for run in runs {
        let same = |group: &&mut Vec<&Run>| {
            group.iter().all(|other| other.peer == run.peer && other.loss_percent == run.loss_percent)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let mut summaries: Vec<Summary> = groups.iter().filter_map(|group| summary(group)).collect();
    let reference: Vec<(Option<f64>, f64)> = summaries
        .iter()
        .filter(|summary| summary.peer == REFERENCE)
        .map(|summary| (summary.loss_percent, summary.goodput_bits_per_second.median))
        .collect();
    for summary in &mut summaries {
        let beside = reference.iter().find(|(loss, _)| *loss == summary.loss_percent);
        summary.goodput_ratio = beside.map(|(_, median)| summary.goodput_bits_per_second.median / median);
    }
    summaries
}

fn summary(group: &[&Run]) -> Option<Summary> {
    let first = group.first()?;
    let spread = |value: &dyn Fn(&Run) -> f64| Spread::of(group.iter().map(|run| value(run)));
    Some(Summary {
        peer: first.peer,
        loss_percent: first.loss_percent,
        rounds: group.len(),
        goodput_bits_per_second: spread(&Run::goodput)?,
        sender_cpu_seconds_per_gib: spread(&|run| run.cpu_per_gib(run.sender))?,
        receiver_cpu_seconds_per_gib: spread(&|run| run.cpu_per_gib(run.receiver))?,
        goodput_ratio: None,
    })
}

/// Medians with (least - greatest).
pub(crate) fn render(summaries: &[Summary]) -> String {
    let mut text = format!(
        "{:<10} {:<8} {:>26} {:>22} {:>22} {:>8}\n",
        "cell", "peer", "goodput", "CPU s/GiB send", "CPU s/GiB receive", "ratio"
    );
    for summary in summaries {
        let (unit, divisor) = if summary.loss_percent.is_some() { ("Mbit/s", 1e6) } else { ("Gbit/s", 1e9) };
        let ratio = summary.goodput_ratio.map_or_else(|| String::from("-"), |ratio| format!("{ratio:.2}"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<10} {:<8} {:>19} {unit} {:>22} {:>22} {ratio:>8}",
            cell_name(summary.loss_percent),
            summary.peer,
            spread(summary.goodput_bits_per_second, divisor),
            spread(summary.sender_cpu_seconds_per_gib, 1.0),
            spread(summary.receiver_cpu_seconds_per_gib, 1.0),
        );
    }
    text
}

/// One run as it comes.
pub(crate) fn run_line(run: &Run) -> String {
    let cpu = (run.cpu_per_gib(run.sender), run.cpu_per_gib(run.receiver));
    format!("{:<8} {:>10.2} Mbit/s   CPU s/GiB {:.2} + {:.2}", run.peer, run.goodput() / 1e6, cpu.0, cpu.1)
}

pub(crate) fn cell_name(loss_percent: Option<f64>) -> String {
    loss_percent.map_or_else(|| String::from("bulk"), |percent| format!("loss {percent} %"))
}

fn spread(spread: Spread, divisor: f64) -> String {
    format!("{:.2} ({:.2}-{:.2})", spread.median / divisor, spread.min / divisor, spread.max / divisor)
}

#[cfg(test)]
mod tests;
