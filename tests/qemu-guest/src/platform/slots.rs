//! The places where this machine has its virtio devices.

/// How many there are.
pub const COUNT: usize = 8;
/// Bytes of address space for each.
pub const SIZE: usize = 0x1000;

const FIRST: usize = 0x1000_1000;

/// Where the registers of the device in `slot` begin.
pub const fn address(slot: usize) -> usize {
    FIRST + slot * SIZE
}

/// The number of its interrupt.
pub const fn interrupt(slot: usize) -> u32 {
    1 + slot as u32
}

/// The device that interrupts by `number`.
pub const fn of_interrupt(number: u32) -> usize {
    number as usize - 1
}
