//! An echo server and its client: `echo serve` prints its address and key, `echo ADDRESS KEY TEXT` sends a line.
fn main() {}
