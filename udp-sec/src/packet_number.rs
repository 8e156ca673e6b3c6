//! Packet numbers: 64 bits in the nonce, the low 32 on the wire.
//!
//! RFC 9000 appendix A.3 with a fixed length of 32 bits; `docs/protocol.md` section 2.

/// As many numbers as the wire's 32 bits can tell apart.
const WINDOW: u64 = 1 << 32;
const HALF_WINDOW: u64 = WINDOW / 2;

/// The half of `number` that goes on the wire.
#[must_use]
pub const fn truncate(number: u64) -> u32 {
    // The cast keeps the low half: that is the encoding.
    (number & (WINDOW - 1)) as u32
}

/// The number with the low half `low` that lies closest to the one after `largest`, the largest number so far
/// (`None`: there was none yet, and 0 is expected).
///
/// Where the closest one would lie below 0 or above 2^64 - 1, the closest one that exists.
#[must_use]
pub const fn expand(largest: Option<u64>, low: u32) -> u64 {
    let expected = match largest {
        Some(largest) => largest.saturating_add(1),
        None => 0,
    };
    let candidate = (expected & !(WINDOW - 1)) | low as u64;
    // The result lies in (expected - HALF_WINDOW, expected + HALF_WINDOW]. Both comparisons are of distances, which
    // cannot overflow, and each step is taken only if its end exists.
    let stepped = if candidate < expected && expected.abs_diff(candidate) >= HALF_WINDOW {
        candidate.checked_add(WINDOW)
    } else if candidate > expected && candidate.abs_diff(expected) > HALF_WINDOW {
        candidate.checked_sub(WINDOW)
    } else {
        None
    };
    match stepped {
        Some(stepped) => stepped,
        None => candidate,
    }
}

#[cfg(test)]
mod tests;
