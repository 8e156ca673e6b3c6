//! Proof that the target system's own parts fit on these transports with a thin shim and no change to either side.
//!
//! ```text
//! os        types of the shapes that the system has: its multiplexer of events, its sockets facade, its records
//!   │
//! shim      what an integrator writes: the system's names on one side, ours on the other, nothing in between
//!   │
//! nexus_net_adapter::{stream, mux::frame, mux::records, udp}      as they are
//!
//! exercise  a workload through all three, for any stream, driven by polling: the same in tests and in a guest
//! lossy     two of the system's stacks with a lossy link between them, to run it on
//! ```
//! Nothing here needs more than `core` and `alloc`, so it runs where the system runs. `docs/integrating.md` tells how
//! to do the same in the system itself.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod exercise;
pub mod lossy;
pub mod os;
pub mod shim;
