//! The victim with an allocator that wipes what it is given back.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::io::Result<()> {
    secrets::victim::run()
}
