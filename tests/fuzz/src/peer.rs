//! A peer with valid keys that says whatever the input says, to an endpoint of either role: frames that contradict each
//! other, acknowledgements of anything, offsets and credits of any size, keys and addresses that change, packets held
//! back and sent twice.
//!
//! The endpoint keeps its bounds and its own rules: every packet of its own is legal, opens, stays within the credit it
//! has and acknowledges only what it was sent; what is read is what was sent; what it says in answer is bounded; and when
//! the peer falls silent it comes to an end.

mod rogue;
mod victim;

use udp_sec::error::CloseCode;
use udp_sec_recovery::connection::Path;

use crate::input::Input;
use crate::{Outcome, log};
use rogue::Rogue;
use victim::Victim;

/// The byte at `offset` of either stream.
fn pattern(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

fn address(host: u8) -> Path {
    Path::to(([192, 0, 2, host % 4], 40_000).into())
}

/// Plays `data`: the role and the promises of the endpoint, then what the peer, the applications and time do.
///
/// # Panics
/// When an invariant breaks.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    let (mut victim, mut rogue) =
        if input.flag() { victim::that_calls(&mut input) } else { victim::that_is_called(&mut input) };
    while let Some(choice) = input.next() {
        if choice < 0xb0 {
            rogue.speak(choice, &mut input);
        } else {
            act(choice, &mut input, &mut victim, &mut rogue);
        }
    }
    flush(&mut victim, &mut rogue);
    let outcome = victim.end(&mut rogue);
    log::state(&victim.stats());
    outcome
}

/// What is not the peer's choice of frames.
fn act(choice: u8, input: &mut Input<'_>, victim: &mut Victim, rogue: &mut Rogue) {
    match choice % 16 {
        0..=4 => flush(victim, rogue),
        5 => _ = rogue.hold(),
        6 => {
            if let Some((from, datagram)) = rogue.kept(input.u8()) {
                victim.receive(from, datagram);
            }
        }
        7 | 8 => victim.pass(rogue, input.span()),
        9 => victim.wake(rogue),
        10 => victim.read(rogue, input.u16().into()),
        11 => victim.write(input.u16().into()),
        12 => victim.finish(),
        13 => rogue.move_to(address(input.u8())),
        14 => match input.u8() {
            0 => victim.abort(CloseCode::from_wire(input.u16())),
            1..64 => rogue.skip_numbers(input.u8()),
            _ => rogue.update_key(),
        },
        _ => victim.end_of_batch(),
    }
    victim.settle(rogue);
}

/// The peer's packet leaves.
fn flush(victim: &mut Victim, rogue: &mut Rogue) {
    if let Some((from, datagram)) = rogue.hold() {
        victim.receive(from, datagram);
        victim.settle(rogue);
    }
}
