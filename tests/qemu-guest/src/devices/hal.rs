//! Memory that is shared with devices. Addresses are physical ones here: nothing is mapped.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

use crate::platform::statics::Once;

/// Pages for the queues of all devices.
const PAGES: usize = 16;

#[repr(C, align(4096))]
struct Page([u8; PAGE_SIZE]);

static POOL: Once<[Page; PAGES]> = Once::new([const { Page([0; PAGE_SIZE]) }; PAGES]);
static FIRST: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

/// Queues live as long as the machine: pages are handed out and never come back.
pub struct Memory;

// SAFETY: pages are aligned, zero, and handed out once; virtual addresses are physical addresses.
unsafe impl Hal for Memory {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        if FIRST.load(Ordering::Relaxed) == 0 {
            FIRST.store(POOL.take().as_mut_ptr().expose_provenance(), Ordering::Relaxed);
        }
        let used = USED.fetch_add(pages, Ordering::Relaxed);
        assert!(used + pages <= PAGES, "no memory for another device");
        let address = FIRST.load(Ordering::Relaxed) + used * PAGE_SIZE;
        let place = NonNull::new(core::ptr::with_exposed_provenance_mut(address)).expect("not at 0");
        (address as PhysAddr, place)
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        NonNull::new(core::ptr::with_exposed_provenance_mut(address as usize)).expect("not at 0")
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.as_ptr().expose_provenance() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}
