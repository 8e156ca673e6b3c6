//! Processes, folders and bytes.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// No line of output, and no end of a process, may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("text").to_owned()
    }

    /// Makes a key file; its public key.
    pub(crate) fn key(&self, name: &str) -> String {
        let made = udpsec(&["keygen", "--out", &self.path(name)]);
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).expect("text").trim().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is stopped when the test ends.
pub(crate) struct Running {
    child: Child,
    errors: Arc<Errors>,
    reading: Option<JoinHandle<()>>,
    /// Lines that were returned, by their beginning.
    taken: HashMap<String, usize>,
}

/// What a process has written to standard error so far.
#[derive(Default)]
struct Errors {
    text: Mutex<String>,
    grown: Condvar,
}

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// With environment variables besides.
    pub(crate) fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_udpsec"));
        command.args(args).env_remove("DSOFTBUS_TRANSPORT").envs(environment.iter().copied());
        Self::run(command)
    }

    /// `command`, which runs the tool wherever it does.
    pub(crate) fn run(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let errors = Arc::<Errors>::default();
        let (stderr, kept) = (child.stderr.take().expect("piped"), Arc::clone(&errors));
        let reading = thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let line = line.expect("text");
                *kept.text.lock().expect("whole") += &format!("{line}\n");
                kept.grown.notify_all();
            }
        });
        Self { child, errors, reading: Some(reading), taken: HashMap::new() }
    }

    /// What follows `start` in the next line of standard error that begins with it: each is returned once.
    pub(crate) fn line(&mut self, start: &str) -> String {
        let taken = self.taken.entry(start.to_owned()).or_default();
        let mut found = None;
        let text = self.errors.text.lock().expect("whole");
        let waited = self.errors.grown.wait_timeout_while(text, PATIENCE, |text| {
            found = text.lines().filter_map(|line| line.strip_prefix(start)).nth(*taken).map(str::to_owned);
            found.is_none()
        });
        drop(waited);
        *taken += 1;
        found.unwrap_or_else(|| panic!("no line number {taken} that begins with '{start}'"))
    }

    /// All of standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.text.lock().expect("whole").clone()
    }

    /// The address that a listening command announces.
    pub(crate) fn address(&mut self) -> String {
        self.line("listening on ")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes `bytes` to standard input and ends it, without waiting: a process whose output nobody reads stops taking
    /// input.
    pub(crate) fn feed(&mut self, bytes: Vec<u8>) {
        let mut input = self.child.stdin.take().expect("once");
        thread::spawn(move || input.write_all(&bytes).expect("taken"));
    }

    /// The next `len` bytes of standard output.
    pub(crate) fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.child.stdout.as_mut().expect("piped").read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    /// Whether it runs no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it was started").is_some()
    }

    /// As a machine that loses power.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn finish(mut self) -> Output {
        self.child.stdin = None;
        let mut output = Output { status: Default::default(), stdout: Vec::new(), stderr: Vec::new() };
        self.child.stdout.take().expect("piped").read_to_end(&mut output.stdout).expect("readable");
        output.status = self.child.wait().expect("ends");
        self.reading.take().expect("once").join().expect("text");
        output.stderr = self.errors().into_bytes();
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- standard error of a process of this test:\n{}", self.errors());
        }
    }
}

pub(crate) fn udpsec(args: &[&str]) -> Output {
    Running::start(args).finish()
}

pub(crate) fn error_of(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Bytes that no compression or repetition would let pass unnoticed, different for each `seed`.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(len);
    bytes
}
