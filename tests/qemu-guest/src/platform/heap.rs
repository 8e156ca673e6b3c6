//! The heap: small, of fixed size, in use only while handshakes run, and wiped where it was used.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use linked_list_allocator::Heap;

use super::statics::Once;

/// Bytes of heap.
pub const SIZE: usize = 8 * 1024;

static MEMORY: Once<[MaybeUninit<u8>; SIZE]> = Once::new([MaybeUninit::uninit(); SIZE]);
/// The most that was ever in use.
static HIGH_WATER: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static HEAP: Wiping = Wiping(UnsafeCell::new(Heap::empty()));

/// A heap that leaves nothing behind.
struct Wiping(UnsafeCell<Heap>);

// SAFETY: there is one hart, and nothing interrupts it.
unsafe impl Sync for Wiping {}

// SAFETY: the allocator below keeps the contract; wiping touches only what is being given back.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nobody else has it borrowed: see `Sync`.
        let heap = unsafe { &mut *self.0.get() };
        let place = heap.allocate_first_fit(layout).map_or(ptr::null_mut(), NonNull::as_ptr);
        HIGH_WATER.fetch_max(heap.used(), Ordering::Relaxed);
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        for offset in 0..layout.size() {
            // SAFETY: the bytes of this allocation. Volatile: the compiler must not know better.
            unsafe { ptr::write_volatile(place.add(offset), 0) };
        }
        if let Some(place) = NonNull::new(place) {
            // SAFETY: nobody else has it borrowed, and the place is one of its own.
            unsafe { (*self.0.get()).deallocate(place, layout) };
        }
    }
}

/// Gives the heap its memory.
pub fn init() {
    // SAFETY: nobody else has it borrowed, and nothing has been allocated yet.
    unsafe { (*HEAP.0.get()).init_from_slice(MEMORY.take()) };
}

/// Bytes in use now, and the most that ever were.
pub fn usage() -> (usize, usize) {
    // SAFETY: nobody else has it borrowed.
    (unsafe { (*HEAP.0.get()).used() }, HIGH_WATER.load(Ordering::Relaxed))
}
