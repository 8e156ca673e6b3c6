//! Memory with a fixed place that is handed out once.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A value in a `static`, for the one who takes it.
pub struct Once<T> {
    value: UnsafeCell<T>,
    taken: AtomicBool,
}

// SAFETY: the value is reachable only through `take`, and that only once.
unsafe impl<T> Sync for Once<T> {}

impl<T> Once<T> {
    /// Holds `value`.
    pub const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), taken: AtomicBool::new(false) }
    }

    /// The value.
    ///
    /// # Panics
    /// If it was taken before.
    #[expect(clippy::mut_from_ref, reason = "it is asserted to be the only borrow")]
    pub fn take(&'static self) -> &'static mut T {
        assert!(!self.taken.swap(true, Ordering::Relaxed), "taken twice");
        // SAFETY: this is the only borrow there will ever be.
        unsafe { &mut *self.value.get() }
    }
}
