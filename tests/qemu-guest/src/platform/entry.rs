//! From OpenSBI to `main`: a stack, painted, and memory at zero.

use core::arch::{asm, global_asm};

use super::{interrupts, stack};

global_asm!(
    ".section .text.entry, \"ax\"",
    ".global _start",
    "_start:",
    "    lla t0, __bss_start",
    "    lla t1, __bss_end",
    "1:  bgeu t0, t1, 2f",
    "    sd zero, 0(t0)",
    "    addi t0, t0, 8",
    "    j 1b",
    "2:  lla t0, __stack_bottom",
    "    lla sp, __stack_top",
    "    li t1, {paint}",
    "3:  bgeu t0, sp, 4f",
    "    sd t1, 0(t0)",
    "    addi t0, t0, 8",
    "    j 3b",
    "4:  lla t0, {trap}",
    "    csrw stvec, t0",
    // The hart's number is not needed; the address of the device tree is.
    "    mv a0, a1",
    "    call {start}",
    "5:  j 5b",
    paint = const stack::PAINT,
    trap = sym trap,
    start = sym start,
);

unsafe extern "Rust" {
    /// What the image does. Gets the address of the device tree.
    fn guest_main(device_tree: *const u8) -> !;
}

extern "C" fn start(device_tree: *const u8) -> ! {
    interrupts::enable_wakeups();
    // SAFETY: each image defines it so.
    unsafe { guest_main(device_tree) }
}

/// Nothing here is meant to trap. `stvec` wants an address that is a multiple of four.
#[unsafe(naked)]
extern "C" fn trap() -> ! {
    core::arch::naked_asm!(".balign 4", "tail {report}", report = sym report)
}

extern "C" fn report() -> ! {
    let (cause, at, value): (usize, usize, usize);
    // SAFETY: reads three registers of S-mode, which this is.
    unsafe {
        asm!("csrr {}, scause", out(reg) cause);
        asm!("csrr {}, sepc", out(reg) at);
        asm!("csrr {}, stval", out(reg) value);
    }
    panic!("trap: scause {cause:#x}, sepc {at:#x}, stval {value:#x}");
}
