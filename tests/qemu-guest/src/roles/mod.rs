//! What a guest can be.

pub mod connector;
pub mod listener;
pub mod selftest;
