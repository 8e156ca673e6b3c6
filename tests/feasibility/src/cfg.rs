//! Conditional compilation: whether what stands behind a `cfg` is part of a build.

use std::collections::BTreeSet;

/// Whether `predicate`, the text between the brackets of `cfg(…)`, holds in a build with `features` that is no test.
///
/// `None` where that depends on anything else, the target for one.
#[must_use]
pub fn holds(predicate: &str, features: &BTreeSet<String>) -> Option<bool> {
    let text = predicate.trim();
    if let Some(list) = arguments(text, "not") {
        return holds(list, features).map(|value| !value);
    }
    if let Some(list) = arguments(text, "all") {
        return all(list, features, false);
    }
    if let Some(list) = arguments(text, "any") {
        return all(list, features, true);
    }
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    match (key.trim(), value.trim()) {
        ("test", "") => Some(false),
        ("feature", name) => Some(features.contains(name.trim_matches('"'))),
        _ => None,
    }
}

/// What stands in the brackets of `function(…)`.
fn arguments<'a>(text: &'a str, function: &str) -> Option<&'a str> {
    text.strip_prefix(function)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

/// The value of a list where one member equal to `decisive` decides: `false` for all, `true` for any.
fn all(list: &str, features: &BTreeSet<String>, decisive: bool) -> Option<bool> {
    let values: Vec<_> = members(list).into_iter().map(|member| holds(member, features)).collect();
    if values.contains(&Some(decisive)) {
        Some(decisive)
    } else if values.contains(&None) {
        None
    } else {
        Some(!decisive)
    }
}

/// The members of a list, split at the commas that stand in no brackets.
fn members(list: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    list.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .filter(|member| !member.trim().is_empty())
    .collect()
}

#[cfg(test)]
mod tests;
