//! Is quiche to be had without `std`?
#![no_std]

pub use quiche::Connection;
