//! Echo over udp-sec (being written).
fn main() {}
