//! The time since the machine was switched on.

use core::arch::asm;

use udp_sec::time::Instant;

/// The counter's rate on this machine, in ticks of 100 ns.
pub const TICKS_PER_MICROSECOND: u64 = 10;

/// The counter.
pub fn ticks() -> u64 {
    let ticks: u64;
    // SAFETY: reads a counter that OpenSBI has opened to S-mode.
    unsafe { asm!("csrr {}, time", out(reg) ticks) };
    ticks
}

/// The present.
pub fn now() -> Instant {
    Instant::from_micros(ticks() / TICKS_PER_MICROSECOND)
}
