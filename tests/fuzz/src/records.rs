//! Secure TCP: two sessions over a byte stream that is cut and joined anywhere, and may be changed at one place; and a
//! session whose peer holds its keys and seals records of any text, or sends bytes that nobody sealed.
//!
//! What is read is what was written, up to where the stream was changed and never beyond; an undisturbed session always
//! completes; and what ends a session ends it by name, with nothing after it.

mod pair;
mod single;

use udp_sec::time::Instant;

use nexus_net_adapter::stream::StreamError;
use nexus_net_adapter::tcp::{Config, INBOUND_MIN, Memory, SecureTcp};

use crate::Outcome;
use crate::input::Input;
use crate::keys::{keys, parameters};

/// A session with its memory.
type Host = SecureTcp<Vec<u8>>;

/// The first byte of `data` chooses: two sessions, or one and a peer without manners.
///
/// # Panics
/// When a property does not hold.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    if input.flag() { pair::run(&mut input) } else { single::run(&mut input) }
}

fn config(who: u8) -> Config {
    Config::new(keys(who), parameters())
}

fn memory(outbound: usize) -> Memory<Vec<u8>> {
    Memory::new(vec![0; INBOUND_MIN], vec![0; outbound]).expect("room enough")
}

/// Gives `to` at most `len` of `bytes`, as far as it has room, and returns how many it took.
fn feed(now: Instant, to: &mut Host, bytes: &[u8]) -> usize {
    let room = to.room();
    let count = room.len().min(bytes.len());
    if count > 0 {
        room[..count].copy_from_slice(&bytes[..count]);
        to.received(now, count);
    }
    count
}

/// Takes at most `len` bytes of what `from` has to send.
fn take(now: Instant, from: &mut Host, len: usize) -> Vec<u8> {
    let bytes = from.transmit();
    let bytes = bytes[..len.min(bytes.len())].to_vec();
    from.sent(now, bytes.len());
    bytes
}

/// Whether `result` says why nothing more will come.
fn is_end<T>(result: &Result<T, StreamError>) -> bool {
    matches!(result, Err(StreamError::Closed(_)))
}
