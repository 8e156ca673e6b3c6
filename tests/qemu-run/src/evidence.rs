//! What is kept of a run: a summary to read, one for programs, and the evidence that a release gate wants.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::decoded;
use crate::output::Output;
use crate::plan::{Plan, Tools};
use crate::profile::{Profile, Role};
use crate::stage::{EndResult, Fate, Outcome};

/// Version of the layout of `release-evidence.json`.
const SCHEMA: u64 = 1;

/// Completes the folder of a run: decoded logs, picture, summaries, evidence. Adds to the faults what shows only here,
/// and returns what `summary.json` says.
///
/// # Errors
/// Where a file cannot be written, or a tool fails.
pub fn keep(plan: &Plan, tools: &Tools, outcome: &mut Outcome, folder: &Path) -> Result<Value> {
    let mut decoded = Map::new();
    for end in &outcome.ends {
        if let Some(console) = &end.console {
            let text = folder.join(format!("{}.defmt.txt", end.role.name()));
            let counts = decode(tools, console, &text)?;
            outcome.faults.extend(decoded::faults(end.role, end.fate, &end.output, &counts));
            decoded.insert(end.role.name().to_owned(), counts);
        }
    }
    outcome.faults.extend(wrong_bytes(plan, outcome));
    draw(plan, tools, outcome, folder)?;
    let summary = summary(plan, outcome, &Value::Object(decoded));
    write_json(&folder.join("summary.json"), &summary)?;
    fs::write(folder.join("summary.txt"), text(plan, outcome))?;
    write_json(&folder.join("release-evidence.json"), &evidence(plan, tools, outcome, folder)?)?;
    Ok(summary)
}

/// The ends agree on the hash of what arrived; it also has to be that of the bytes that were to be sent, which this
/// program makes by itself.
fn wrong_bytes(plan: &Plan, outcome: &Outcome) -> Option<String> {
    let told = outcome.end(Role::Connector)?.output.figures.get("bulk_sha256")?;
    let expected = hex(&ladder::Plan { bulk: plan.bytes, class: 0, seed: plan.seed }.bulk_hash());
    (*told != expected)
        .then(|| format!("the bulk that arrived has SHA-256 {told}, what was to be sent {expected}"))
}

/// Decodes what defmt wrote; returns how often each message came, and how many frames were damaged.
fn decode(tools: &Tools, console: &Path, text: &Path) -> Result<Value> {
    let run = Command::new(&tools.report)
        .arg("decode")
        .arg(&tools.image)
        .arg(console)
        .arg(text)
        .stdin(Stdio::null())
        .output()
        .with_context(|| tools.report.display().to_string())?;
    ensure!(run.status.success(), "decoding {}: {}", console.display(), String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).context("counts of the decoded log")
}

/// Draws the picture of the bulk transfer, where there are samples of it.
fn draw(plan: &Plan, tools: &Tools, outcome: &Outcome, folder: &Path) -> Result<()> {
    let Some(connector) = outcome.end(Role::Connector).filter(|end| end.output.samples.len() > 1) else {
        return Ok(());
    };
    let input = folder.join("plot.json");
    let figure = json!({
        "title": format!("udp-sec: {} in bulk, {}", size(plan.bytes), plan.scene.words()),
        "link": link_words(plan),
        "rate_bits_per_second": plan.link.rate * 1e6,
        "samples": connector.output.samples,
    });
    write_json(&input, &figure)?;
    let run = Command::new(&tools.report)
        .arg("plot")
        .arg(&input)
        .arg(folder.join("plot"))
        .stdin(Stdio::null())
        .output()
        .with_context(|| tools.report.display().to_string())?;
    ensure!(run.status.success(), "the picture: {}", String::from_utf8_lossy(&run.stderr));
    Ok(())
}

/// The link in words.
fn link_words(plan: &Plan) -> String {
    let link = &plan.link;
    let mut words = format!("{} % lost each way, RTT {} ms", link.loss, link.delay);
    if link.rate > 0.0 {
        _ = write!(words, ", {} Mbit/s, queue {}", link.rate, link.queue);
    }
    if link.reorder > 0.0 {
        _ = write!(words, ", {} % reordered", link.reorder);
    }
    format!("{words}, MTU {}, seed {}", plan.mtu, plan.seed)
}

/// Bytes in the largest unit that divides them.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0 => "0 bytes".to_owned(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

fn end_json(end: &EndResult) -> Value {
    let markers: Vec<Value> = end
        .verdict
        .reached
        .iter()
        .map(|reached| json!({ "line": reached.line, "marker": reached.marker }))
        .collect();
    let Output { figures, stats, rejects, events, samples, .. } = &end.output;
    let figures: Map<String, Value> = figures
        .iter()
        .map(|(name, text)| {
            (name.clone(), text.parse::<u64>().map_or_else(|_| text.clone().into(), Value::from))
        })
        .collect();
    json!({
        "markers": markers,
        "exit_code": end.fate.code(),
        "figures": figures,
        "stats": stats,
        "rejects": rejects,
        "events": events,
        "samples": samples.len(),
    })
}

fn ends_json(outcome: &Outcome) -> Value {
    outcome.ends.iter().map(|end| (end.role.name().to_owned(), end_json(end))).collect::<Map<_, _>>().into()
}

fn summary(plan: &Plan, outcome: &Outcome, decoded: &Value) -> Value {
    json!({
        "passed": outcome.faults.is_empty(),
        "faults": outcome.faults,
        "seconds": outcome.elapsed.as_secs_f64(),
        "plan": plan.to_json(),
        "ends": ends_json(outcome),
        "link": outcome.wire.as_ref().map(|wire| &wire.0),
        "defmt": decoded,
    })
}

/// The summary for people.
#[must_use]
pub fn text(plan: &Plan, outcome: &Outcome) -> String {
    let verdict = if outcome.faults.is_empty() { "PASSED" } else { "FAILED" };
    let mut text = format!("{verdict}  {}  ({:.1} s)\n", plan.name(), outcome.elapsed.as_secs_f64());
    if plan.profile != Profile::Selftest {
        _ = writeln!(text, "  link       {}", link_words(plan));
    }
    for end in &outcome.ends {
        let how = match end.fate {
            Fate::Killed => "ended by this program".to_owned(),
            Fate::Ended(status) => status.to_string(),
        };
        _ = writeln!(text, "  {:<10} {how}, {}", end.role.name(), end.log.display());
        for reached in &end.verdict.reached {
            _ = writeln!(text, "    {:>5}  {}", reached.line, reached.marker);
        }
        for (name, value) in &end.output.figures {
            _ = writeln!(text, "           {name:<28} {value}");
        }
    }
    if let Some(wire) = &outcome.wire {
        for (direction, words) in [("a_to_b", "to the listener"), ("b_to_a", "to the connector")] {
            let count = |found: Result<u64>| found.map_or_else(|_| "?".to_owned(), |count| count.to_string());
            _ = writeln!(
                text,
                "  {words:<17} {} frames, {} UDP with payload, {} TCP SYN; lost {}, queue full {}",
                count(wire.sent(direction, "frames")),
                count(wire.sent(direction, "udp_with_payload")),
                count(wire.sent(direction, "tcp_syn")),
                count(wire.link(direction, "lost")),
                count(wire.link(direction, "queue_dropped")),
            );
        }
    }
    if let Some(secrets) = &outcome.secrets {
        text += secrets;
    }
    for fault in &outcome.faults {
        _ = writeln!(text, "\n{}", fault.trim_end());
    }
    text
}

/// What ran, what it showed, and the hash of everything that shows it.
fn evidence(plan: &Plan, tools: &Tools, outcome: &Outcome, folder: &Path) -> Result<Value> {
    let mut artifacts = Map::new();
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        if name != "release-evidence.json" {
            artifacts.insert(name, hash(&file.path())?.into());
        }
    }
    Ok(json!({
        "schema": SCHEMA,
        "passed": outcome.faults.is_empty(),
        "commit": tools.commit,
        "versions": {
            "udp-sec": env!("CARGO_PKG_VERSION"),
            "qemu": version(Command::new(&tools.qemu).arg("--version")),
            "rustc": version(Command::new("rustc").arg("--version")),
        },
        "hashes": {
            "guest_image": hash(&tools.image)?,
            "ether_relay": hash(&tools.relay)?,
            "artifacts": artifacts,
        },
        "plan": plan.to_json(),
        "ends": ends_json(outcome),
        "link": outcome.wire.as_ref().map(|wire| &wire.0),
    }))
}

/// The first line that a program prints about itself.
fn version(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

/// The SHA-256 of a file, in hexadecimal.
fn hash(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    fs::write(path, serde_json::to_string_pretty(value)? + "\n").with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests;
