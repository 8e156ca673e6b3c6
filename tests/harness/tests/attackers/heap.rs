//! An allocator that counts, for attacks that aim at memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the bytes of each thread, so that tests beside each other do not count each other's.
struct Counting;

thread_local! {
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

fn grow(bytes: i64) {
    let live = LIVE.get() + bytes;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size() as i64);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        grow(-(layout.size() as i64));
        // SAFETY: as above; the pointer came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that this thread has allocated and not given back.
pub(crate) fn live() -> i64 {
    LIVE.get()
}

/// The most that [`live`] was while `work` ran, less what it was before: what the work needed beside its result.
pub(crate) fn peak_of(work: impl FnOnce()) -> i64 {
    let before = LIVE.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

#[test]
fn it_counts() {
    let before = live();
    let kept = vec![0_u8; 1_000];
    assert_eq!(live() - before, 1_000);
    let peak = peak_of(|| drop(vec![0_u8; 5_000]));
    assert_eq!(peak, 5_000);
    drop(kept);
    assert_eq!(live(), before);
}
