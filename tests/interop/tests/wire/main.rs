//! udp-sec on the wire, beside another implementation of Noise.

mod by_hand;
mod example;
mod live;
