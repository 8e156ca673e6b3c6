//! Is quinn's state machine to be had without `std`?
#![no_std]

pub use quinn_proto::{Connection, Endpoint};
