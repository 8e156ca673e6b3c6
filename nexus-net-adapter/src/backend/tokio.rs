//! tokio: the sockets of a host for tasks, woken by tokio's own reactor and timer.
//!
//! udp-sec needs nothing of this: its streams wake tasks by themselves
//! ([`HostEndpoint::attend_in_background`](super::host::HostEndpoint::attend_in_background)).

mod tasks;
mod tcp;

pub use tcp::TokioTcp;
