//! What the workload takes of a guest's heap, as an allocator counts: both ends of it in one thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use nexus_net_adapter::backend::pipe::Pipe;

use crate::net::{WINDOW, on_a_large_stack, secure_tcp};
use crate::workload::{check, run};

/// Counts the bytes that this thread has in use, and the most that it ever had.
struct Counting;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let in_use = IN_USE.get() + bytes;
    IN_USE.set(in_use);
    PEAK.set(PEAK.get().max(in_use));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn the_workload_fits_into_a_small_heap() {
    let (both, left) = on_a_large_stack(|| {
        let pipe = Box::new(Pipe::<WINDOW>::new());
        let (near, far) = secure_tcp(&pipe);
        let before = IN_USE.get();
        PEAK.set(before);
        check(run(near, far, || {}));
        (PEAK.get() - before, IN_USE.get() - before)
    });
    println!("at most {both} bytes for both ends, {left} left");
    // 96 KiB each: four streams of 16 KiB for the records, and what is under way.
    assert!((64 * 1024..=192 * 1024).contains(&both), "{both}");
    // What the sessions had allocated before is gone, too: two buffers of 32 KiB each.
    assert_eq!(left, -4 * 32 * 1024, "all is given back");
}
