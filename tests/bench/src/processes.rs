//! Child processes of a benchmark: started with a line to wait for, ended with their handle.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::Failure;

/// A running child. Dropping it ends it.
pub(crate) struct Process {
    name: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(program: &Path, arguments: &[String]) -> Result<Self, Failure> {
        let name = format!("{} {}", program.display(), arguments.first().map_or("", String::as_str));
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let stdout = child.stdout.take().ok_or("a child without output")?;
        Ok(Self { name, child, stdout: BufReader::new(stdout) })
    }

    /// Reads a line and returns what follows `prefix` in it.
    pub(crate) fn expect_line(&mut self, prefix: &str) -> Result<String, Failure> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        match line.trim_end().strip_prefix(prefix) {
            Some(rest) => Ok(rest.to_owned()),
            None => Err(format!("{}: expected \"{prefix}...\", got {line:?}", self.name).into()),
        }
    }

    /// Closes its standard input, waits for its end and returns the rest of its output.
    pub(crate) fn finish(mut self) -> Result<String, Failure> {
        drop(self.child.stdin.take());
        let mut output = String::new();
        self.stdout.read_to_string(&mut output)?;
        let status = self.child.wait()?;
        if status.success() { Ok(output) } else { Err(format!("{}: {status}", self.name).into()) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail harmlessly where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
