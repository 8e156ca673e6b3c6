//! The machine: QEMU's riscv64 `virt`, one hart, S-mode under OpenSBI. All that is not the network is here.

pub mod device_tree;
pub mod entry;
pub mod finisher;
pub mod heap;
pub mod interrupts;
pub mod lent;
mod panic;
pub mod slots;
pub mod stack;
pub mod statics;
pub mod time;
pub mod uart;
