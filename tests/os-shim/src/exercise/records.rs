//! Records of mixed sizes on three channels, and one that says that all were right.

use alloc::vec;

use nexus_net_adapter::mux::records::RecordError;
use nexus_net_adapter::mux::{End, Progress, Side};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::time::Duration;

use super::{Failure, Report, Role, Stage, Step, compare, fill};
use crate::os::record::BorrowedFrameTransport;
use crate::shim::record::{RecordPort, RecordPortError};

/// Channels.
const CHANNELS: u32 = 3;
/// Bytes of the longest record.
pub const RECORD_MAX: usize = 4092;
/// Memory of a stream, and its first credit: what such records need, and no more.
const BYTES: usize = 4 * (RECORD_MAX + 4);
const CREDIT: u32 = 4096;

/// What the responder says at the end.
const RIGHT: &[u8] = b"all right";

/// The records of one channel, in order: which is next, and how many bytes were in those before.
#[derive(Clone, Copy, Default)]
struct Channel {
    next: u32,
    bytes: usize,
}

impl Channel {
    /// The size of the next record, if this channel is to carry `each` bytes: now and then nothing, often little,
    /// sometimes as much as there can be.
    fn len(&self, channel: u32, each: usize) -> usize {
        let drawn = usize::from(super::content(channel + 7, self.next as usize)) * (RECORD_MAX + 1) / 255;
        drawn.min(RECORD_MAX).min(each - self.bytes)
    }

    const fn after(self, len: usize) -> Self {
        Self { next: self.next + 1, bytes: self.bytes + len }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Records,
    Verdict,
    Finished,
}

/// One side.
pub struct RecordStage<S> {
    role: Role,
    port: RecordPort<S, BYTES, CREDIT, RECORD_MAX>,
    channels: [Channel; CHANNELS as usize],
    /// Bytes of each channel.
    each: usize,
    phase: Phase,
}

impl<S: ReliableStream> RecordStage<S> {
    /// `amount` bytes over `stream`, shared out evenly.
    ///
    /// # Errors
    /// [`Failure::Mux`] if the session is none.
    pub fn new(role: Role, stream: S, amount: usize) -> Result<Self, Failure> {
        let side = if role == Role::Connector { Side::Initiator } else { Side::Responder };
        let port = RecordPort::new(stream, side)?;
        let each = amount.div_ceil(CHANNELS as usize);
        Ok(Self { role, port, channels: Default::default(), each, phase: Phase::Records })
    }

    /// The stream below, when all is over.
    pub fn into_stream(self) -> S {
        self.port.into_stream()
    }

    /// Waits until there may be something to do.
    pub fn wait(&mut self, span: Duration) {
        self.port.wait_for(span);
    }

    /// Does what can be done now.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn step(&mut self, report: &mut Report) -> Result<Step, Failure> {
        let worked = match (self.role, self.phase) {
            (Role::Connector, Phase::Records) => self.send(report)?,
            (Role::Responder, Phase::Verdict) => self.answer()?,
            _ => Progress::Idle,
        };
        let came = match self.port.recv_record() {
            Ok(Some(record)) => {
                self.on_record(record.channel(), record.bytes(), report)?;
                Progress::Moved
            }
            Ok(None) => Progress::Idle,
            Err(RecordPortError::Ended(End::Finished)) if self.phase == Phase::Finished => {
                return Ok(Step::Passed(Stage::Records));
            }
            Err(error) => return Err(error.into()),
        };
        if self.phase == Phase::Finished && self.port.is_flushed() {
            self.port.finish().map_err(Failure::Stream)?;
        }
        let moved = worked.max(came).max(self.port.take_progress());
        Ok(if moved == Progress::Moved { Step::Moved } else { Step::Idle })
    }

    /// One more record on each channel that has some left.
    fn send(&mut self, report: &mut Report) -> Result<Progress, Failure> {
        let mut progress = Progress::Idle;
        for (channel, number) in self.channels.iter_mut().zip(0..) {
            if channel.bytes == self.each {
                continue;
            }
            let mut payload = vec![0; channel.len(number, self.each)];
            fill(&mut payload, number, channel.bytes);
            match self.port.send_record(number, &payload) {
                Ok(()) => {
                    *channel = channel.after(payload.len());
                    report.bytes += payload.len() as u64;
                    progress = Progress::Moved;
                }
                Err(RecordPortError::Record(RecordError::WouldBlock { .. })) => report.blocked_by_link += 1,
                Err(error) => return Err(error.into()),
            }
        }
        if self.channels.iter().all(|channel| channel.bytes == self.each) {
            self.phase = Phase::Verdict;
        }
        Ok(progress)
    }

    fn answer(&mut self) -> Result<Progress, Failure> {
        self.port.send_record(0, RIGHT)?;
        self.phase = Phase::Finished;
        Ok(Progress::Moved)
    }

    fn on_record(&mut self, number: u32, bytes: &[u8], report: &mut Report) -> Result<(), Failure> {
        if self.role == Role::Connector {
            self.phase = Phase::Finished;
            return if (number, bytes) == (0, RIGHT) { Ok(()) } else { Err(Failure::Verdict) };
        }
        let channel = self.channels.get_mut(number as usize).ok_or(Failure::Unexpected)?;
        if bytes.len() != channel.len(number, self.each) {
            return Err(Failure::Content { at: channel.bytes });
        }
        compare(bytes, number, channel.bytes)?;
        *channel = channel.after(bytes.len());
        report.bytes += bytes.len() as u64;
        if self.channels.iter().all(|channel| channel.bytes == self.each) {
            self.phase = Phase::Verdict;
        }
        Ok(())
    }
}
