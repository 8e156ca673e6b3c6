//! Sessions on the heap, each with its own memory, up to a limit.

use std::boxed::Box;
use std::vec::Vec;

use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::Pool;

use super::storage::HostStorage;

/// At most `limit` sessions; a free place costs a pointer.
#[derive(Debug)]
pub struct HostPool {
    slots: Vec<Option<Box<Connection<HostStorage>>>>,
    limit: usize,
}

impl HostPool {
    /// A pool without sessions.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { slots: Vec::new(), limit }
    }
}

impl Pool for HostPool {
    type Storage = HostStorage;

    fn reserve(&mut self) -> Option<(usize, HostStorage)> {
        let slot = match self.slots.iter().position(Option::is_none) {
            Some(slot) => slot,
            None if self.slots.len() < self.limit => {
                self.slots.push(None);
                self.slots.len().checked_sub(1)?
            }
            None => return None,
        };
        Some((slot, HostStorage::new().ok()?))
    }

    fn fill(&mut self, slot: usize, connection: Connection<HostStorage>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(Box::new(connection));
        }
    }

    fn get(&self, slot: usize) -> Option<&Connection<HostStorage>> {
        self.slots.get(slot)?.as_deref()
    }

    fn get_mut(&mut self, slot: usize) -> Option<&mut Connection<HostStorage>> {
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    fn take(&mut self, slot: usize) -> Option<Connection<HostStorage>> {
        self.slots.get_mut(slot)?.take().map(|connection| *connection)
    }
}
