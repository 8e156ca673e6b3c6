//! The memory that a guest may take, by the figures that it prints.

use crate::output::Output;

/// Figures and the most bytes of each: a session of profile `Small`, the heap of handshakes, and the stack of a whole role
/// over udp-sec (`docs/qemu.md`, "What it takes").
const BOUNDS: [(&str, u64); 3] =
    [("session_bytes", 24 * 1024), ("heap_bytes", 8 * 1024), ("stack_role_bytes", 16 * 1024)];

/// What `output` has taken more of than it may. A figure that is not there is none of this rule's business: a guest that
/// was stopped has printed fewer.
#[must_use]
pub fn exceeded(output: &Output) -> Vec<String> {
    let above = |(name, most)| {
        let figure = output.figure(name).filter(|figure| *figure > most)?;
        Some(format!("{name} is {figure}, at most {most}"))
    };
    BOUNDS.into_iter().filter_map(above).collect()
}

#[cfg(test)]
mod tests;
