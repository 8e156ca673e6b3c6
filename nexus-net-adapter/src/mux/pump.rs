//! Moves bytes between an [`Engine`] and the stream below, whatever that is.
//!
//! What the stream below has taken, no priority can overtake. So the pump hands it little while the link is the
//! limit: nothing while more than [`LOW_WATER`] bytes have not left, and then at most [`BATCH_MIN`] at once. A link
//! that takes all it is given at once gets twice as much the next time, up to the size of the pump's buffer. Frames do
//! not grow with it: a turn is worth the same whenever it comes, so that equal streams have equal shares.

use core::ops::Range;

use udp_sec::time::Instant;

use super::engine::{End, Engine};
use super::frame::{HEAD_MAX, HEADER_LEN};
use super::id::StreamId;
use super::reject::MuxReject;
use crate::stream::{Interest, PeerIdentity, ReliableStream, StreamError};

/// Most bytes that may wait in the stream below when the pump adds to them: two datagrams of udp-sec, about what one
/// acknowledgement lets go, so that those are full ones.
pub const LOW_WATER: u64 = 2400;

/// Bytes that the pump hands over at once while the link is the limit, headers included.
pub const BATCH_MIN: usize = 4 * 1024;

/// Largest payload of a DATA frame of ours: one frame fills the smallest batch.
pub const FRAME_MAX: usize = BATCH_MIN - HEADER_LEN;

/// Reads in a row before it is the other direction's turn.
const READS_MAX: usize = 16;

/// The pump of one session, over the stream `S`, with a buffer of `BUFFER` bytes for each direction. A `BUFFER` of
/// less than 80 bytes, the longest head, does not compile; on hosts 64 KiB do well.
///
/// Dropping it drops the stream, which ends the session.
#[derive(Debug)]
pub struct Pump<S, const BUFFER: usize> {
    stream: S,
    peer: PeerIdentity,
    inbox: [u8; BUFFER],
    outbox: [u8; BUFFER],
    /// The part of `outbox` that the stream has not taken.
    waiting: Range<usize>,
    /// Bytes to hand over at once.
    batch: usize,
    outlet: Outlet,
}

/// Our direction of the stream below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outlet {
    Open,
    Finished,
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Progress {
    /// Nothing: nothing came, and nothing could leave.
    Idle,
    /// Bytes were moved.
    Moved,
}

impl<S: ReliableStream, const BUFFER: usize> Pump<S, BUFFER> {
    /// Room that the smallest buffer leaves.
    const SPARE: usize = BUFFER - HEAD_MAX;

    /// Begins a session on `stream`.
    ///
    /// # Errors
    /// [`MuxReject::UnauthenticatedSession`] if its peer has not proven who it is.
    pub fn begin(mut stream: S) -> Result<Self, MuxReject> {
        // Said here so that it is worked out, for this buffer.
        let _: usize = Self::SPARE;
        let peer = stream.peer().ok_or(MuxReject::UnauthenticatedSession)?;
        stream.set_low_water(LOW_WATER);
        Ok(Self {
            stream,
            peer,
            inbox: [0; BUFFER],
            outbox: [0; BUFFER],
            waiting: 0..0,
            batch: BATCH_MIN.min(BUFFER),
            outlet: Outlet::Open,
        })
    }

    /// Whom the session is with.
    #[must_use]
    pub const fn peer(&self) -> PeerIdentity {
        self.peer
    }

    /// The stream below.
    #[must_use]
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Gives the stream below back: to wait until all is delivered, say, after the session has [`finish`](Self::finish)ed.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// The stream below, for what it offers besides bytes: readiness, and its end. Reading from it or writing to it would
    /// tear the frames.
    pub const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Moves what can be moved, in both directions. If that is nothing, waits until something can be, or until
    /// `deadline`, by the stream's clock.
    ///
    /// # Errors
    /// Why the session has ended. [`End::Finished`] is the orderly end: the peer has [`finish`](Self::finish)ed.
    pub fn run<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        deadline: Instant,
    ) -> Result<Progress, End>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        self.run_with(engine, deadline, |_, _| 0)
    }

    /// As [`run`](Self::run), with `take` for [`Engine::receive_with`].
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        deadline: Instant,
        mut take: impl FnMut(StreamId, &[u8]) -> usize,
    ) -> Result<Progress, End>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let progress = self.pass(engine, &mut take)?;
        if progress == Progress::Moved {
            return Ok(progress);
        }
        match self.stream.wait(self.interest(engine), deadline) {
            Ok(()) => self.pass(engine, &mut take),
            Err(StreamError::Closed(reason)) => Err(engine.end(End::Closed(reason))),
            Err(_) => Ok(Progress::Idle),
        }
    }

    /// Half-closes the stream below, for the peer to read [`End::Finished`]. For when all is done: the engine has
    /// [no output](Engine::has_output) and the last run was idle; whatever else there is, is dropped. Until the peer
    /// finishes, too, [`run`](Self::run) goes on reading.
    ///
    /// # Errors
    /// [`StreamError::Closed`] if the stream has ended.
    pub fn finish(&mut self) -> Result<(), StreamError> {
        self.outlet = Outlet::Finished;
        self.stream.finish()
    }

    /// Gives the session up, at once.
    pub fn abort(&mut self) {
        self.stream.abort();
    }

    /// What has to happen before another [`run`](Self::run) can do anything: for callers that run with a passed deadline
    /// and wait by other means.
    pub fn interest<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &self,
        engine: &Engine<M, STREAMS, BYTES, CREDIT>,
    ) -> Interest
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let output = !self.waiting.is_empty() || engine.has_output();
        if output && self.outlet == Outlet::Open { Interest::Either } else { Interest::Readable }
    }

    /// Both directions once, without waiting.
    fn pass<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        take: &mut impl FnMut(StreamId, &[u8]) -> usize,
    ) -> Result<Progress, End>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let outcome = match engine.ended() {
            Some(end) => Err(end),
            None => self.fill(engine, take).and_then(|read| Ok(self.drain(engine)?.max(read))),
        };
        match outcome {
            Err(End::Finished) | Ok(_) => {}
            // Whatever else ended it: there is nothing left to say on this stream.
            Err(_) => self.stream.abort(),
        }
        outcome
    }

    /// From the stream to the engine.
    fn fill<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        take: &mut impl FnMut(StreamId, &[u8]) -> usize,
    ) -> Result<Progress, End>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let mut progress = Progress::Idle;
        for _ in 0..READS_MAX {
            match self.stream.read(&mut self.inbox, Instant::ZERO) {
                Ok(0) => return Err(engine.end_of_input()),
                Ok(len) => engine.receive_with(self.inbox.get(..len).unwrap_or_default(), &mut *take)?,
                Err(StreamError::Closed(reason)) => return Err(engine.end(End::Closed(reason))),
                Err(_) => break,
            }
            progress = Progress::Moved;
        }
        Ok(progress)
    }

    /// From the engine to the stream.
    fn drain<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
    ) -> Result<Progress, End>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let mut progress = Progress::Idle;
        while self.outlet == Outlet::Open {
            while !self.waiting.is_empty() {
                let bytes = self.outbox.get(self.waiting.clone()).unwrap_or_default();
                match self.stream.write(bytes, Instant::ZERO) {
                    Ok(len) => self.waiting.start = self.waiting.start.saturating_add(len),
                    Err(StreamError::Closed(reason)) => return Err(engine.end(End::Closed(reason))),
                    Err(_) => {
                        self.batch = BATCH_MIN.min(BUFFER);
                        return Ok(progress);
                    }
                }
                progress = Progress::Moved;
            }
            let unsent = self.stream.unsent();
            if unsent > 0 {
                self.batch = BATCH_MIN.min(BUFFER);
            }
            if unsent > LOW_WATER {
                break;
            }
            let room = self.outbox.get_mut(..self.batch).unwrap_or_default();
            let len = engine.transmit(room, FRAME_MAX);
            if len == 0 {
                break;
            }
            self.waiting = 0..len;
            // The next batch is larger, unless it turns out that the link does not take this one at once.
            self.batch = self.batch.saturating_mul(2).min(BUFFER);
        }
        Ok(progress)
    }
}

#[cfg(test)]
pub(super) mod tests;
