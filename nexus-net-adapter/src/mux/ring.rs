//! A queue of bytes in lent memory. The ring holds two numbers; whoever calls it brings the memory, the same each
//! time.

/// Where the bytes are in the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ring {
    start: usize,
    len: usize,
}

impl Ring {
    /// Nothing in it.
    pub(super) const EMPTY: Self = Self { start: 0, len: 0 };

    /// Bytes in it.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes in it, in order, in two pieces of which the second may be empty.
    pub(super) fn pieces<'r>(&self, room: &'r [u8]) -> (&'r [u8], &'r [u8]) {
        let (wrapped, straight) = room.split_at_checked(self.start).unwrap_or_default();
        let first = self.len.min(straight.len());
        let second = self.len.saturating_sub(first).min(wrapped.len());
        (straight.get(..first).unwrap_or_default(), wrapped.get(..second).unwrap_or_default())
    }

    /// Appends as many bytes of `data` as there is room for, and returns how many.
    pub(super) fn push(&mut self, room: &mut [u8], data: &[u8]) -> usize {
        let free = room.len().saturating_sub(self.len);
        let data = data.get(..free).unwrap_or(data);
        let end = self.start.saturating_add(self.len).checked_rem(room.len()).unwrap_or(0);
        let (wrapped, straight) = room.split_at_mut_checked(end).unwrap_or_default();
        let first = copy(straight, data);
        let second = copy(wrapped, data.get(first..).unwrap_or_default());
        self.len = self.len.saturating_add(first).saturating_add(second);
        first.saturating_add(second)
    }

    /// Copies bytes from the front to `out` without removing them, and returns how many.
    pub(super) fn copy_to(&self, room: &[u8], out: &mut [u8]) -> usize {
        let (first, second) = self.pieces(room);
        let copied = copy(out, first);
        copied.saturating_add(copy(out.get_mut(copied..).unwrap_or_default(), second))
    }

    /// Removes `count` bytes from the front, or all there are.
    pub(super) fn drop_front(&mut self, room: &[u8], count: usize) {
        let count = count.min(self.len);
        self.len = self.len.saturating_sub(count);
        // An empty ring begins anew: what comes next lies in one piece.
        self.start = match self.len {
            0 => 0,
            _ => self.start.saturating_add(count).checked_rem(room.len()).unwrap_or(0),
        };
    }
}

/// Copies as many bytes as both have, and returns how many.
pub(super) fn copy(room: &mut [u8], data: &[u8]) -> usize {
    let len = room.len().min(data.len());
    if let (Some(room), Some(data)) = (room.get_mut(..len), data.get(..len)) {
        room.copy_from_slice(data);
    }
    len
}

#[cfg(test)]
mod tests;
