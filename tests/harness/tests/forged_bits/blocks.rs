//! The blocks of the heap that belong to the world: those that were allocated while it ran. Keys and handshakes lie in
//! such blocks.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Blocks that can be in mind at once.
const BLOCKS_MAX: usize = 2048;

/// Address and length of each block; address 0 where there is none.
static BLOCKS: [(AtomicUsize, AtomicUsize); BLOCKS_MAX] =
    [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; BLOCKS_MAX];

thread_local! {
    static WATCHING: Cell<Watch> = const { Cell::new(Watch::Nothing) };
}

/// What an allocation on this thread means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    Nothing,
    /// It belongs to the world.
    World,
    /// Nothing may be allocated or given back.
    Frozen,
}

/// Does `work`; what it allocates belongs to the world.
pub(crate) fn of_the_world<T>(work: impl FnOnce() -> T) -> T {
    during(Watch::World, work)
}

/// Does `work`, which must leave the heap alone.
pub(crate) fn frozen<T>(work: impl FnOnce() -> T) -> T {
    during(Watch::Frozen, work)
}

fn during<T>(watch: Watch, work: impl FnOnce() -> T) -> T {
    let before = WATCHING.replace(watch);
    let result = work();
    WATCHING.set(before);
    result
}

/// The world's blocks: address and length.
pub(crate) fn live() -> Vec<(u64, usize)> {
    let all = BLOCKS.iter().map(|(address, len)| (address.load(Relaxed) as u64, len.load(Relaxed)));
    all.filter(|(address, _)| *address != 0).collect()
}

/// The system's allocator, keeping the world's blocks in mind.
struct Remembering;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Remembering {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        let block = unsafe { System.alloc(layout) };
        match WATCHING.get() {
            Watch::Nothing => {}
            Watch::World => {
                let free = BLOCKS.iter().find(|(address, _)| address.load(Relaxed) == 0);
                let (address, len) = free.unwrap_or_else(|| std::process::abort());
                address.store(block.addr(), Relaxed);
                len.store(layout.size(), Relaxed);
            }
            // A panic would allocate.
            Watch::Frozen => std::process::abort(),
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHING.get() == Watch::Frozen {
            std::process::abort();
        }
        if let Some((address, _)) = BLOCKS.iter().find(|(address, _)| address.load(Relaxed) == block.addr()) {
            address.store(0, Relaxed);
        }
        // SAFETY: as above; the block came from `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Remembering = Remembering;
