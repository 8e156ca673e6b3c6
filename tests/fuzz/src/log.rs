//! Logging on: everything that an application might print is formatted, so that formatting is fuzzed as well.
//!
//! The libraries print nothing; programs print their events, rejects, errors, counters and states.

use std::fmt::{self, Debug, Display, Write};

/// A log that only counts.
#[derive(Debug, Default)]
struct Sink(usize);

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Logs something for people.
pub(crate) fn line(what: impl Display) {
    written(format_args!("{what}"));
}

/// Logs something for developers.
pub(crate) fn state(what: &impl Debug) {
    written(format_args!("{what:?}"));
}

fn written(line: fmt::Arguments<'_>) {
    let mut sink = Sink::default();
    sink.write_fmt(line).expect("formatting does not fail");
    assert!(sink.0 > 0, "nothing was said");
}
