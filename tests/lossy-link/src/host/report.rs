//! The end of a relay's run: what it did, for people and for whoever judges.

use std::fmt::Display;
use std::path::Path;
use std::{format, io, println};

/// Prints `report`, and writes it to `file` if one was asked for.
///
/// # Errors
/// Those of the system, with the file's name.
pub fn publish(report: impl Display, file: Option<&Path>) -> io::Result<()> {
    println!("{report}");
    file.map_or(Ok(()), |path| {
        std::fs::write(path, format!("{report}\n")).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        })
    })
}
