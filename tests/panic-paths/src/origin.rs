//! Whose code an instruction is, by the line tables.

use std::fmt;

use addr2line::Context;
use addr2line::gimli::{EndianSlice, LittleEndian, SectionId};
use anyhow::{Context as _, Result};
use object::{Object, ObjectSection};

/// A call of a panic, by the function whose code it is: the innermost one that is not of the standard library.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Origin {
    /// The crate that the function is of.
    pub(crate) crate_name: String,
    /// The file that the function is in.
    pub(crate) file: String,
    /// The function.
    pub(crate) function: String,
    /// What is called.
    pub(crate) panic: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls {} in {}", self.function, self.panic, self.file)
    }
}

/// The line tables of an image.
pub(crate) struct Origins<'i>(Context<EndianSlice<'i, LittleEndian>>);

impl<'i> Origins<'i> {
    pub(crate) fn new(image: &object::File<'i>) -> Result<Self> {
        let section = |id: SectionId| -> Result<_> {
            let data = image.section_by_name(id.name()).map(|section| section.data()).transpose()?;
            Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
        };
        Ok(Self(Context::from_dwarf(addr2line::gimli::Dwarf::load(section)?)?))
    }

    /// The origin of the call at `address` of the function `panic`.
    pub(crate) fn of(&self, address: u64, panic: &str) -> Result<Origin> {
        let mut frames = self.0.find_frames(address).skip_all_loads()?;
        let mut origin = Origin {
            crate_name: "unknown".to_owned(),
            file: String::new(),
            function: format!("{address:#x}"),
            panic: panic.to_owned(),
        };
        while let Some(frame) = frames.next()? {
            let file = frame.location.as_ref().and_then(|location| location.file).unwrap_or_default();
            if let Some(function) = &frame.function {
                origin.function = format!("{:#}", rustc_demangle::demangle(&function.raw_name()?));
            }
            origin.file = file.to_owned();
            origin.crate_name = crate_of(file).context("a path of a source file")?.to_owned();
            if origin.crate_name != "std" {
                break;
            }
        }
        Ok(origin)
    }
}

/// The crate that `file` is of: the folder above the last `src`, and `std` for all of the standard library.
fn crate_of(file: &str) -> Option<&str> {
    if file.is_empty() || file.contains("/library/") {
        return Some("std");
    }
    let (before, _) = file.rsplit_once("src/").unwrap_or((file, ""));
    before.trim_end_matches('/').rsplit('/').next()
}
