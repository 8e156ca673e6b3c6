//! Another process's memory, searched.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::needles::Needle;

/// The bytes of a needle that are looked for: without the first and the last, which clamping changes in a copy of a
/// secret scalar (RFC 7748 section 5).
const CORE: std::ops::Range<usize> = 1..31;

/// How often each needle lies in each kind of memory; those that are nowhere are left out.
pub type Found = BTreeMap<String, BTreeMap<String, usize>>;

/// Searches all memory of process `id` that it can read.
///
/// # Errors
/// The system does not let us look.
pub fn search(id: u32, needles: &[Needle]) -> io::Result<Found> {
    let memory = File::open(format!("/proc/{id}/mem"))?;
    let mut found = Found::new();
    for line in fs::read_to_string(format!("/proc/{id}/maps"))?.lines() {
        let Some(region) = Region::parse(line) else { continue };
        let mut bytes = vec![0; region.len];
        match memory.read_exact_at(&mut bytes, region.start) {
            Ok(()) => {}
            // What the process itself cannot read either.
            Err(_) if region.is_writable => return Err(io::Error::other(format!("cannot read {line}"))),
            Err(_) => continue,
        }
        for (which, _) in hits(&bytes, needles) {
            let places = found.entry(needles[which].name.clone()).or_default();
            *places.entry(region.name.clone()).or_default() += 1;
        }
    }
    Ok(found)
}

/// A line of `maps`.
struct Region {
    start: u64,
    len: usize,
    is_writable: bool,
    name: String,
}

impl Region {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let mode = fields.next()?;
        let name = fields.nth(3).unwrap_or("mapped");
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).ok());
        let start = from?;
        let is_kernels = ["[vvar]", "[vvar_vclock]", "[vsyscall]", "[vdso]"].contains(&name);
        let name = if name.starts_with('/') { "file" } else { name };
        (mode.starts_with('r') && !is_kernels).then(|| Self {
            start,
            len: usize::try_from(to.unwrap_or(start) - start).unwrap_or(0),
            is_writable: mode.starts_with("rw"),
            name: name.to_owned(),
        })
    }
}

/// Where `needles` are in `bytes`: which of them, and at what offset it begins.
#[must_use]
pub fn hits(bytes: &[u8], needles: &[Needle]) -> Vec<(usize, usize)> {
    // Most places are ruled out by their first two bytes.
    let mut begins = vec![false; 1 << 16];
    let pair = |bytes: &[u8]| usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    needles.iter().for_each(|needle| begins[pair(&needle.secret[CORE])] = true);
    let mut found = Vec::new();
    let mut ends = vec![0; needles.len()];
    for (at, window) in bytes.windows(CORE.len()).enumerate() {
        if !begins[pair(window)] {
            continue;
        }
        for (which, needle) in needles.iter().enumerate() {
            // A secret of equal bytes would begin again within itself.
            if needle.secret[CORE] == *window && ends[which] <= at {
                ends[which] = at + CORE.len();
                found.push((which, at.saturating_sub(CORE.start)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
