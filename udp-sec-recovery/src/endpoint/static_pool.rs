//! A pool of connections in memory that is lent for good: for devices, which have it in statics.

use heapless::Vec;

use super::pool::Pool;
use crate::connection::Connection;
use crate::memory::Storage;

/// At most `N` connections, each in memory that is lent once and used again and again. Nothing of the size of a session's
/// memory is ever moved, as it is with [`InlinePool`](super::InlinePool).
#[derive(Debug)]
pub struct StaticPool<S: 'static, const N: usize> {
    /// By slot, as far as slots were ever used.
    slots: Vec<Option<Connection<&'static mut S>>, N>,
    /// Memory that no connection is in.
    spare: Vec<&'static mut S, N>,
}

impl<S: Storage, const N: usize> StaticPool<S, N> {
    /// A pool without memory, which has no room for connections; `const`, so that it can be a static.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Vec::new(), spare: Vec::new() }
    }

    /// Lends zeroed `memory` for one more connection.
    ///
    /// # Errors
    /// Gives it back if there is memory for `N` connections.
    pub fn lend(&mut self, memory: &'static mut S) -> Result<(), &'static mut S> {
        let in_use = self.slots.iter().flatten().count();
        if self.spare.len().saturating_add(in_use) >= N {
            return Err(memory);
        }
        self.spare.push(memory)
    }
}

impl<S: Storage, const N: usize> Default for StaticPool<S, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Storage, const N: usize> Pool for StaticPool<S, N> {
    type Storage = &'static mut S;

    fn reserve(&mut self) -> Option<(usize, &'static mut S)> {
        let slot = match self.slots.iter().position(Option::is_none) {
            Some(slot) => slot,
            None => {
                let slot = self.slots.len();
                self.slots.push(None).ok()?;
                slot
            }
        };
        Some((slot, self.spare.pop()?))
    }

    fn fill(&mut self, slot: usize, connection: Connection<&'static mut S>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(connection);
        }
    }

    fn get(&self, slot: usize) -> Option<&Connection<&'static mut S>> {
        self.slots.get(slot)?.as_ref()
    }

    fn get_mut(&mut self, slot: usize) -> Option<&mut Connection<&'static mut S>> {
        self.slots.get_mut(slot)?.as_mut()
    }

    fn take(&mut self, slot: usize) -> Option<Connection<&'static mut S>> {
        self.slots.get_mut(slot)?.take()
    }

    fn restore(&mut self, storage: &'static mut S) {
        storage.memory().clear();
        // It came from here, so there is a place.
        _ = self.spare.push(storage);
    }
}

#[cfg(test)]
mod tests;
