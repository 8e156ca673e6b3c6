//! How deep the stack has been: it is painted, and what is not paint any more has been used.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What the stack is painted with before it is used.
pub const PAINT: u64 = 0x7061_696e_7465_6421;

unsafe extern "C" {
    static __stack_bottom: u64;
    static __stack_top: u64;
}

/// Bytes in use at most, before the stack was painted last.
static DEEPEST: AtomicUsize = AtomicUsize::new(0);

/// Whether the stack is left as it is from now on: paint would cover what a search of memory looks for.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Paints no more. What is measured from then on means nothing.
pub fn leave_as_it_is() {
    LEFT.store(true, Ordering::Relaxed);
}

/// Measures how much stack is used below the function that holds it.
pub struct Gauge {
    /// Bytes in use where it was made.
    depth: usize,
}

impl Gauge {
    /// Measures from here on.
    #[inline(never)]
    pub fn begin() -> Self {
        DEEPEST.fetch_max(high_water(), Ordering::Relaxed);
        let (bottom, top) = bounds();
        let here = current();
        let mut at = bottom;
        // The distance keeps clear of this function's own frame.
        while at.addr() < here - 256 && !LEFT.load(Ordering::Relaxed) {
            // SAFETY: below the stack pointer and above the stack's end: nobody's.
            unsafe { ptr::write_volatile(at, PAINT) };
            at = at.wrapping_add(1);
        }
        Self { depth: top.addr() - here }
    }

    /// The most bytes that have been used since, beyond those that were then.
    pub fn used(&self) -> usize {
        high_water().saturating_sub(self.depth)
    }
}

/// Forgets how deep it has been, and begins anew; how deep that was.
#[inline(never)]
pub fn begin_anew() -> usize {
    _ = Gauge::begin();
    DEEPEST.swap(0, Ordering::Relaxed)
}

/// Bytes of stack in use at most since [`begin_anew`], those of all callers included.
pub fn deepest() -> usize {
    DEEPEST.load(Ordering::Relaxed).max(high_water())
}

/// Bytes of stack that have been used since it was last painted.
pub fn high_water() -> usize {
    let (bottom, top) = bounds();
    let mut at = bottom;
    // SAFETY: aligned words between the ends of the stack, which the linker has laid out.
    while at.addr() < top.addr() && unsafe { ptr::read_volatile(at) } == PAINT {
        at = at.wrapping_add(1);
    }
    top.addr() - at.addr()
}

/// Panics if the stack has ever been used to its end.
pub fn check() {
    let (bottom, _) = bounds();
    // SAFETY: as in `high_water`.
    assert!(unsafe { ptr::read_volatile(bottom) } == PAINT, "the stack has overflowed");
}

fn bounds() -> (*mut u64, *const u64) {
    ((&raw const __stack_bottom).cast_mut(), &raw const __stack_top)
}

#[inline(always)]
fn current() -> usize {
    let pointer: usize;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mv {}, sp", out(reg) pointer) };
    pointer
}
