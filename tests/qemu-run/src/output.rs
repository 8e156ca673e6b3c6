//! What a guest says beside its markers: figures, counters, rejects, and samples for the picture.

use std::collections::BTreeMap;

/// The lines of a log that programs read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// `FIGURE name value`.
    pub figures: BTreeMap<String, String>,
    /// `STAT name value`: the transport's own counters.
    pub stats: BTreeMap<String, u64>,
    /// `REJECT label count`.
    pub rejects: BTreeMap<String, u64>,
    /// `EVENTS name=count …`: what the guest has polled, of all its sessions; none from a host end.
    pub events: Option<BTreeMap<String, u64>>,
    /// `PLOT t_us cwnd inflight acked lost`, in the order of the log.
    pub samples: Vec<[u64; 5]>,
    /// Lines that begin as one of these and then do not go on as one.
    pub malformed: usize,
}

impl Output {
    /// Reads all of `log`; the last of several lines with one name counts.
    #[must_use]
    pub fn parse(log: &str) -> Self {
        let mut output = Self::default();
        for line in log.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if matches!(words.first(), Some(&("FIGURE" | "STAT" | "REJECT" | "EVENTS" | "PLOT"))) {
                output.malformed += usize::from(output.take(&words).is_none());
            }
        }
        output
    }

    /// A figure that is a number.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<u64> {
        self.figures.get(name)?.parse().ok()
    }

    fn take(&mut self, words: &[&str]) -> Option<()> {
        match *words {
            ["FIGURE", name, value] => {
                self.figures.insert(name.to_owned(), value.to_owned());
            }
            ["STAT", name, value] => {
                self.stats.insert(name.to_owned(), value.parse().ok()?);
            }
            ["REJECT", label, count] => {
                self.rejects.insert(label.to_owned(), count.parse().ok()?);
            }
            ["EVENTS", ref counts @ ..] => {
                let count = |word: &&str| {
                    let (name, count) = word.split_once('=')?;
                    Some((name.to_owned(), count.parse().ok()?))
                };
                self.events = Some(counts.iter().map(count).collect::<Option<_>>()?);
            }
            ["PLOT", ref values @ ..] => {
                let values: Option<Vec<u64>> = values.iter().map(|value| value.parse().ok()).collect();
                self.samples.push(values?.try_into().ok()?);
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
