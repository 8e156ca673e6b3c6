//! The random source of all keys: the machine's, asked each time. Where there is none, nothing is invented.

use core::cell::UnsafeCell;
use core::fmt;

use rand_core::{TryCryptoRng, TryRng};
use virtio_drivers::device::rng::VirtIORng;

use super::Transport;
use super::hal::Memory;

/// The machine's random source, for whoever asks. Without a virtio random number generator it always fails.
#[derive(Clone, Copy, Debug)]
pub struct Entropy;

struct Shared(UnsafeCell<Option<VirtIORng<Memory, Transport>>>);

// SAFETY: there is one hart, nothing interrupts it, and nothing in here calls out.
unsafe impl Sync for Shared {}

static DEVICE: Shared = Shared(UnsafeCell::new(None));

/// No random bytes could be had.
#[derive(Clone, Copy, Debug)]
pub struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no random number generator")
    }
}

impl core::error::Error for Unavailable {}

/// Asks the device behind `transport` from now on.
pub fn provide(transport: Transport) {
    // SAFETY: see `Shared`.
    unsafe { *DEVICE.0.get() = VirtIORng::new(transport).ok() };
}

impl TryRng for Entropy {
    type Error = Unavailable;

    fn try_next_u32(&mut self) -> Result<u32, Unavailable> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Unavailable> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, mut room: &mut [u8]) -> Result<(), Unavailable> {
        // SAFETY: see `Shared`.
        let device = unsafe { (*DEVICE.0.get()).as_mut() }.ok_or(Unavailable)?;
        while !room.is_empty() {
            match device.request_entropy(room) {
                Ok(count) if count > 0 => room = room.get_mut(count..).ok_or(Unavailable)?,
                _ => return Err(Unavailable),
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}
