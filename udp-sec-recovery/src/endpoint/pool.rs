//! Where an endpoint's connections live: in slots that the embedding system provides.

use crate::connection::Connection;
use crate::memory::Storage;

/// A bounded set of connections in numbered slots. Slots are filled and emptied by the endpoint only.
pub trait Pool {
    /// The memory behind each connection.
    type Storage: Storage;

    /// A free slot, and the zeroed memory for a connection in it. `None`: all slots are taken, or no memory could
    /// be had. The slot stays free until it is filled.
    fn reserve(&mut self) -> Option<(usize, Self::Storage)>;

    /// Puts `connection` into `slot`, which was reserved for it.
    fn fill(&mut self, slot: usize, connection: Connection<Self::Storage>);

    /// The connection in `slot`.
    fn get(&self, slot: usize) -> Option<&Connection<Self::Storage>>;

    /// The connection in `slot`.
    fn get_mut(&mut self, slot: usize) -> Option<&mut Connection<Self::Storage>>;

    /// Empties `slot`.
    fn take(&mut self, slot: usize) -> Option<Connection<Self::Storage>>;

    /// Takes back memory that was reserved, and that no connection is in any more.
    fn restore(&mut self, storage: Self::Storage) {
        drop(storage);
    }
}

/// A pool that is lent: the endpoint that has it can be moved, and the connections stay where they are.
impl<P: Pool> Pool for &mut P {
    type Storage = P::Storage;

    fn reserve(&mut self) -> Option<(usize, P::Storage)> {
        (**self).reserve()
    }

    fn fill(&mut self, slot: usize, connection: Connection<P::Storage>) {
        (**self).fill(slot, connection);
    }

    fn get(&self, slot: usize) -> Option<&Connection<P::Storage>> {
        (**self).get(slot)
    }

    fn get_mut(&mut self, slot: usize) -> Option<&mut Connection<P::Storage>> {
        (**self).get_mut(slot)
    }

    fn take(&mut self, slot: usize) -> Option<Connection<P::Storage>> {
        (**self).take(slot)
    }

    fn restore(&mut self, storage: P::Storage) {
        (**self).restore(storage);
    }
}

/// `N` connections held inline, each with its memory, all of which passes through the stack when a session begins: for
/// hosts and tests. A device has a [`StaticPool`](super::StaticPool).
#[derive(Debug)]
pub struct InlinePool<S, const N: usize> {
    slots: [Option<Connection<S>>; N],
}

impl<S, const N: usize> InlinePool<S, N> {
    /// A pool with all its slots free; `const`, so that it can be a static.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: [const { None }; N] }
    }
}

impl<S, const N: usize> Default for InlinePool<S, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Storage + Default, const N: usize> Pool for InlinePool<S, N> {
    type Storage = S;

    fn reserve(&mut self) -> Option<(usize, S)> {
        let slot = self.slots.iter().position(Option::is_none)?;
        Some((slot, S::default()))
    }

    fn fill(&mut self, slot: usize, connection: Connection<S>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(connection);
        }
    }

    fn get(&self, slot: usize) -> Option<&Connection<S>> {
        self.slots.get(slot)?.as_ref()
    }

    fn get_mut(&mut self, slot: usize) -> Option<&mut Connection<S>> {
        self.slots.get_mut(slot)?.as_mut()
    }

    fn take(&mut self, slot: usize) -> Option<Connection<S>> {
        self.slots.get_mut(slot)?.take()
    }
}
