//! udp-sec on the wire, beside another implementation of Noise.

mod by_hand;
mod endpoint;
mod example;
mod live;
