//! A guest's defmt log, decoded by the table in its own image.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use defmt_decoder::{DecodeError, Table};
use serde_json::{Value, json};

/// A decoded log.
pub(crate) struct Decoded {
    /// One message a line, with its time and level.
    pub(crate) text: String,
    frames: u64,
    damaged: u64,
    /// How often each message came, numbers left out.
    messages: BTreeMap<String, u64>,
    /// Messages of the form `name +n`: the sum for each name.
    sums: BTreeMap<String, u64>,
}

impl Decoded {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "frames": self.frames, "damaged": self.damaged, "messages": self.messages, "sums": self.sums })
    }
}

/// Decodes all of `log`. Damaged frames are counted and skipped.
pub(crate) fn decode(image: &[u8], log: &[u8]) -> Result<Decoded> {
    let table = Table::parse(image).map_err(|error| anyhow!("the image's defmt table: {error}"))?;
    let table = table.context("the image has no defmt table: was it linked without defmt.x?")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(log);
    let mut decoded = Decoded {
        text: String::new(),
        frames: 0,
        damaged: 0,
        messages: BTreeMap::new(),
        sums: BTreeMap::new(),
    };
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let time = frame.display_timestamp().map(|time| time.to_string()).unwrap_or_default();
                let level = frame.level().map_or("", |level| level.as_str());
                let message = frame.display_message().to_string();
                decoded.text += &format!("{time:>12} {level:<5} {message}\n");
                decoded.frames += 1;
                match increment(&message) {
                    Some((name, more)) => *decoded.sums.entry(name.to_owned()).or_default() += more,
                    None => *decoded.messages.entry(without_numbers(&message)).or_default() += 1,
                }
            }
            Err(DecodeError::Malformed) => decoded.damaged += 1,
            Err(DecodeError::UnexpectedEof) => return Ok(decoded),
        }
    }
}

/// The parts of `name +n`.
fn increment(message: &str) -> Option<(&str, u64)> {
    let (name, more) = message.split_once(" +")?;
    Some((name, more.parse().ok()?))
}

/// `message` with every number as `#`. A digit in a name (`mac1`) belongs to the name.
fn without_numbers(message: &str) -> String {
    let mut text = String::new();
    for character in message.chars() {
        let in_name = text.ends_with(|before: char| before.is_alphanumeric() || before == '_');
        match character {
            '0'..='9' if text.ends_with('#') => {}
            '0'..='9' if !in_name => text.push('#'),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests;
