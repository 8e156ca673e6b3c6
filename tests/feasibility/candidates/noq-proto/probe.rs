//! Is noq's state machine to be had without `std`?
#![no_std]

pub use noq_proto::{Connection, Endpoint};
