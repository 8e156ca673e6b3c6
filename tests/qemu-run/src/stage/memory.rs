//! Copies of the guests' memory: in the middle of their session, and when they have done their work.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::{Actor, Stage};
use crate::child::Child;
use crate::monitor;
use crate::secrets::{self, Moment};

/// Starts a guest whose monitor listens to us.
pub(super) fn start(name: &str, command: &mut Command, errors: &Path) -> Result<Child> {
    let mut child = Child::start_talking(name, command, errors)?;
    monitor::begin(&mut child)?;
    Ok(child)
}

impl Stage<'_> {
    /// Copies the memory of both guests, which stand still meanwhile.
    pub(super) fn copy_memory_halfway(&mut self, limit: Duration) -> Result<()> {
        self.await_halfway(limit)?;
        for actor in &mut self.actors {
            monitor::stop(&mut actor.child)?;
        }
        for actor in &mut self.actors {
            let file = secrets::copy_of(self.folder, actor.role, Moment::During);
            monitor::copy_memory(&mut actor.child, &file)?;
        }
        for actor in &mut self.actors {
            monitor::go_on(&mut actor.child)?;
        }
        Ok(())
    }
}

impl Actor {
    /// Where the guest has done its work and said its last line: copies its memory to `file`, and ends it.
    pub(super) fn copy_memory_at_end(&mut self, file: &Path) -> Result<()> {
        if self.tail.text()?.lines().any(|line| line.starts_with("EVENTS ")) {
            monitor::stop(&mut self.child)?;
            monitor::copy_memory(&mut self.child, file)?;
            monitor::quit(&mut self.child)?;
        }
        Ok(())
    }
}
