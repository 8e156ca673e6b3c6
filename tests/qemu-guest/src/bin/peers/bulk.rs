//! The transfer itself, the same over everything: a byte there and back, the bulk, and its receipt.

use ladder::{Role, Settings};
use sha2::{Digest as _, Sha256};
use udp_sec::time::{Duration, Instant};

use crate::Failure;
use qemu_guest::network::Net;
use qemu_guest::say;

/// Bytes that are made, or read, at once.
const CHUNK: usize = 1024;
/// The byte that says that the peer is there.
const HELLO: [u8; 1] = [0x68];
/// The receipt: the SHA-256 of everything.
const RECEIPT_LEN: usize = 32;

/// A connection that carries the bulk. Both calls wait.
pub trait Carrier {
    /// Sends at least one of `bytes`; says how many.
    fn send(&mut self, bytes: &[u8], until: Instant) -> Result<usize, Failure>;
    /// Receives at least one byte; says how many. 0 is the end.
    fn receive(&mut self, room: &mut [u8], until: Instant) -> Result<usize, Failure>;
    /// There is no more to send.
    fn finish(&mut self);
}

/// Plays the part of `settings` over `carrier`, which is connected or about to be.
#[inline(never)]
pub fn run(carrier: &mut dyn Carrier, net: &'static Net, settings: &Settings) -> Result<(), Failure> {
    let until = net.now() + settings.limit;
    match settings.role {
        Role::Connector => send(carrier, net, settings, until),
        _ => receive(carrier, settings, until),
    }
}

fn send(
    carrier: &mut dyn Carrier,
    net: &'static Net,
    settings: &Settings,
    until: Instant,
) -> Result<(), Failure> {
    send_all(carrier, &HELLO, until)?;
    receive_all(carrier, &mut [0; HELLO.len()], until)?;

    let begun = net.now();
    let mut pattern = Pattern::new(settings.plan.seed);
    let mut hasher = Sha256::new();
    let mut left = settings.plan.bulk;
    while left > 0 {
        let mut chunk = [0; CHUNK];
        let len = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let chunk = &mut chunk[..len];
        pattern.fill(chunk);
        hasher.update(&*chunk);
        send_all(carrier, chunk, until)?;
        left -= len as u64;
    }
    let mut receipt = [0; RECEIPT_LEN];
    receive_all(carrier, &mut receipt, until)?;
    let elapsed = net.now().saturating_since(begun).max(Duration::from_micros(1)).as_micros();
    if receipt != *hasher.finalize() {
        return Err(Failure::Mismatch);
    }
    carrier.finish();
    say!("FIGURE bulk_bytes {}", settings.plan.bulk);
    say!("FIGURE bulk_us {elapsed}");
    say!("FIGURE goodput_bits_per_second {}", settings.plan.bulk * 8 * 1_000_000 / elapsed);
    Ok(())
}

fn receive(carrier: &mut dyn Carrier, settings: &Settings, until: Instant) -> Result<(), Failure> {
    receive_all(carrier, &mut [0; HELLO.len()], until)?;
    send_all(carrier, &HELLO, until)?;

    let mut hasher = Sha256::new();
    let mut left = settings.plan.bulk;
    while left > 0 {
        let mut chunk = [0; CHUNK];
        let len = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let count = match carrier.receive(&mut chunk[..len], until)? {
            0 => return Err(Failure::Lost("the rest of the bulk")),
            count => count,
        };
        hasher.update(&chunk[..count]);
        left -= count as u64;
    }
    send_all(carrier, &hasher.finalize(), until)?;
    // The peer finishes when it has the receipt.
    let more = carrier.receive(&mut [0], until)?;
    carrier.finish();
    if more == 0 { Ok(()) } else { Err(Failure::Mismatch) }
}

fn send_all(carrier: &mut dyn Carrier, mut bytes: &[u8], until: Instant) -> Result<(), Failure> {
    while !bytes.is_empty() {
        let count = carrier.send(bytes, until)?;
        bytes = &bytes[count..];
    }
    Ok(())
}

fn receive_all(carrier: &mut dyn Carrier, mut room: &mut [u8], until: Instant) -> Result<(), Failure> {
    while !room.is_empty() {
        match carrier.receive(room, until)? {
            0 => return Err(Failure::Lost("the answer")),
            count => room = &mut room[count..],
        }
    }
    Ok(())
}

/// Bytes to send, no two stretches of them alike (Marsaglia's xorshift64*).
struct Pattern(u64);

impl Pattern {
    fn new(seed: u64) -> Self {
        // The state must not be 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn fill(&mut self, room: &mut [u8]) {
        for chunk in room.chunks_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, fresh)| *byte = fresh);
        }
    }
}
