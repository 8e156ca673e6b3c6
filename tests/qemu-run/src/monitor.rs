//! QEMU's monitor protocol (QMP), on the standard input and output of a machine: copies of its memory while it stands
//! still.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::child::Child;

/// Longest that QEMU may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the machine has its memory, and how much of it (`-m 64M`).
const RAM: (u64, u64) = (0x8000_0000, 64 << 20);

/// Makes the monitor listen.
///
/// # Errors
/// Where it does not answer.
pub fn begin(machine: &mut Child) -> Result<()> {
    execute(machine, "qmp_capabilities", &json!({})).map(drop)
}

/// Copies all memory to `file`. To be called while the machine stands still.
///
/// # Errors
/// As [`begin`].
pub fn copy_memory(machine: &mut Child, file: &Path) -> Result<()> {
    let (from, bytes) = RAM;
    let arguments = json!({ "val": from, "size": bytes, "filename": file });
    execute(machine, "pmemsave", &arguments).map(drop)
}

/// Has the machine stand still until [`go_on`].
///
/// # Errors
/// As [`begin`].
pub fn stop(machine: &mut Child) -> Result<()> {
    execute(machine, "stop", &json!({})).map(drop)
}

/// Has it run again.
///
/// # Errors
/// As [`begin`].
pub fn go_on(machine: &mut Child) -> Result<()> {
    execute(machine, "cont", &json!({})).map(drop)
}

/// Ends QEMU, as a guest that did its work.
///
/// # Errors
/// As [`begin`].
pub fn quit(machine: &mut Child) -> Result<()> {
    execute(machine, "quit", &json!({})).map(drop)
}

fn execute(machine: &mut Child, command: &str, arguments: &Value) -> Result<Value> {
    machine.say(&json!({ "execute": command, "arguments": arguments }).to_string())?;
    loop {
        let line = machine.line(PATIENCE)?.context("QEMU has ended")?;
        if let Some(result) = answer(&line).with_context(|| command.to_owned())? {
            return Ok(result);
        }
    }
}

/// What `line` answers; none where it is a greeting or tells of an event.
fn answer(line: &str) -> Result<Option<Value>> {
    let mut line: Value = serde_json::from_str(line).with_context(|| format!("QEMU says {line:?}"))?;
    if !line["error"].is_null() {
        bail!("QEMU refuses: {}", line["error"]["desc"]);
    }
    Ok(line.get_mut("return").map(Value::take))
}

#[cfg(test)]
mod tests;
