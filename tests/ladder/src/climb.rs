//! A program of the ladder on a session: turns of the program, the multiplexer, and whatever carries it.

use core::fmt;

use nexus_net_adapter::mux::{End, Progress, Pump, Side};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::time::{Duration, Instant};

use crate::{Failure, Mux};

/// The pump's buffer for each direction, in bytes.
pub const PUMP_BUFFER: usize = 2 * 1024;
/// The multiplexer's tick: it asks after three of them, and gives up after nine.
const TICK: Duration = Duration::from_secs(1);

/// A multiplexer on a stream.
#[derive(Debug)]
pub struct Session<'m, S> {
    pump: Pump<S, PUMP_BUFFER>,
    mux: Mux<'m>,
    next_tick: Instant,
    progress: Progress,
}

/// Why a session ended before its work was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// The peer is not known: the handshake is not over.
    NoPeer,
    /// The program has failed.
    Program(Failure),
    /// The session has ended.
    Ended(End),
    /// It took too long.
    TooLate,
    /// The link is said to lose, and nothing had to be sent again.
    NoLoss,
}

impl core::error::Error for Broken {}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPeer => f.write_str("no authenticated peer"),
            Self::Program(failure) => failure.fmt(f),
            Self::Ended(end) => end.fmt(f),
            Self::NoLoss => f.write_str("the link is said to lose, and nothing had to be sent again"),
            Self::TooLate => f.write_str("the run took longer than its limit"),
        }
    }
}

impl<'m, S: ReliableStream> Session<'m, S> {
    /// Begins on `stream` with `memory` for the streams.
    ///
    /// # Errors
    /// [`Broken::NoPeer`] if the peer has not proven itself.
    pub fn begin(stream: S, side: Side, memory: &'m mut [u8]) -> Result<Self, Broken> {
        let next_tick = stream.now() + TICK;
        let pump = Pump::begin(stream).map_err(|_| Broken::NoPeer)?;
        let mux = Mux::new(side, pump.peer(), memory);
        Ok(Self { pump, mux, next_tick, progress: Progress::Moved })
    }

    /// The stream below.
    pub const fn stream(&self) -> &S {
        self.pump.stream()
    }

    /// The stream below, to end it.
    pub const fn stream_mut(&mut self) -> &mut S {
        self.pump.stream_mut()
    }

    /// The multiplexer, for the program.
    pub const fn mux(&mut self) -> &mut Mux<'m> {
        &mut self.mux
    }

    /// Moves what can be moved; if that is nothing, waits until `until` or for the next tick. `Ok(true)` once the
    /// peer has finished.
    ///
    /// # Errors
    /// [`Broken::Ended`] if the session has ended in another way.
    pub fn turn(&mut self, until: Instant) -> Result<bool, Broken> {
        let now = self.pump.stream().now();
        if now >= self.next_tick {
            self.mux.tick().map_err(Broken::Ended)?;
            self.next_tick = now + TICK;
        }
        match self.pump.run(&mut self.mux, until.min(self.next_tick)) {
            Ok(progress) => {
                self.progress = progress;
                Ok(false)
            }
            Err(End::Finished) => Ok(true),
            Err(end) => Err(Broken::Ended(end)),
        }
    }

    /// When the next tick is.
    #[must_use]
    pub const fn next_tick(&self) -> Instant {
        self.next_tick
    }

    /// Whether the last turn moved nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.progress == Progress::Idle
    }

    /// Whether all streams are over and all of it was handed to the stream below.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_idle() && self.mux.streams() == 0 && !self.mux.has_output()
    }

    /// Half-closes: the peer reads the end.
    ///
    /// # Errors
    /// [`Broken::Ended`] if the session has ended.
    pub fn finish(&mut self) -> Result<(), Broken> {
        self.pump.finish().map_err(|why| match why {
            StreamError::Closed(reason) => Broken::Ended(End::Closed(reason)),
            _ => Broken::NoPeer,
        })
    }
}
