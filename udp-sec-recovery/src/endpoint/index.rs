//! Slots by a key: sorted, so that a search takes as many steps as the number of keys has bits.

use core::mem;

use heapless::Vec;

/// At most `N` keys, each with a slot.
#[derive(Debug)]
pub(super) struct Index<K, const N: usize> {
    places: Vec<(K, usize), N>,
}

impl<K: Ord, const N: usize> Index<K, N> {
    /// No keys.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self { places: Vec::new() }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The slot of `key`.
    pub(super) fn get(&self, key: &K) -> Option<usize> {
        let position = self.position(key).ok()?;
        self.places.get(position).map(|(_, slot)| *slot)
    }

    /// Enters `key`, in place of what it stood for before; one more than there is room for is dropped.
    pub(super) fn insert(&mut self, key: K, slot: usize) {
        match self.position(&key) {
            Ok(position) => {
                if let Some((_, known)) = self.places.get_mut(position) {
                    *known = slot;
                }
            }
            Err(_) if self.places.is_full() => {}
            Err(position) => {
                // Everything from there on moves up by one place.
                let mut moving = (key, slot);
                self.places.iter_mut().skip(position).for_each(|place| mem::swap(place, &mut moving));
                _ = self.places.push(moving);
            }
        }
    }

    /// Forgets `key`.
    pub(super) fn remove(&mut self, key: &K) {
        self.places.retain(|(known, _)| known != key);
    }

    /// Where `key` is, or else where it belongs.
    fn position(&self, key: &K) -> Result<usize, usize> {
        self.places.binary_search_by(|(known, _)| known.cmp(key))
    }
}

#[cfg(test)]
mod tests;
