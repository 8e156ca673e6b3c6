//! Two engines back to back, and single rules of the contract that they keep.

mod behaviour;
mod load;
mod random;

use std::vec;
use std::vec::Vec;

use super::*;
use crate::mux::tests::{about, data, engine, name, open, peer, wire};

/// Lets `from` say all that it has to say to `to`; whether that was anything.
fn deliver<M, N, const S: usize, const B: usize, const C: u32, const T: usize, const D: usize, const E: u32>(
    from: &mut Engine<M, S, B, C>,
    to: &mut Engine<N, T, D, E>,
) -> bool
where
    M: AsRef<[u8]> + AsMut<[u8]>,
    N: AsRef<[u8]> + AsMut<[u8]>,
{
    let mut buffer = vec![0; 64 * 1024];
    let mut said = false;
    while from.has_output() {
        let len = from.transmit(&mut buffer, usize::MAX);
        assert!(len > 0, "there is output, and nothing came out");
        to.receive(&buffer[..len]).expect("a conformant peer is never rejected");
        said = true;
    }
    said
}

/// Until both are silent.
fn settle<M, N, const S: usize, const B: usize, const C: u32, const T: usize, const D: usize, const E: u32>(
    left: &mut Engine<M, S, B, C>,
    right: &mut Engine<N, T, D, E>,
) where
    M: AsRef<[u8]> + AsMut<[u8]>,
    N: AsRef<[u8]> + AsMut<[u8]>,
{
    while deliver(left, right) | deliver(right, left) {}
}

fn events<M, const S: usize, const B: usize, const C: u32>(engine: &mut Engine<M, S, B, C>) -> Vec<Event>
where
    M: AsRef<[u8]> + AsMut<[u8]>,
{
    std::iter::from_fn(|| engine.poll_event()).collect()
}
