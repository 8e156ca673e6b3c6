//! A workload through every shim, over one session of any kind: bytes, then streams, then records.
//!
//! | stage | through | what |
//! | --- | --- | --- |
//! | [`bytes`] | the facade's `TcpStream` | `amount` bytes, compared where they arrive |
//! | [`streams`] | the system's multiplexer | the same on eight streams of all classes, one of them held up by its reader |
//! | [`records`] | the system's record transport | the same as records of mixed sizes on three channels |
//!
//! In each the connector sends, the responder compares every byte and says so, and the connector waits for that. Nothing
//! waits inside: [`Exercise::step`] does what can be done now, so the same code runs in virtual time and in a guest.
//!
//! A guest, on whatever stream it has:
//! ```
//! # use nexus_net_adapter::stream::ReliableStream;
//! # use os_shim::exercise::{Exercise, Failure, Report, Role, Step};
//! # use udp_sec::time::{Duration, Instant};
//! fn run(stream: impl ReliableStream, role: Role, mut log: impl FnMut(&str)) -> Result<Report, Failure> {
//!     let mut exercise = Exercise::new(role, stream, 1 << 20);
//!     loop {
//!         match exercise.step()? {
//!             Step::Moved => {}
//!             Step::Idle => exercise.wait(Duration::from_millis(100)),
//!             Step::Passed(stage) => log(stage.name()),
//!             Step::Done => return Ok(exercise.report()),
//!         }
//!     }
//! }
//! ```

pub mod bytes;
pub mod records;
pub mod streams;

use alloc::boxed::Box;

use nexus_net_adapter::mux::{End, MuxReject};
use nexus_net_adapter::net::{Secured, TickRate};
use nexus_net_adapter::stream::{Interest, ReliableStream, StreamError};
use udp_sec::time::{Duration, Instant};

use crate::os::net::NetError;
use crate::shim::mux::PortError;
use crate::shim::net::Outward;
use crate::shim::record::RecordPortError;

use bytes::Bytes;
use records::RecordStage;
use streams::Streams;

/// Which side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Opened the session, and sends.
    Connector,
    /// Accepted it, and compares.
    Responder,
}

/// A part of the workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// See [`bytes`].
    Bytes,
    /// See [`streams`].
    Streams,
    /// See [`records`].
    Records,
}

impl Stage {
    /// For logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "os-shim: facade bytes ok",
            Self::Streams => "os-shim: mux streams ok",
            Self::Records => "os-shim: records ok",
        }
    }
}

/// What one step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Something: there may be more.
    Moved,
    /// Nothing: wait for the stream.
    Idle,
    /// This stage is complete, on both sides as far as this one can know.
    Passed(Stage),
    /// All of it is, the session has ended in order, and the peer has everything: the stream can be dropped.
    Done,
}

/// What was moved, and what held it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Bytes that this side has sent, or received and compared.
    pub bytes: u64,
    /// How often a stream found no credit, because the peer does not read it.
    pub blocked_by_credit: u64,
    /// How often it found no room: the link is the limit.
    pub blocked_by_link: u64,
}

/// What went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// At the facade; `None` for an end too early.
    Facade(Option<&'static str>),
    /// At the multiplexer.
    Mux(PortError),
    /// At the records.
    Records(RecordPortError),
    /// The stream below.
    Stream(StreamError),
    /// What came is not what was sent: the first byte that differs is at `at`.
    Content {
        /// In bytes from the beginning of the stream, channel or record.
        at: usize,
    },
    /// The responder says so.
    Verdict,
    /// The peer does something else.
    Unexpected,
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        Self::Facade(Some(match error {
            NetError::Unsupported => "unsupported",
            NetError::WouldBlock => "would block",
            NetError::TimedOut => "timed out",
            NetError::AddrInUse => "address in use",
            NetError::NotConnected => "not connected",
            NetError::Disconnected => "disconnected",
            NetError::NoBufs => "no buffers",
            NetError::InvalidInput(what) | NetError::Internal(what) => what,
        }))
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Mux(error)
    }
}

impl From<RecordPortError> for Failure {
    fn from(error: RecordPortError) -> Self {
        Self::Records(error)
    }
}

impl From<End> for Failure {
    fn from(end: End) -> Self {
        Self::Records(RecordPortError::Ended(end))
    }
}

impl From<MuxReject> for Failure {
    fn from(reject: MuxReject) -> Self {
        Self::Mux(reject.into())
    }
}

/// Byte `at` of the content `seed`: no two contents, and no two parts of one, look alike.
#[must_use]
pub fn content(seed: u32, at: usize) -> u8 {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    let mixed = (at ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
    (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35).to_be_bytes()[0]
}

/// Fills `buf` with the content `seed` from `at` on.
fn fill(buf: &mut [u8], seed: u32, at: usize) {
    buf.iter_mut().zip(at..).for_each(|(room, at)| *room = content(seed, at));
}

/// Compares `bytes` with the content `seed` from `at` on.
///
/// # Errors
/// [`Failure::Content`].
pub fn compare(bytes: &[u8], seed: u32, at: usize) -> Result<(), Failure> {
    match bytes.iter().zip(at..).find(|(byte, at)| **byte != content(seed, *at)) {
        Some((_, at)) => Err(Failure::Content { at }),
        None => Ok(()),
    }
}

/// The stage at work.
enum Running<S> {
    Bytes(Bytes<Outward<Secured<S>>>),
    Streams(Streams<S>),
    /// Boxed, for the buffers of a pump lie in it.
    Records(Box<RecordStage<S>>),
    /// Waits until the peer has everything.
    Ending(S),
}

/// One side of the workload.
pub struct Exercise<S> {
    role: Role,
    amount: usize,
    /// `None` after a failure.
    running: Option<Running<S>>,
    report: Report,
}

impl<S: ReliableStream> Exercise<S> {
    /// `amount` bytes in each stage, over `stream`, whose session is open. From 1 MiB on, the stalled stream meets the
    /// bound of its credit.
    pub fn new(role: Role, stream: S, amount: usize) -> Self {
        let bytes = Bytes::new(role, Outward(Secured::new(stream, TickRate::MILLIS)), amount);
        Self { role, amount, running: Some(Running::Bytes(bytes)), report: Report::default() }
    }

    /// Does what can be done now.
    ///
    /// # Errors
    /// [`Failure`], after which there is nothing more to do.
    pub fn step(&mut self) -> Result<Step, Failure> {
        let Some(mut running) = self.running.take() else { return Ok(Step::Done) };
        let report = &mut self.report;
        let step = match &mut running {
            Running::Bytes(stage) => stage.step(report)?,
            Running::Streams(stage) => stage.step(report)?,
            Running::Records(stage) => stage.step(report)?,
            Running::Ending(stream) => match stream.wait(Interest::Delivered, Instant::ZERO) {
                Ok(()) => Step::Done,
                Err(_) => Step::Idle,
            },
        };
        self.running = match (step, running) {
            (Step::Passed(_), Running::Bytes(stage)) => {
                let stream = stage.into_stream().0.into_inner();
                Some(Running::Streams(Streams::new(self.role, stream, self.amount)?))
            }
            (Step::Passed(_), Running::Streams(stage)) => {
                let stage = RecordStage::new(self.role, stage.into_stream(), self.amount)?;
                Some(Running::Records(Box::new(stage)))
            }
            (Step::Passed(_), Running::Records(stage)) => Some(Running::Ending(stage.into_stream())),
            (_, running) => Some(running),
        };
        Ok(step)
    }

    /// Waits until there may be something to do, for at most `span`, by the stream's clock.
    pub fn wait(&mut self, span: Duration) {
        // The next step tells whatever there is to tell.
        _ = match &mut self.running {
            Some(Running::Bytes(stage)) => {
                let stream = stage.stream().0.stream();
                stream.wait(Interest::Either, stream.now() + span)
            }
            Some(Running::Streams(stage)) => stage.wait(span),
            Some(Running::Records(stage)) => {
                stage.wait(span);
                Ok(())
            }
            Some(Running::Ending(stream)) => stream.wait(Interest::Delivered, stream.now() + span),
            None => Ok(()),
        };
    }

    /// What has been moved so far.
    #[must_use]
    pub const fn report(&self) -> Report {
        self.report
    }
}

/// Both sides in one thread, until both are done: `pass` is called whenever neither can do anything, `passed` for each
/// stage that a side is through with. What the connector and the responder have to report.
///
/// # Errors
/// The first [`Failure`] of either.
pub fn play(
    client: impl ReliableStream,
    server: impl ReliableStream,
    amount: usize,
    mut pass: impl FnMut(),
    mut passed: impl FnMut(Role, Stage),
) -> Result<[Report; 2], Failure> {
    let mut client = Exercise::new(Role::Connector, client, amount);
    let mut server = Exercise::new(Role::Responder, server, amount);
    loop {
        let steps = [client.step()?, server.step()?];
        for (role, step) in [Role::Connector, Role::Responder].into_iter().zip(steps) {
            if let Step::Passed(stage) = step {
                passed(role, stage);
            }
        }
        match steps {
            [Step::Done, Step::Done] => return Ok([client.report(), server.report()]),
            [Step::Idle | Step::Done, Step::Idle | Step::Done] => pass(),
            _ => {}
        }
    }
}
