//! What is written down: the frames as a pcap file, and those that did not pass as lines of JSON.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

/// Bytes of a frame that are kept: all of any that fits a UDP datagram.
const SNAPLEN: u32 = 65_535;
const LINKTYPE_ETHERNET: u32 = 1;

/// A file in the classic pcap format, with microseconds.
pub(crate) struct Pcap<W> {
    out: W,
    frames: u64,
}

impl Pcap<BufWriter<File>> {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Self::new(create(path)?)
    }
}

impl<W: Write> Pcap<W> {
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        // Magic, version 2.4, no correction to UTC, accuracy, greatest length, link type.
        let words = [0xa1b2_c3d4, 0x0004_0002, 0, 0, SNAPLEN, LINKTYPE_ETHERNET];
        for word in words {
            out.write_all(&u32::to_le_bytes(word))?;
        }
        Ok(Self { out, frames: 0 })
    }

    /// Writes a frame sent at `time` since 1970. Returns its number, from 1.
    pub(crate) fn write(&mut self, time: Duration, frame: &[u8]) -> io::Result<u64> {
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        // The format holds 32 bits of seconds, to the year 2106.
        for word in [time.as_secs() as u32, time.subsec_micros(), length, length] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(frame)?;
        self.frames += 1;
        Ok(self.frames)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Why a frame did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drop {
    /// By the error model.
    Lost,
    /// In a blackout.
    Blackout,
    /// The queue of the link was full.
    Queue,
    /// By `--block`.
    Blocked,
    /// No Ethernet header.
    Runt,
}

impl Drop {
    fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Blackout => "blackout",
            Self::Queue => "queue",
            Self::Blocked => "blocked",
            Self::Runt => "runt",
        }
    }
}

/// The lines of `--log`.
pub(crate) struct Log(BufWriter<File>);

impl Log {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        create(path).map(Self)
    }

    /// Notes that frame `number` (its place in the pcap file) did not pass. `micros` counts from the relay's start.
    pub(crate) fn note(
        &mut self,
        micros: u64,
        number: u64,
        direction: &str,
        kind: &str,
        length: usize,
        why: Drop,
    ) -> io::Result<()> {
        writeln!(
            self.0,
            "{{\"t_us\":{micros},\"frame\":{number},\"direction\":\"{direction}\",\"kind\":\"{kind}\",\
             \"bytes\":{length},\"drop\":\"{}\"}}",
            why.name()
        )
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn create(path: &Path) -> io::Result<BufWriter<File>> {
    let file = File::create(path);
    file.map(BufWriter::new)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests;
