//! What the two programs share: the options of a link, sockets, and how a run ends. With feature `relay` only.

pub mod link_args;
pub mod report;
pub mod sockets;
