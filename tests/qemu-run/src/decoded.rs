//! Whether a guest's decoded defmt log says what its serial line says: two ways out of the machine, one truth.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::output::Output;
use crate::profile::Role;
use crate::stage::Fate;

/// What differs between `output`, the serial line of a guest, and `decoded`, the counts of its decoded log. In a guest
/// that ended in order no frame is damaged; the increments of each counter add up to its end; each reject and each
/// event has as many lines as it was counted; and there are no lines of anything else.
#[must_use]
pub fn faults(role: Role, fate: Fate, output: &Output, decoded: &Value) -> Vec<String> {
    if !fate.is_success() {
        return Vec::new();
    }
    let name = role.name();
    let mut faults = Vec::new();
    if let Some(damaged @ 1..) = decoded["damaged"].as_u64() {
        faults.push(format!("{name}: {damaged} frames of its defmt log are damaged"));
    }
    if output.events.is_none() {
        faults.push(format!("{name}: does not say which events it has polled"));
    }
    let (serial, log) = (serial_counts(output), log_counts(decoded));
    let names: BTreeSet<&String> = serial.keys().chain(log.keys()).collect();
    for what in names {
        let [serial, log] = [&serial, &log].map(|counts| counts.get(what).copied().unwrap_or(0));
        if serial != log {
            faults.push(format!("{name}: {what} is {serial} on the serial line, {log} in the defmt log"));
        }
    }
    faults
}

/// Counters, rejects and events, as the guest sums them up.
fn serial_counts(output: &Output) -> BTreeMap<String, u64> {
    let counters = output.stats.iter().filter(|(name, _)| is_counter(name));
    let all = counters.chain(&output.rejects).chain(output.events.iter().flatten());
    all.map(|(name, &count)| (name.clone(), count)).collect()
}

/// The same, added up from the lines of the decoded log. Behind a colon, a line may go on: `closed: complete`.
fn log_counts(decoded: &Value) -> BTreeMap<String, u64> {
    let group = |name: &str| decoded[name].as_object().into_iter().flatten();
    let mut counts = BTreeMap::new();
    for (line, count) in group("sums").chain(group("messages")) {
        let name = line.split_once(": ").map_or(line.as_str(), |(name, _)| name);
        *counts.entry(name.to_owned()).or_default() += count.as_u64().unwrap_or(0);
    }
    counts
}

/// Some lines of statistics are no counters of the transport: times, and what the socket below did.
fn is_counter(name: &str) -> bool {
    !name.ends_with("_us") && !name.starts_with("socket_")
}

#[cfg(test)]
mod tests;
