//! Waiting without burning the host's processor. No interrupt is ever taken: `wfi` ends when one *would* be.

use core::arch::asm;

use udp_sec::time::Instant;

use super::{slots, time};

/// The interrupt controller of this machine; hart 0 in S-mode is its context 1.
const PLIC: usize = 0x0c00_0000;
const ENABLE: *mut u32 = (PLIC + 0x2000 + 0x80) as *mut u32;
const THRESHOLD: *mut u32 = (PLIC + 0x20_1000) as *mut u32;
const CLAIM: *mut u32 = (PLIC + 0x20_1004) as *mut u32;

/// Timer and external interrupts, in `sie`.
const TIMER: usize = 1 << 5;
const EXTERNAL: usize = 1 << 9;
/// Registers of a virtio device (Virtual I/O Device 1.2, section 4.2.2).
const INTERRUPT_STATUS: usize = 0x60;
const INTERRUPT_ACK: usize = 0x64;
/// The SBI's timer extension ("TIME") and its only function.
const SBI_TIME: usize = 0x5449_4d45;

/// Lets timer and devices end a `wfi`.
pub fn enable_wakeups() {
    // SAFETY: registers of this hart and of the interrupt controller. `sstatus.SIE` stays 0: nothing is interrupted.
    unsafe {
        asm!("csrw sie, {}", in(reg) TIMER | EXTERNAL);
        THRESHOLD.write_volatile(0);
    }
}

/// Lets the device in `slot` end a `wfi`, too.
pub fn enable(slot: usize) {
    let number = slots::interrupt(slot);
    let priority = (PLIC + 4 * number as usize) as *mut u32;
    // SAFETY: registers of the interrupt controller.
    unsafe {
        priority.write_volatile(1);
        ENABLE.write_volatile(ENABLE.read_volatile() | 1 << number);
    }
}

/// Sleeps until `ticks`, or until a device has something to say. A device that had so before ends the sleep at once.
pub fn sleep(ticks: u64) {
    set_timer(ticks);
    // SAFETY: waits; then asks the interrupt controller whether it was a device, and makes that fall silent.
    unsafe {
        asm!("wfi");
        let number = CLAIM.read_volatile();
        if number != 0 {
            let registers = slots::address(slots::of_interrupt(number)) as *mut u32;
            let status = registers.wrapping_byte_add(INTERRUPT_STATUS).read_volatile();
            registers.wrapping_byte_add(INTERRUPT_ACK).write_volatile(status);
            CLAIM.write_volatile(number);
        }
    }
}

/// Sleeps until `end`, whatever devices say.
pub fn sleep_through(end: Instant) {
    while time::now() < end {
        sleep(end.as_micros().saturating_mul(time::TICKS_PER_MICROSECOND));
    }
}

fn set_timer(ticks: u64) {
    // SAFETY: a call of the SBI, which changes `a0` and `a1` and nothing else.
    unsafe {
        asm!("ecall", inlateout("a0") ticks => _, lateout("a1") _, in("a6") 0, in("a7") SBI_TIME);
    }
}
