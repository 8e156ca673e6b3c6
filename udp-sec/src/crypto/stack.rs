//! The stack below a computation with secrets, wiped after it.
//!
//! Wiping where a value is dropped does not reach the copies that are made of it on the way: results that move up from
//! function to function, what the cryptography crates keep in their frames, registers that were spilled. They lie where
//! the next call that goes as deep will write, and until then in memory. `tests/secrets` looks for them.

use zeroize::zeroize_stack;

/// Bytes below a step of the handshake. On a device hardly more than the steps themselves go down, so that no stack needs to
/// be larger: with 5 KiB the guest keeps a session key. Frames of a 64-bit host are larger.
pub(crate) const HANDSHAKE: usize = if cfg!(target_os = "none") { 6 * 1024 } else { 8 * 1024 };
/// Bytes below one use of a symmetric key, likewise. To wipe them after each packet costs as much as to copy it.
pub(crate) const SYMMETRIC: usize = 1024;
/// Bytes below one use of a key of `ring`, whose frames are those of a host.
#[cfg(feature = "ring")]
pub(crate) const RING: usize = 2048;
/// Bytes below the change of a session's key. One of `ring` has half a KiB, does not wipe itself, and leaves a copy in every
/// frame that it moves through.
pub(crate) const REKEY: usize = if cfg!(feature = "ring") { 8 * 1024 } else { SYMMETRIC };

/// Does `work`, and wipes the stack that it has used, up to `BYTES` of it. What it returns should hold secrets only
/// behind a pointer.
#[inline]
pub(crate) fn forgetting<const BYTES: usize, T>(work: impl FnOnce() -> T) -> T {
    let result = below(work);
    zeroize_stack::<BYTES>();
    result
}

/// In a frame of its own, so that all of it is below the caller's.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}
