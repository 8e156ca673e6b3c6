//! The parts of loss recovery and flow control, each beside a model as plain as can be.

mod congestion;
mod numbers;
mod reassembly;
mod send_buffer;
mod spans;

use crate::Outcome;
use crate::input::Input;

/// The first byte of `data` chooses the part, the rest is what happens to it.
///
/// # Panics
/// When a part and its model differ.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    match input.u8() % 5 {
        0 => spans::run(&mut input),
        1 => numbers::run(&mut input),
        2 => reassembly::run(&mut input),
        3 => send_buffer::run(&mut input),
        _ => congestion::run(&mut input),
    }
}
