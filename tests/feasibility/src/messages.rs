//! What cargo reports of a build, as blockers: the first error of each crate that failed by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::verdict::Blocker;

/// What cargo says on standard error about a crate whose build script did not succeed.
const BUILD_SCRIPT: &str = "error: failed to run custom build command for `";

/// The blockers in a build with `--keep-going --message-format=json`: `stdout` holds the compiler's messages, `stderr`
/// cargo's own. Empty if there is none of either kind, whatever else went wrong.
#[must_use]
pub fn blockers(stdout: &str, stderr: &str) -> BTreeSet<Blocker> {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for message in stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let Some((package, error)) = compiler_error(&message) {
            first.entry(package).or_insert(error);
        }
    }
    for line in stderr.lines().filter_map(|line| line.strip_prefix(BUILD_SCRIPT)) {
        // `ring v0.17.14`, then perhaps the place of a package that is not from the registry.
        let mut words = line.split(['`', ' ']);
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let package = format!("{name} {}", version.trim_start_matches('v'));
        first.entry(package).or_insert_with(|| "its build script failed".to_owned());
    }
    first.into_iter().map(|(package, error)| Blocker { package, error }).collect()
}

/// The package and text of an error of the compiler; `None` for anything else.
fn compiler_error(message: &Value) -> Option<(String, String)> {
    let text = message.get("message").filter(|_| is(message, "reason", "compiler-message"))?;
    if !is(text, "level", "error") {
        return None;
    }
    let line = text.get("message")?.as_str()?.lines().next()?.trim();
    let error = match text.get("code").and_then(|code| code.get("code")).and_then(Value::as_str) {
        Some(code) => format!("{code} {line}"),
        None => line.to_owned(),
    };
    Some((package(message.get("package_id")?.as_str()?), error))
}

fn is(value: &Value, key: &str, wanted: &str) -> bool {
    value.get(key).and_then(Value::as_str) == Some(wanted)
}

/// Name and version from a package id, `source#name@version` or `path/name#version`; the name alone for a package from
/// a path, which has no release.
fn package(id: &str) -> String {
    let (source, fragment) = id.rsplit_once('#').unwrap_or(("", id));
    let named = fragment.split_once('@');
    let (name, version) = named.unwrap_or_else(|| (source.rsplit('/').next().unwrap_or_default(), fragment));
    if source.starts_with("path+") { name.to_owned() } else { format!("{name} {version}") }
}

#[cfg(test)]
mod tests;
