//! The heap: of fixed size, and wiped where it was used.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use linked_list_allocator::Heap;

/// A heap that leaves nothing behind.
pub struct Wiping {
    heap: UnsafeCell<Heap>,
    /// The most that was ever in use.
    high_water: AtomicUsize,
}

impl Wiping {
    /// A heap without memory: to be given some by [`init`](Self::init).
    pub const fn empty() -> Self {
        Self { heap: UnsafeCell::new(Heap::empty()), high_water: AtomicUsize::new(0) }
    }

    /// Gives the heap its memory. To be called once, before anything is allocated.
    pub fn init(&self, memory: &'static mut [MaybeUninit<u8>]) {
        // SAFETY: nobody else has it borrowed.
        unsafe { (*self.heap.get()).init_from_slice(memory) };
    }

    /// Bytes in use now, and the most that ever were.
    pub fn usage(&self) -> (usize, usize) {
        // SAFETY: nobody else has it borrowed.
        (unsafe { (*self.heap.get()).used() }, self.high_water.load(Ordering::Relaxed))
    }
}

// SAFETY: there is one hart, and nothing interrupts it.
unsafe impl Sync for Wiping {}

// SAFETY: the allocator below keeps the contract; wiping touches only what is being given back.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nobody else has it borrowed: see `Sync`.
        let heap = unsafe { &mut *self.heap.get() };
        let place = heap.allocate_first_fit(layout).map_or(ptr::null_mut(), NonNull::as_ptr);
        self.high_water.fetch_max(heap.used(), Ordering::Relaxed);
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        for offset in 0..layout.size() {
            // SAFETY: the bytes of this allocation. Volatile: the compiler must not know better.
            unsafe { ptr::write_volatile(place.add(offset), 0) };
        }
        if let Some(place) = NonNull::new(place) {
            // SAFETY: nobody else has it borrowed, and the place is one of its own.
            unsafe { (*self.heap.get()).deallocate(place, layout) };
        }
    }
}
