//! Child processes with bounded waits. One that is still there when its handle goes is ended: it, and no other.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child as Process, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A running child.
pub struct Child {
    name: String,
    process: Process,
    /// Lines of its standard output, where they are read at all.
    lines: Option<Receiver<String>>,
}

impl Child {
    /// Starts `command` with its standard output in the file `output`, and errors in the file `errors`.
    ///
    /// # Errors
    /// Where it cannot be started or a file cannot be made; the message names it.
    pub fn start(name: &str, command: &mut Command, output: &Path, errors: &Path) -> Result<Self> {
        let output = File::create(output).with_context(|| output.display().to_string())?;
        Self::spawn(name, command.stdout(output), errors)
    }

    /// Starts `command`, to read its standard output line by line.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_talking(name: &str, command: &mut Command, errors: &Path) -> Result<Self> {
        let mut child = Self::spawn(name, command.stdout(Stdio::piped()), errors)?;
        let stdout = child.process.stdout.take().context("a child without output")?;
        child.lines = Some(in_background(stdout));
        Ok(child)
    }

    fn spawn(name: &str, command: &mut Command, errors: &Path) -> Result<Self> {
        let errors = File::create(errors).with_context(|| errors.display().to_string())?;
        let process = command
            .stdin(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { name: name.to_owned(), process, lines: None })
    }

    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// Those of the system.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// Its next line, or `None` where it has said all.
    ///
    /// # Errors
    /// Where nothing comes within `patience`.
    pub fn line(&mut self, patience: Duration) -> Result<Option<String>> {
        let lines = self.lines.as_ref().context("its output goes to a file")?;
        match lines.recv_timeout(patience) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("{} says nothing for {patience:?}", self.name),
        }
    }

    /// A line that is there already.
    pub fn line_now(&mut self) -> Option<String> {
        self.lines.as_ref()?.try_recv().ok()
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// Where it has ended.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let input = self.process.stdin.as_mut().context("its input is closed")?;
        writeln!(input, "{line}").with_context(|| format!("{} does not listen", self.name))
    }

    /// Closes its standard input, which asks those that watch it to end.
    pub fn close_input(&mut self) {
        drop(self.process.stdin.take());
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // Both fail harmlessly where it has ended already.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads lines in a thread of its own, which ends with the output.
fn in_background(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A file that grows, read piece by piece.
pub struct Tail {
    file: File,
    text: String,
}

impl Tail {
    /// Opens the file, which has to exist.
    ///
    /// # Errors
    /// Those of the system; the message names the file.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { file: File::open(path).with_context(|| path.display().to_string())?, text: String::new() })
    }

    /// All of it so far. Bytes that are no text are replaced.
    ///
    /// # Errors
    /// Those of the system.
    pub fn text(&mut self) -> Result<&str> {
        let mut more = Vec::new();
        self.file.read_to_end(&mut more)?;
        self.text.push_str(&String::from_utf8_lossy(&more));
        Ok(&self.text)
    }
}

#[cfg(test)]
mod tests;
