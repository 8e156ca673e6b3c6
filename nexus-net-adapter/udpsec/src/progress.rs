//! How far a transfer is: a bar with rate and remaining time on a terminal, two plain lines elsewhere.

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Progress of one file.
pub(crate) struct Progress {
    bar: ProgressBar,
    name: String,
}

impl Progress {
    /// `name` of `size` bytes begins.
    pub(crate) fn new(name: &str, size: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr());
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_message(name.to_owned());
        if bar.is_hidden() {
            eprintln!("{name}: {}", HumanBytes(size));
        }
        Self { bar, name: name.to_owned() }
    }

    /// `count` more bytes are through.
    pub(crate) fn add(&self, count: usize) {
        self.bar.inc(count as u64);
    }

    /// All bytes are through; `verdict` is the last line.
    pub(crate) fn finish(self, verdict: &str) {
        self.bar.finish_and_clear();
        eprintln!("{}: {verdict}", self.name);
    }

    /// Clears the bar, so that an error message stands alone.
    pub(crate) fn abandon(&self) {
        self.bar.finish_and_clear();
    }
}
