//! The test's side: starts a victim, is its peer and its random source, and keeps in mind what it gave.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};

use crate::end::{Carrier, End, PIECE};
use crate::needles::{Known, Needle, Schedule, schedule};
use crate::recorder::Recorder;
use crate::search::{Found, search};

/// Which side the victim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It calls.
    Initiator,
    /// It is called.
    Responder,
}

/// A victim with its peer.
#[derive(Debug)]
pub struct Observer {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// Where the victim's random bytes come from.
    its_random: Recorder,
    peer: End,
    our_random: Recorder,
    now: Instant,
    role: Role,
    victim_secret: [u8; 32],
    ephemerals: Ephemerals,
}

/// The public ephemeral keys, as they pass.
#[derive(Debug, Default)]
struct Ephemerals {
    /// The victim's.
    its: Option<[u8; 32]>,
    /// The peer's.
    ours: Option<[u8; 32]>,
}

impl Observer {
    /// Starts the victim `program` in `role`, and gives it its keys; sessions go over `carrier`.
    ///
    /// # Errors
    /// It does not start, or not go on.
    pub fn start(program: &str, role: Role, carrier: Carrier, seed: u64) -> io::Result<Self> {
        let mut its_random = Recorder::new(seed);
        let mut our_random = Recorder::new(!seed);
        let [its, ours] = [&mut its_random, &mut our_random]
            .map(|random| StaticKeypair::generate(random).expect("infallible"));
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = child.stdin.take().zip(child.stdout.take()).expect("piped");
        let mut observer = Self {
            child,
            input,
            output,
            its_random,
            our_random,
            now: Instant::ZERO,
            role,
            victim_secret: *its.secret(),
            ephemerals: Ephemerals::default(),
            peer: End::new(carrier, ours.clone(), *its.public()),
        };
        let number = Carrier::ALL.iter().position(|other| *other == carrier).map_or(0, |number| number as u8);
        observer.command(&[b"k", &[number][..], &its.secret()[..], ours.public().as_bytes()].concat())?;
        Ok(observer)
    }

    /// Opens the session.
    ///
    /// # Errors
    /// The victim does not go on.
    pub fn connect(&mut self) -> io::Result<()> {
        match self.role {
            Role::Initiator => self.command(b"c"),
            Role::Responder => {
                self.peer.call(self.now, &mut self.our_random);
                self.exchange()
            }
        }
    }

    /// The victim writes to the session, and the peer answers.
    ///
    /// # Errors
    /// The victim does not go on.
    pub fn talk(&mut self) -> io::Result<()> {
        let text = [0x55; 1_000];
        self.command(&[b"w", &1_000_u16.to_le_bytes()[..], &text].concat())?;
        self.peer.write(self.now, &text);
        self.exchange()?;
        self.wait(Duration::from_millis(100))
    }

    /// The victim gives the session up, and so much time passes that nothing of it is needed any more.
    ///
    /// # Errors
    /// The victim does not go on.
    pub fn end_session(&mut self) -> io::Result<()> {
        self.command(b"x")?;
        for _ in 0..60 {
            self.wait(Duration::from_secs(1))?;
        }
        Ok(())
    }

    /// A second passes, without anything to say.
    ///
    /// # Errors
    /// The victim does not go on.
    pub fn pause(&mut self) -> io::Result<()> {
        self.wait(Duration::from_secs(1))
    }

    /// The victim drops its end.
    ///
    /// # Errors
    /// The victim does not go on.
    pub fn drop_end(&mut self) -> io::Result<()> {
        self.command(b"e")
    }

    /// Lets time pass at both ends.
    fn wait(&mut self, span: Duration) -> io::Result<()> {
        self.now += span;
        self.peer.pass(self.now);
        self.command(&[b"t", &span.as_micros().to_le_bytes()[..]].concat())
    }

    /// What the victim must forget, by now.
    ///
    /// # Panics
    /// Before the session is established.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        let [secret, ephemeral, ..] = self.our_random.drawn[..] else { panic!("no handshake yet") };
        schedule(&Known {
            secret,
            ephemeral,
            peer: *StaticKeypair::from_secret(self.victim_secret).public().as_bytes(),
            peer_ephemeral: self.ephemerals.its.expect("a handshake"),
            is_initiator: self.role == Role::Responder,
        })
    }

    /// The victim's static secret.
    #[must_use]
    pub fn static_secret(&self) -> Needle {
        Needle::new("static secret", self.victim_secret)
    }

    /// What the victim drew for the session: its ephemeral secret, and the seed of its private numbers.
    ///
    /// # Panics
    /// Before the session is established.
    #[must_use]
    pub fn drawn(&self) -> [Needle; 2] {
        let [_, ephemeral, seed, ..] = self.its_random.drawn[..] else { panic!("no handshake yet") };
        assert_eq!(Some(*StaticKeypair::from_secret(ephemeral).public().as_bytes()), self.ephemerals.its);
        [Needle::new("ephemeral secret", ephemeral), Needle::new("seed of private numbers", seed)]
    }

    /// Where `needles` are in the victim's memory at this moment.
    ///
    /// # Errors
    /// The system does not let us look.
    pub fn search(&self, needles: &[Needle]) -> io::Result<Found> {
        search(self.child.id(), needles)
    }

    /// Has the victim do `command`, and passes on what comes of it until both ends are silent.
    fn command(&mut self, command: &[u8]) -> io::Result<()> {
        self.order(command)?;
        self.exchange()
    }

    /// Has the victim do `command`; its datagrams reach the peer.
    fn order(&mut self, command: &[u8]) -> io::Result<()> {
        self.input.write_all(command)?;
        loop {
            match self.take::<1>()? {
                [b'.'] => return Ok(()),
                [b'r'] => {
                    let [count] = self.take()?;
                    let mut bytes = vec![0; usize::from(count)];
                    self.its_random.fill(&mut bytes);
                    self.input.write_all(&bytes)?;
                }
                [b'd'] => {
                    let mut datagram = vec![0; usize::from(u16::from_le_bytes(self.take()?))];
                    self.output.read_exact(&mut datagram)?;
                    note_ephemeral(&mut self.ephemerals.its, &datagram);
                    self.peer.receive(self.now, &mut self.our_random, &mut datagram);
                }
                [other] => return Err(io::Error::other(format!("the victim says {other}"))),
            }
        }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.output.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Hands the peer's datagrams to the victim until there are none.
    fn exchange(&mut self) -> io::Result<()> {
        let mut out = [0; PIECE];
        while let Some(count) = self.peer.transmit(self.now, &mut out) {
            let piece = &out[..count];
            note_ephemeral(&mut self.ephemerals.ours, piece);
            let len = u16::try_from(count).expect("1200 at most");
            self.order(&[b"d", &len.to_le_bytes()[..], piece].concat())?;
        }
        Ok(())
    }
}

/// The ephemeral key of the first handshake message that passes: behind the header, in either (`docs/protocol.md`
/// section 2), and in a byte stream behind the length of the record, too.
fn note_ephemeral(place: &mut Option<[u8; 32]>, piece: &[u8]) {
    let message = piece.strip_prefix(&[0xb0, 0x04]).unwrap_or(piece);
    if matches!(message, [1, 1 | 2, ..]) {
        place.get_or_insert_with(|| message[12..44].try_into().expect("32 bytes"));
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
