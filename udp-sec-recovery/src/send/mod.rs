//! Sending: what has been sent and is still open, when it counts as lost, and how much may leave and when.

pub mod buffer;
pub mod congestion;
pub mod loss;
pub mod pacer;
pub mod permit;
pub mod persistent;
pub mod pto;
pub mod rtt;
pub mod sent_queue;
