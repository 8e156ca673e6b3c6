//! A run while it runs, for people: the markers of both ends as they come and what they mean, how far the bulk is, and a
//! sign of life where nothing comes. It reads the logs that the run writes, and has no part in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::child::Tail;
use crate::profile::Role;
use crate::stage::now;

const POLL: Duration = Duration::from_millis(50);
/// Longest without a line.
const SILENCE: Duration = Duration::from_secs(8);
/// Signs in the bar of a transfer.
const BAR: u64 = 20;

/// What markers mean, by what they begin with.
const MEANINGS: [(&str, &str); 16] = [
    ("dsoftbus: udp-sec os listener up", "waits to be called"),
    ("dsoftbusd: auth ok", "the peer has proven its key"),
    ("dsoftbus: udp-sec os session ok", "an encrypted session, over udp-sec"),
    ("dsoftbus: udp-sec os disabled (fallback tcp)", "UDP does not get through"),
    ("dsoftbus:mux session up", "both multiplexers talk"),
    ("dsoftbus:mux data ok", "4 KiB arrived"),
    ("SELFTEST: udp-sec control ok", "16 requests were answered"),
    ("SELFTEST: udp-sec bulk ok", "every byte arrived"),
    ("SELFTEST: udp-sec backpressure ok", "a stalled reader stopped the writer"),
    ("SELFTEST: udp-sec recovery ok", "what was lost was sent again"),
    ("SELFTEST: udp-sec fallback ok", "every byte arrived, over TCP"),
    ("SELFTEST: udp-sec strict ok", "no session, and TCP was not tried"),
    ("SELFTEST: end", "all of it was proven"),
    ("dsoftbus: udp-sec unavailable", "UDP does not get through"),
    ("dsoftbus: udp-sec refused", "nothing is sent without entropy"),
    ("dsoftbus: quic os blocked", "there is no QUIC for this machine"),
];

/// Shows a run until it is dropped.
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Shows the run that writes its logs to `folder`.
    #[must_use]
    pub fn begin(folder: &Path) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (seen, folder) = (Arc::clone(&over), folder.to_owned());
        Self { over, thread: Some(std::thread::spawn(move || show(&folder, &seen))) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It has only printed; where that failed, the run says so itself.
            _ = thread.join();
        }
    }
}

/// Prints what the logs in `folder` say, until it is `over` and all of it is printed.
fn show(folder: &Path, over: &AtomicBool) {
    let begun = now();
    let mut last = begun;
    let mut logs = [Role::Listener, Role::Connector].map(|role| Log::of(role, folder));
    let say = |who: &str, what: &str| println!("{:>7.1} s  {who:<10} {what}", begun.elapsed().as_secs_f64());
    loop {
        // Asked before the logs are read: what was written before the end is then read, too.
        let is_over = over.load(Ordering::Acquire);
        for log in &mut logs {
            for line in log.news() {
                if let Some(words) = words(&line) {
                    say(log.role.name(), &words);
                    last = now();
                }
            }
        }
        if is_over {
            return;
        }
        if last.elapsed() >= SILENCE {
            say("...", "still running");
            last = now();
        }
        std::thread::sleep(POLL);
    }
}

/// What is said of a line of a log, if anything.
#[must_use]
pub fn words(line: &str) -> Option<String> {
    let line = line.trim_end();
    if let Some(progress) = line.strip_prefix("PROGRESS ") {
        return bar(progress);
    }
    if line.starts_with("boot: ") {
        return Some("has booted: no operating system, 64 MiB, one hart".to_owned());
    }
    if line.starts_with("FAILED") || line.to_lowercase().contains("panic") {
        return Some(line.to_owned());
    }
    if !line.starts_with("dsoftbus") && !line.starts_with("SELFTEST: ") {
        return None;
    }
    let meaning = MEANINGS.iter().find(|(marker, _)| line.starts_with(marker));
    Some(meaning.map_or_else(|| line.to_owned(), |(_, meaning)| format!("{line}  ({meaning})")))
}

/// `arrived total` as a picture.
fn bar(progress: &str) -> Option<String> {
    let (arrived, total) = progress.split_once(' ')?;
    let (arrived, total): (u64, u64) = (arrived.parse().ok()?, total.parse().ok()?);
    let part = |of: u64| arrived.min(total).saturating_mul(of).checked_div(total);
    let signs = part(BAR)? as usize;
    let rest = BAR as usize - signs;
    Some(format!("bulk [{}{}] {:>3} %", "#".repeat(signs), ".".repeat(rest), part(100)?))
}

/// A log, line by line.
struct Log {
    role: Role,
    path: PathBuf,
    /// Once the file is there.
    tail: Option<Tail>,
    /// Bytes that were read as lines.
    read: usize,
}

impl Log {
    fn of(role: Role, folder: &Path) -> Self {
        Self { role, path: folder.join(format!("{}.log", role.name())), tail: None, read: 0 }
    }

    /// The whole lines that have come since the last call.
    fn news(&mut self) -> Vec<String> {
        if self.tail.is_none() {
            self.tail = Tail::open(&self.path).ok();
        }
        let Some(Ok(text)) = self.tail.as_mut().map(Tail::text) else { return Vec::new() };
        let fresh = text.get(self.read..).unwrap_or_default();
        let whole = fresh.rfind('\n').map_or("", |end| &fresh[..=end]);
        self.read += whole.len();
        whole.lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests;
