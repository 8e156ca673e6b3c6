//! s2n-quic asks traits of the caller's for time and randomness, and its types are its own.

use core::time::Duration;

use s2n_quic_core::random::Generator;
use s2n_quic_core::time::{Clock, Timestamp};

struct Ticks(u64);

impl Clock for Ticks {
    fn get_time(&self) -> Timestamp {
        // SAFETY: the library asks for no more than that all times come from one clock.
        unsafe { Timestamp::from_duration(Duration::from_micros(self.0)) }
    }
}

struct Source;

impl Generator for Source {
    fn public_random_fill(&mut self, _: &mut [u8]) {}
    fn private_random_fill(&mut self, _: &mut [u8]) {}
}

fn main() {
    let _: Timestamp = Ticks(1).get_time();
    Source.public_random_fill(&mut []);
}
