//! Eight streams through the system's multiplexer, one of each class, the most urgent of them with a reader that stalls.
//!
//! The connector opens them, fills and closes them. The responder compares, grants as it goes, except on the most
//! urgent one: there it grants nothing until all the others are through. So the credit of that stream runs out, and
//! those behind it have to get past. It answers each with the count of bytes that were right, and closes it, too.

use alloc::format;
use alloc::vec::Vec;

use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::time::Duration;

use super::{Failure, Report, Role, Stage, Step, compare, fill};
use crate::os::mux::{
    AcceptedStream, MuxWireEvent, PriorityClass, SendBudgetOutcome, StreamId, StreamName, StreamState,
};
use crate::shim::mux::{MuxPort, PortError};

/// Streams.
pub const COUNT: u8 = 8;
/// Payload of a frame, in bytes.
const CHUNK: usize = 4 * 1024;

/// A stream, as one side sees it.
struct Lane {
    id: StreamId,
    priority: PriorityClass,
    /// Sent or received, by role.
    moved: usize,
    /// Received, and not granted anew.
    owed: usize,
}

impl Lane {
    fn content(&self) -> u32 {
        100 + self.id.get()
    }
}

/// One side.
pub struct Streams<S> {
    role: Role,
    port: MuxPort<S>,
    lanes: Vec<Lane>,
    /// Bytes of each stream.
    each: usize,
    pong: Pong,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pong {
    Awaited,
    Came,
}

impl<S: ReliableStream> Streams<S> {
    /// `amount` bytes over `stream`, shared out evenly.
    ///
    /// # Errors
    /// [`Failure::Mux`] if the session is none.
    pub fn new(role: Role, stream: S, amount: usize) -> Result<Self, Failure> {
        let each = amount / usize::from(COUNT);
        let pong = if role == Role::Connector { Pong::Awaited } else { Pong::Came };
        let mut streams = Self { role, port: MuxPort::new(stream), lanes: Vec::new(), each, pong };
        if role == Role::Connector {
            for class in 0..COUNT {
                streams.open(class)?;
            }
            let any = streams.lanes.first().ok_or(Failure::Unexpected)?;
            streams.port.tell(&MuxWireEvent::Ping { stream_id: any.id, priority: any.priority })?;
        }
        Ok(streams)
    }

    fn open(&mut self, class: u8) -> Result<(), Failure> {
        let id = StreamId::new(2 * u32::from(class) + 1).ok_or(Failure::Unexpected)?;
        let priority = PriorityClass::new(class).ok_or(Failure::Unexpected)?;
        let name = StreamName::new(format!("exercise/{class}")).map_err(PortError::from)?;
        self.port.open(id, priority, name)?;
        self.lanes.push(Lane { id, priority, moved: 0, owed: 0 });
        Ok(())
    }

    /// The stream below, for what comes next on it.
    pub fn into_stream(self) -> S {
        self.port.into_stream()
    }

    /// Waits until there may be something to do.
    ///
    /// # Errors
    /// See [`ReliableStream::wait`].
    pub fn wait(&mut self, span: Duration) -> Result<(), StreamError> {
        self.port.wait_for(span)
    }

    /// Does what can be done now.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn step(&mut self, report: &mut Report) -> Result<Step, Failure> {
        let mut moved = self.port.flush()?;
        if self.is_complete() {
            return Ok(Step::Passed(Stage::Streams));
        }
        match self.role {
            Role::Connector => moved += self.send(report)?,
            Role::Responder => {
                self.grant()?;
                self.answer()?;
            }
        }
        // One event at a time: behind the last of this stage comes the first of the next.
        if let Some((event, payload)) = self.port.poll()? {
            self.on_event(&event, &payload, report)?;
            moved += 1;
        }
        Ok(if moved > 0 { Step::Moved } else { Step::Idle })
    }

    /// All is said on both sides, and has left.
    fn is_complete(&self) -> bool {
        let closed = |lane: &Lane| self.port.state(lane.id) == Some(StreamState::Closed);
        let all = self.lanes.len() == usize::from(COUNT) && self.lanes.iter().all(closed);
        all && self.pong == Pong::Came && self.port.unsent() == 0
    }

    /// A frame on each stream that has something left, the most urgent first.
    fn send(&mut self, report: &mut Report) -> Result<usize, Failure> {
        let mut sent = 0;
        let mut buf = [0; CHUNK];
        for lane in &mut self.lanes {
            let left = self.each - lane.moved;
            let part = buf.get_mut(..left.min(CHUNK)).unwrap_or_default();
            if part.is_empty() {
                continue;
            }
            fill(part, lane.content(), lane.moved);
            match self.port.send(lane.id, lane.priority, part) {
                Ok(SendBudgetOutcome::Sent { .. }) => {
                    lane.moved += part.len();
                    sent += part.len();
                    report.bytes += part.len() as u64;
                    if lane.moved == self.each {
                        self.port.close(lane.id, lane.priority)?;
                    }
                }
                Ok(SendBudgetOutcome::WouldBlock { .. }) => report.blocked_by_credit += 1,
                Err(PortError::Busy) => {
                    report.blocked_by_link += 1;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sent)
    }

    fn on_event(&mut self, event: &MuxWireEvent, payload: &[u8], report: &mut Report) -> Result<(), Failure> {
        if let Some(AcceptedStream { stream_id, priority, .. }) = self.port.accept() {
            self.lanes.push(Lane { id: stream_id, priority, moved: 0, owed: 0 });
        }
        match (self.role, event) {
            (Role::Responder, MuxWireEvent::Data { stream_id, .. }) => {
                let lane = self.lanes.iter_mut().find(|lane| lane.id == *stream_id);
                let lane = lane.ok_or(Failure::Unexpected)?;
                compare(payload, lane.content(), lane.moved)?;
                lane.moved += payload.len();
                lane.owed += payload.len();
                report.bytes += payload.len() as u64;
                Ok(())
            }
            (Role::Connector, MuxWireEvent::Data { .. }) => {
                let right = payload == (self.each as u64).to_le_bytes();
                if right { Ok(()) } else { Err(Failure::Verdict) }
            }
            (Role::Connector, MuxWireEvent::Pong { .. }) => {
                self.pong = Pong::Came;
                Ok(())
            }
            (_, MuxWireEvent::Rst { .. }) => Err(Failure::Unexpected),
            _ => Ok(()),
        }
    }

    /// Grants what was consumed, on the most urgent stream only once the connector has closed all others.
    fn grant(&mut self) -> Result<(), Failure> {
        let through =
            self.lanes.iter().filter(|lane| self.port.state(lane.id) != Some(StreamState::Open)).count();
        for lane in self.lanes.iter_mut().filter(|lane| lane.owed > 0) {
            let stalled = lane.priority.get() == 0 && through + 1 < usize::from(COUNT);
            if stalled || self.port.state(lane.id) != Some(StreamState::Open) {
                continue;
            }
            let delta = i64::try_from(lane.owed).map_err(|_| Failure::Unexpected)?;
            let (stream_id, priority) = (lane.id, lane.priority);
            match self.port.tell(&MuxWireEvent::WindowUpdate { stream_id, priority, delta }) {
                Ok(()) => lane.owed = 0,
                Err(PortError::Busy) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tells the connector of each stream that it has closed how much of it was right, and closes it, too.
    fn answer(&mut self) -> Result<(), Failure> {
        for Lane { id, priority, moved, .. } in &self.lanes {
            if self.port.state(*id) == Some(StreamState::HalfClosedRemote) {
                match self.port.send(*id, *priority, &(*moved as u64).to_le_bytes()) {
                    Ok(SendBudgetOutcome::Sent { .. }) => self.port.close(*id, *priority)?,
                    Ok(SendBudgetOutcome::WouldBlock { .. }) => return Err(Failure::Unexpected),
                    Err(PortError::Busy) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}
