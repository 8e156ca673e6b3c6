//! Static memory in places that are lent, one holder at a time, and come back when the holder is done.

use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

/// One place with a value.
pub struct Place<T: 'static> {
    value: UnsafeCell<T>,
    lent: AtomicBool,
}

// SAFETY: the value is reachable only through its lease, of which there is one at a time.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    /// A free place that holds `value`.
    pub const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), lent: AtomicBool::new(false) }
    }

    /// The place, with whatever the last holder left in it; `None` while it is lent.
    pub fn take(&'static self) -> Option<Lease<T>> {
        if self.lent.swap(true, Ordering::Relaxed) { None } else { Some(Lease(self)) }
    }
}

/// A place, while it is lent.
pub struct Lease<T: 'static>(&'static Place<T>);

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the only lease, borrowed for as long as the value is.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the only lease, borrowed for as long as the value is.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        self.0.lent.store(false, Ordering::Relaxed);
    }
}

impl<const N: usize> AsRef<[u8]> for Lease<[u8; N]> {
    fn as_ref(&self) -> &[u8] {
        &**self
    }
}

impl<const N: usize> AsMut<[u8]> for Lease<[u8; N]> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut **self
    }
}

/// A place for a value that is made later, where it will lie: large ones never pass through the stack.
pub struct Later<T: 'static>(Place<MaybeUninit<T>>);

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Later<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self(Place::new(MaybeUninit::uninit()))
    }

    /// Puts what `make` makes into the place, and lends it out.
    ///
    /// # Panics
    /// While it is lent to somebody else.
    #[inline(always)]
    pub fn fill(&'static self, make: impl FnOnce() -> T) -> Held<T> {
        let made = self.try_fill(|| Ok::<T, Infallible>(make()));
        let Ok(held) = made;
        held
    }

    /// As [`fill`](Self::fill), with a `make` that may fail.
    #[inline(always)]
    pub fn try_fill<E>(&'static self, make: impl FnOnce() -> Result<T, E>) -> Result<Held<T>, E> {
        let mut lease = self.0.take().expect("in use already");
        match make() {
            Ok(value) => {
                lease.write(value);
                Ok(Held(ManuallyDrop::new(lease)))
            }
            Err(why) => Err(why),
        }
    }
}

/// A value in its place, until it is dropped.
pub struct Held<T: 'static>(ManuallyDrop<Lease<MaybeUninit<T>>>);

impl<T> Held<T> {
    /// The value, never to be dropped.
    pub fn leak(self) -> &'static mut T {
        let place = ManuallyDrop::new(self).0.0;
        // SAFETY: `fill` has written it, and the lease, which nobody will ever give back, was the only one.
        unsafe { (*place.value.get()).assume_init_mut() }
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `fill` has written it.
        unsafe { self.0.assume_init_ref() }
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: `fill` has written it.
        unsafe { self.0.assume_init_mut() }
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        // SAFETY: `fill` has written it, and nobody looks at it any more. The place is given back only then.
        unsafe {
            self.0.assume_init_drop();
            ManuallyDrop::drop(&mut self.0);
        }
    }
}
