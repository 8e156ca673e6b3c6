//! Time reaches quinn-proto as an argument, of a type that only `std` has; randomness only in part.

use std::time::{Instant, SystemTime};

use quinn_proto::{Connection, EndpointConfig, TimeSource, Transmit};

fn main() {
    let _: fn(&mut Connection, Instant) = Connection::handle_timeout;
    let _: fn(&mut Connection) -> Option<Instant> = Connection::poll_timeout;
    let _: fn(&mut Connection, Instant, usize, &mut Vec<u8>) -> Option<Transmit> = Connection::poll_transmit;
    // The date, for tokens, comes from a trait that the caller may implement.
    let _: fn(&dyn TimeSource) -> SystemTime = |source| source.now();
    // A seed for the endpoint's generator; what else is drawn is in calls.txt.
    let _: fn(&mut EndpointConfig, Option<[u8; 32]>) -> &mut EndpointConfig = EndpointConfig::rng_seed;
}
