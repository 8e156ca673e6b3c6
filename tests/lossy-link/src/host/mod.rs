//! What the two programs share: the options of a link, and sockets. With feature `relay` only.

pub mod link_args;
pub mod sockets;
