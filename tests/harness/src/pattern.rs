//! The bytes that applications send: any part of the stream of a seed can be made, and checked, on its own.

use alloc::vec::Vec;

/// What neighbouring words differ by before they are turned.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bytes that come from one word.
const WORD: usize = 8;

/// Appends `len` bytes of the stream of `seed`, from `offset` on.
pub fn append(seed: u64, offset: u64, len: usize, out: &mut Vec<u8>) {
    let end = out.len() + len;
    let head = before_word(offset).min(len);
    out.extend((offset..).take(head).map(|at| byte_at(seed, at)));
    let words = (end - out.len()) / WORD;
    let first = word_at(seed, offset + head as u64);
    out.extend((0..words as u64).flat_map(|nth| turned(first.wrapping_add(STEP.wrapping_mul(nth)))));
    let tail_at = offset + (head + words * WORD) as u64;
    out.extend((tail_at..).take(end - out.len()).map(|at| byte_at(seed, at)));
}

/// The offset of the first of `bytes` that is not as the stream of `seed` has it, where they begin at `offset`.
#[must_use]
pub fn first_wrong(seed: u64, offset: u64, bytes: &[u8]) -> Option<u64> {
    let aligned = &bytes[before_word(offset).min(bytes.len())..];
    let words = aligned.chunks_exact(WORD);
    let (head, tail) = (&bytes[..bytes.len() - aligned.len()], words.remainder());
    let mut next = word_at(seed, offset + head.len() as u64);
    let mut differences = 0;
    for bytes in words {
        differences |=
            u64::from_le_bytes(bytes.try_into().expect("eight bytes")) ^ u64::from_le_bytes(turned(next));
        next = next.wrapping_add(STEP);
    }
    let tail_at = offset + (bytes.len() - tail.len()) as u64;
    let ends = [(head, offset), (tail, tail_at)];
    let is_right = |(bytes, offset): (&[u8], u64)| {
        bytes.iter().zip(offset..).all(|(byte, at)| *byte == byte_at(seed, at))
    };
    if differences == 0 && ends.into_iter().all(is_right) {
        return None;
    }
    bytes.iter().zip(offset..).find(|(byte, at)| **byte != byte_at(seed, *at)).map(|(_, at)| at)
}

/// The byte at `offset` of the stream of `seed`.
fn byte_at(seed: u64, offset: u64) -> u8 {
    turned(word_at(seed, offset))[within_word(offset)]
}

/// Eight bytes share one product, so neighbouring offsets and nearby rings differ.
fn word_at(seed: u64, offset: u64) -> u64 {
    (offset / WORD as u64).wrapping_add(seed).wrapping_mul(STEP)
}

fn turned(word: u64) -> [u8; WORD] {
    word.rotate_right(17).to_le_bytes()
}

fn within_word(offset: u64) -> usize {
    (offset % WORD as u64) as usize
}

/// Bytes from `offset` to where the next word begins.
fn before_word(offset: u64) -> usize {
    (WORD - within_word(offset)) % WORD
}

#[cfg(test)]
mod tests;
