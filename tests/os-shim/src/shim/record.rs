//! Our records behind the system's record transport: an engine, its pump, and owned bytes at the top.

use alloc::vec;
use alloc::vec::Vec;

use nexus_net_adapter::mux::records::{RecordError, Records};
use nexus_net_adapter::mux::{End, Engine, Event, MuxReject, PriorityClass, Progress, Pump, ResetCode, Side};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::time::{Duration, Instant};

use crate::os::record::{BorrowedFrameTransport, OwnedRecord};

/// Streams of the session.
pub const STREAMS: usize = 4;

/// Bytes that the pump holds in each direction.
const BUFFER: usize = 4 * 1024;

/// Why no record was sent or received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordPortError {
    /// See [`RecordError`].
    Record(RecordError),
    /// The session is over, and all that came is received.
    Ended(End),
}

/// Records over `S`, each of at most `RECORD_MAX` bytes. `BYTES` and `CREDIT` are those of the engine.
#[derive(Debug)]
pub struct RecordPort<S, const BYTES: usize, const CREDIT: u32, const RECORD_MAX: usize> {
    pump: Pump<S, BUFFER>,
    engine: Engine<Vec<u8>, STREAMS, BYTES, CREDIT>,
    records: Records<STREAMS, RECORD_MAX>,
    buffer: Vec<u8>,
    progress: Progress,
}

impl<S: ReliableStream, const BYTES: usize, const CREDIT: u32, const RECORD_MAX: usize>
    RecordPort<S, BYTES, CREDIT, RECORD_MAX>
{
    /// Begins a session on `stream`, as the side that opened it or the one that accepted it.
    ///
    /// # Errors
    /// [`MuxReject::UnauthenticatedSession`].
    pub fn new(stream: S, side: Side) -> Result<Self, MuxReject> {
        let pump = Pump::begin(stream)?;
        let engine = Engine::new(side, pump.peer(), vec![0; STREAMS * BYTES]);
        let (records, buffer) = (Records::new(PriorityClass::HIGHEST), vec![0; RECORD_MAX]);
        Ok(Self { pump, engine, records, buffer, progress: Progress::Idle })
    }

    /// Moves bytes, without waiting.
    ///
    /// # Errors
    /// How the session ended; [`End::Finished`] is the orderly end.
    pub fn poll(&mut self) -> Result<(), End> {
        self.run(Instant::ZERO)
    }

    /// Moves bytes; if there are none to move, waits until there are, for at most `span` of the stream's time. How the
    /// session may have ended, the next call tells.
    pub fn wait_for(&mut self, span: Duration) {
        _ = self.run(self.pump.stream().now() + span);
    }

    /// Whether bytes were moved since the last time this was asked.
    pub fn take_progress(&mut self) -> Progress {
        core::mem::replace(&mut self.progress, Progress::Idle)
    }

    /// The stream below, when the session is over.
    pub fn into_stream(self) -> S {
        self.pump.into_stream()
    }

    fn run(&mut self, deadline: Instant) -> Result<(), End> {
        let progress = self.pump.run(&mut self.engine, deadline);
        while let Some(event) = self.engine.poll_event() {
            if let Some(Event::Opened { stream, .. }) = self.records.sort(&mut self.engine, event) {
                // A stream that is no channel: here, nobody wants it.
                _ = self.engine.reset(stream, ResetCode::CANCELLED);
            }
        }
        self.progress = self.progress.max(progress?);
        Ok(())
    }

    /// Whether all that was sent has been handed to the stream below.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        let interest = self.pump.interest(&self.engine);
        !interest.in_writing()
    }

    /// No more records will be sent.
    ///
    /// # Errors
    /// See [`Pump::finish`].
    pub fn finish(&mut self) -> Result<(), StreamError> {
        self.pump.finish()
    }
}

impl<S: ReliableStream, const BYTES: usize, const CREDIT: u32, const RECORD_MAX: usize> BorrowedFrameTransport
    for RecordPort<S, BYTES, CREDIT, RECORD_MAX>
{
    type Error = RecordPortError;

    fn send_record(&mut self, channel: u32, payload: &[u8]) -> Result<(), RecordPortError> {
        self.records.send_record(&mut self.engine, channel, payload).map_err(RecordPortError::Record)
    }

    fn recv_record(&mut self) -> Result<Option<OwnedRecord>, RecordPortError> {
        let ended = self.poll().err();
        let record = self.records.recv_record(&mut self.engine, &mut self.buffer);
        match (record.map_err(RecordPortError::Record)?, ended) {
            (Some(record), _) => Ok(Some(OwnedRecord::new(record.channel, record.bytes.to_vec()))),
            (None, Some(end)) => Err(RecordPortError::Ended(end)),
            (None, None) => Ok(None),
        }
    }
}
