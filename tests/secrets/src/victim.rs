//! The process whose memory is searched: an end of a session that does what standard input says.
//!
//! | command | operands | does |
//! | --- | --- | --- |
//! | `k` | carrier (1), secret key (32), peer's public key (32) | makes the end |
//! | `c` | | calls the peer |
//! | `d` | length (2), datagram or piece of a byte stream | receives |
//! | `w` | length (2), bytes | writes to the session |
//! | `t` | microseconds (8) | lets time pass |
//! | `x` | | gives the session up |
//! | `e` | | drops the end |
//!
//! What it says: `d`, length (2) and what leaves; `r` and a count (1) when it needs so many random bytes, which follow on
//! standard input at once; `.` when a command is done. Numbers are little-endian. It ends with standard input.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;

use rand_core::{TryCryptoRng, TryRng};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};
use zeroize::{Zeroizing, zeroize_stack};

use crate::end::{Carrier, End, PIECE};

/// More than the making of an endpoint takes, which is several times its size. Bytes.
const STACK_OF_MAKING: usize = 512 << 10;

/// Reads carrier and keys, and makes the end. In a frame of its own, that can be wiped behind it.
#[inline(never)]
fn made(pipes: &mut Pipes) -> io::Result<End> {
    let [number] = *pipes.take()?;
    let carrier = Carrier::ALL.get(usize::from(number)).ok_or(io::ErrorKind::InvalidInput)?;
    let secret = pipes.take()?;
    let peer = PublicKey::from_bytes(*pipes.take()?);
    Ok(End::new(*carrier, StaticKeypair::from_secret(*secret), peer))
}

/// Does what standard input says until it ends.
///
/// # Errors
/// Standard input or output fails.
pub fn run() -> io::Result<()> {
    let mut victim = Victim { pipes: Pipes::open(), end: None, now: Instant::ZERO };
    while let Some(command) = victim.pipes.command()? {
        victim.obey(command)?;
        victim.drain()?;
        victim.pipes.say(b".")?;
    }
    Ok(())
}

/// Standard input and output without the buffers that `std` puts before them: those would keep what passes.
struct Pipes {
    input: File,
    output: File,
}

impl Pipes {
    fn open() -> Self {
        // SAFETY: the process was started with both open, and nothing else of it uses them.
        let [input, output] = [0, 1].map(|number| unsafe { File::from_raw_fd(number) });
        Self { input, output }
    }

    fn command(&mut self) -> io::Result<Option<u8>> {
        let mut command = [0];
        Ok((self.input.read(&mut command)? == 1).then_some(command[0]))
    }

    fn take<const N: usize>(&mut self) -> io::Result<Zeroizing<[u8; N]>> {
        let mut bytes = Zeroizing::new([0; N]);
        self.input.read_exact(bytes.as_mut_slice())?;
        Ok(bytes)
    }

    /// Bytes with their length before them, into `room`.
    fn take_into<'r>(&mut self, room: &'r mut [u8]) -> io::Result<&'r mut [u8]> {
        let len = u16::from_le_bytes(*self.take()?);
        let bytes = &mut room[..usize::from(len)];
        self.input.read_exact(bytes)?;
        Ok(bytes)
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }
}

/// The test's random bytes, straight from the pipe to where they are wanted.
impl TryRng for Pipes {
    type Error = io::Error;

    fn try_next_u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        let count = u8::try_from(bytes.len()).expect("nobody asks for more at once");
        self.say(&[b'r', count])?;
        self.input.read_exact(bytes)
    }
}

impl TryCryptoRng for Pipes {}

struct Victim {
    pipes: Pipes,
    end: Option<End>,
    now: Instant,
}

impl Victim {
    fn obey(&mut self, command: u8) -> io::Result<()> {
        let mut room = [0; PIECE];
        if command == b'k' {
            self.end = Some(made(&mut self.pipes)?);
            // The static secret has moved through the stack with the end that it is in, and was the caller's own.
            zeroize_stack::<STACK_OF_MAKING>();
            return Ok(());
        }
        let Some(end) = &mut self.end else { return Err(io::ErrorKind::NotFound.into()) };
        match command {
            b'c' => end.call(self.now, &mut self.pipes),
            b'd' => {
                let bytes = self.pipes.take_into(&mut room)?;
                end.receive(self.now, &mut self.pipes, bytes);
            }
            b'w' => end.write(self.now, self.pipes.take_into(&mut room)?),
            b't' => {
                self.now += Duration::from_micros(u64::from_le_bytes(*self.pipes.take()?));
                end.pass(self.now);
            }
            b'x' => end.end_session(self.now),
            b'e' => self.end = None,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(())
    }

    fn drain(&mut self) -> io::Result<()> {
        let Some(end) = &mut self.end else { return Ok(()) };
        let mut out = [0; PIECE];
        while let Some(count) = end.transmit(self.now, &mut out) {
            let len = u16::try_from(count).expect("1200 at most");
            self.pipes.say(b"d")?;
            self.pipes.say(&len.to_le_bytes())?;
            self.pipes.say(&out[..count])?;
        }
        Ok(())
    }
}
