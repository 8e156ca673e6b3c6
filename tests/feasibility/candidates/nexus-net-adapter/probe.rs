//! Control: our adapter builds, with everything that needs no operating system.
#![no_std]

pub use nexus_net_adapter::stream::ReliableStream;
