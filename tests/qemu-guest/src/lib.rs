//! The machine under this folder's images: QEMU's riscv64 `virt`, one hart, S-mode under OpenSBI.
//!
//! | image | what it is |
//! | --- | --- |
//! | `qemu-guest` | the three crates as a device has them: `src/main.rs` |
//! | `peers` | one bulk transfer, over udp-sec or beside it over TCP: `src/bin/peers` |
//! | `laboratory` | simulations that a host can repeat, to the last bit: `src/bin/laboratory` |
//!
//! An image defines `guest_main`, which is called when the machine is up, and the global allocator, a
//! [`platform::heap::Wiping`].
//!
//! Besides the platform there is what the images with a network share: devices, smoltcp, an endpoint, and how to log.
#![no_std]

extern crate alloc;

pub mod devices;
pub mod endpoint;
pub mod events;
pub mod link;
pub mod log;
pub mod network;
pub mod platform;
pub mod report;
pub mod sessions;
pub mod trace;
