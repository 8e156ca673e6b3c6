//! Bytes of a stream in a lent ring: the byte at stream offset `o` lies at index `o % ring.len()`.
//!
//! Which offsets are in the ring is the caller's to know; nothing here reads or writes more than the ring holds.

/// The `len` bytes from stream offset `offset` on, in at most two pieces; fewer if the ring is shorter than that.
#[must_use]
pub fn slices(ring: &[u8], offset: u64, len: usize) -> (&[u8], &[u8]) {
    let (wrapped, straight) = ring.split_at_checked(index(ring.len(), offset)).unwrap_or_default();
    let first = len.min(straight.len());
    let second = len.saturating_sub(first).min(wrapped.len());
    (straight.get(..first).unwrap_or_default(), wrapped.get(..second).unwrap_or_default())
}

/// Copies bytes from stream offset `offset` on into `out`, and returns how many: all of `out`, unless the ring is
/// shorter.
pub fn copy_out(ring: &[u8], offset: u64, out: &mut [u8]) -> usize {
    let (first, second) = slices(ring, offset, out.len());
    if let Some((head, tail)) = out.split_at_mut_checked(first.len()) {
        head.copy_from_slice(first);
        if let Some(tail) = tail.get_mut(..second.len()) {
            tail.copy_from_slice(second);
        }
    }
    first.len().saturating_add(second.len())
}

/// Copies `data` in, to stream offset `offset` and on; what is longer than the ring is left out.
pub fn copy_in(ring: &mut [u8], offset: u64, data: &[u8]) {
    let start = index(ring.len(), offset);
    let Some((wrapped, straight)) = ring.split_at_mut_checked(start) else { return };
    let (head, tail) = data.split_at_checked(straight.len()).unwrap_or((data, &[]));
    for (room, data) in [(straight, head), (wrapped, tail)] {
        copy_common(room, data);
    }
}

/// Copies as many bytes as both have.
fn copy_common(room: &mut [u8], data: &[u8]) {
    let len = room.len().min(data.len());
    if let (Some(room), Some(data)) = (room.get_mut(..len), data.get(..len)) {
        room.copy_from_slice(data);
    }
}

/// Where `offset` lies in a ring of `len` bytes; 0 in one that has none.
fn index(len: usize, offset: u64) -> usize {
    offset.checked_rem(len as u64).and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
