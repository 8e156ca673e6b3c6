//! The process whose memory is searched: an endpoint that does what standard input says.
//!
//! | command | operands | does |
//! | --- | --- | --- |
//! | `k` | secret key (32), peer's public key (32) | makes the endpoint |
//! | `c` | | calls the peer |
//! | `d` | length (2), datagram | receives |
//! | `w` | length (2), bytes | writes to the session |
//! | `t` | microseconds (8) | lets time pass |
//! | `x` | | gives the session up |
//! | `e` | | drops the endpoint |
//!
//! What it says: `d`, length (2) and a datagram; `r` and a count (1) when it needs so many random bytes, which follow on
//! standard input at once; `.` when a command is done. Numbers are little-endian. It ends with standard input.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;

use rand_core::{TryCryptoRng, TryRng};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Small;
use zeroize::{Zeroizing, zeroize_stack};

/// An endpoint with room for two sessions, all of it in one piece of memory.
pub type Side = Endpoint<InlinePool<Small, 2>, AllowList<1>, 2, 2>;

/// More than the making of an endpoint takes, which is several times its size. Bytes.
const STACK_OF_MAKING: usize = 512 << 10;

/// What both ends speak.
pub const APPLICATION: &[u8] = b"secrets/1";

/// Where either end believes that the other is.
#[must_use]
pub fn path() -> Path {
    Path::to(([192, 0, 2, 1], 4_433).into())
}

/// The endpoint of `own` that allows `peer` and speaks `application`.
///
/// # Panics
/// If `application` is longer than 32 bytes.
#[must_use]
pub fn endpoint(own: StaticKeypair, peer: PublicKey, application: &[u8]) -> Box<Side> {
    let application = ApplicationProtocol::new(application).expect("a short name");
    let mut allowed = AllowList::new();
    allowed.add(peer).expect("room for one");
    Box::new(Endpoint::new(
        Config::new(own, Parameters::new(application, 0)),
        Box::default(),
        InlinePool::new(),
        allowed,
    ))
}

/// Reads the keys, and makes the endpoint. In a frame of its own, that can be wiped behind it.
#[inline(never)]
fn made(pipes: &mut Pipes) -> io::Result<(Box<Side>, PublicKey)> {
    let secret = pipes.take()?;
    let peer = PublicKey::from_bytes(*pipes.take()?);
    Ok((endpoint(StaticKeypair::from_secret(*secret), peer, APPLICATION), peer))
}

/// Does what standard input says until it ends.
///
/// # Errors
/// Standard input or output fails.
pub fn run() -> io::Result<()> {
    let mut victim = Victim { pipes: Pipes::open(), endpoint: None, session: None, now: Instant::ZERO };
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
    endpoint: Option<(Box<Side>, PublicKey)>,
    session: Option<SessionId>,
    now: Instant,
}

impl Victim {
    fn obey(&mut self, command: u8) -> io::Result<()> {
        let mut room = [0; 1_200];
        if command == b'k' {
            self.endpoint = Some(made(&mut self.pipes)?);
            // The static secret has moved through the stack with the endpoint that it is in, and was the caller's own.
            zeroize_stack::<STACK_OF_MAKING>();
            return Ok(());
        }
        let Some((endpoint, peer)) = &mut self.endpoint else { return Err(io::ErrorKind::NotFound.into()) };
        match command {
            b'c' => {
                endpoint.connect(self.now, &mut self.pipes, path(), peer).expect("an empty endpoint");
            }
            b'd' => {
                let datagram = self.pipes.take_into(&mut room)?;
                endpoint.handle_datagram(self.now, &mut self.pipes, path(), datagram);
                endpoint.end_of_batch();
            }
            b'w' => {
                let bytes = self.pipes.take_into(&mut room)?;
                let session = self.session.and_then(|id| endpoint.session(id)).expect("a session");
                session.write(bytes).expect("open");
            }
            b't' => {
                self.now += Duration::from_micros(u64::from_le_bytes(*self.pipes.take()?));
                endpoint.handle_timeout(self.now);
            }
            b'x' => endpoint.release(self.now, self.session.expect("a session")),
            b'e' => self.endpoint = None,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(())
    }

    fn drain(&mut self) -> io::Result<()> {
        let Some((endpoint, _)) = &mut self.endpoint else { return Ok(()) };
        let mut out = [0; 1_200];
        loop {
            match endpoint.poll_output(self.now, &mut out) {
                Output::Transmit(transmit) => {
                    let len = u16::try_from(transmit.len).expect("1200 at most");
                    self.pipes.say(b"d")?;
                    self.pipes.say(&len.to_le_bytes())?;
                    self.pipes.say(&out[..transmit.len])?;
                }
                Output::Event(id, Event::Established) => self.session = Some(id),
                Output::Event(id, Event::Readable) => {
                    while endpoint
                        .session(id)
                        .is_some_and(|session| session.read(&mut out).is_ok_and(|n| n > 0))
                    {
                    }
                }
                Output::Event(..) => {}
                Output::Wait(_) => return Ok(()),
            }
        }
    }
}
