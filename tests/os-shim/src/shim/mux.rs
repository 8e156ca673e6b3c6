//! The system's multiplexer on a stream of ours: its events as frames, with the payload that it does not hold.
//!
//! 1. Whatever the application asks of the multiplexer, the events that follow are encoded at once, the payload behind
//!    the head of its DATA: since it is asked for one thing at a time, there is never a doubt whose payload it is.
//! 2. What comes is decoded, told to the multiplexer, and handed on, with its payload.
//! 3. Credit is the application's to grant, when it has consumed: the multiplexer never does.
//!
//! What is encoded and not sent is bounded: beyond [`OUTBOX_MAX`] nothing more is taken of the application, and PING
//! is not answered. Reading goes on all the same: if both sides waited for the other to read, both would wait forever.

use alloc::vec::Vec;

use nexus_net_adapter::mux::frame::{self, About, Frame, HEAD_MAX};
use nexus_net_adapter::mux::pump::{BATCH_MIN, LOW_WATER};
use nexus_net_adapter::mux::{self as ours, ResetCode};
use nexus_net_adapter::stream::{Interest, ReliableStream, StreamError};
use udp_sec::time::{Duration, Instant};

use crate::os::mux::{
    AcceptedStream, DEFAULT_INITIAL_STREAM_CREDIT, MuxHostEndpoint, MuxReject, MuxWireEvent, PriorityClass,
    SendBudgetOutcome, StreamId, StreamName, StreamState, WindowCredit,
};

/// Encoded bytes beyond which nothing is added but what has to be: answers to OPEN, and the ends of streams, of which
/// there are only so many. One frame may cross it.
pub const OUTBOX_MAX: usize = 8 * 1024;

/// Why a call did nothing, or what ended the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortError {
    /// The link is the limit: poll, and try again.
    Busy,
    /// A violation, by its label: of our caller, or, where it came of polling, of the peer.
    Reject(&'static str),
    /// The stream below.
    Stream(StreamError),
    /// The peer has finished the stream below.
    Finished,
}

impl From<MuxReject> for PortError {
    fn from(reject: MuxReject) -> Self {
        Self::Reject(reject.label())
    }
}

impl From<ours::MuxReject> for PortError {
    fn from(reject: ours::MuxReject) -> Self {
        Self::Reject(reject.label())
    }
}

/// One side of a session.
#[derive(Debug)]
pub struct MuxPort<S> {
    stream: S,
    mux: MuxHostEndpoint,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

impl<S: ReliableStream> MuxPort<S> {
    /// Begins a session on `stream`. If nobody has proven who the peer is, the multiplexer will reject everything.
    pub fn new(mut stream: S) -> Self {
        stream.set_low_water(LOW_WATER);
        let mux = match stream.peer() {
            Some(_) => MuxHostEndpoint::new_authenticated(),
            None => MuxHostEndpoint::new_unauthenticated(),
        };
        Self { stream, mux, inbox: Vec::new(), outbox: Vec::new() }
    }

    /// See [`MuxHostEndpoint::open_stream`]. Odd ids are the session's initiator's
    /// to take, even ones the responder's: so two sides that open at once never take the same.
    ///
    /// # Errors
    /// [`PortError::Reject`].
    pub fn open(&mut self, id: StreamId, priority: PriorityClass, name: StreamName) -> Result<(), PortError> {
        // Until the answer says how much the peer can take.
        self.mux.open_stream(id, priority, name, WindowCredit::new(0))?;
        self.encode_outbound(&[])
    }

    /// See [`MuxHostEndpoint::accept_stream`].
    pub fn accept(&mut self) -> Option<AcceptedStream> {
        self.mux.accept_stream()
    }

    /// Sends `payload` as one frame, whole or not at all.
    ///
    /// # Errors
    /// [`PortError::Busy`] while the link is the limit, [`PortError::Reject`]. Without credit it is `Ok`, and
    /// [`SendBudgetOutcome::WouldBlock`].
    pub fn send(
        &mut self,
        id: StreamId,
        priority: PriorityClass,
        payload: &[u8],
    ) -> Result<SendBudgetOutcome, PortError> {
        self.check_room()?;
        let outcome = self.mux.send_data(id, priority, payload.len())?;
        self.encode_outbound(payload)?;
        Ok(outcome)
    }

    /// See [`MuxHostEndpoint::close_stream`].
    ///
    /// # Errors
    /// [`PortError::Reject`].
    pub fn close(&mut self, id: StreamId, priority: PriorityClass) -> Result<(), PortError> {
        self.mux.close_stream(id, priority)?;
        self.encode_outbound(&[])
    }

    /// See [`MuxHostEndpoint::reset_stream`].
    ///
    /// # Errors
    /// [`PortError::Reject`].
    pub fn reset(&mut self, id: StreamId, priority: PriorityClass) -> Result<(), PortError> {
        self.mux.reset_stream(id, priority)?;
        self.encode_outbound(&[])
    }

    /// See [`MuxHostEndpoint::stream_state`].
    #[must_use]
    pub fn state(&self, id: StreamId) -> Option<StreamState> {
        self.mux.stream_state(id)
    }

    /// Tells the peer what the multiplexer has no call for: that `payload_len` bytes were consumed
    /// ([`MuxWireEvent::WindowUpdate`]), or that a sign of life is wanted ([`MuxWireEvent::Ping`]).
    ///
    /// # Errors
    /// [`PortError::Busy`], and then the next grant can cover this one, too; [`PortError::Reject`] for what cannot be
    /// said.
    pub fn tell(&mut self, event: &MuxWireEvent) -> Result<(), PortError> {
        self.check_room()?;
        self.encode(event, &[])
    }

    /// Sends what can be sent, and takes the next event that has come, with its payload.
    ///
    /// # Errors
    /// Whatever ends the session: a violation of the peer's, or the end of the stream below.
    pub fn poll(&mut self) -> Result<Option<(MuxWireEvent, Vec<u8>)>, PortError> {
        self.flush()?;
        let mut chunk = [0; 2048];
        loop {
            if let Some((event, granted, payload)) = self.decode()? {
                self.mux.ingest(event.clone())?;
                granted.map_or(Ok(()), |granted| self.mux.ingest(granted))?;
                self.encode_outbound(&[])?;
                return Ok(Some((event, payload)));
            }
            match self.stream.read(&mut chunk, Instant::ZERO) {
                Ok(0) => return Err(PortError::Finished),
                Ok(len) => self.inbox.extend(chunk.iter().take(len)),
                Err(StreamError::WouldBlock | StreamError::TimedOut) => return Ok(None),
                Err(error) => return Err(PortError::Stream(error)),
            }
        }
    }

    /// Sends what the stream below takes, and returns how many bytes. Above the low-water mark nothing is handed to
    /// it: what it holds, no priority can overtake. It is asked by waiting for no time at all, which moves it on; a look
    /// at its unsent bytes would not.
    ///
    /// # Errors
    /// [`PortError::Stream`].
    pub fn flush(&mut self) -> Result<usize, PortError> {
        let mut sent = 0;
        while !self.outbox.is_empty() && self.stream.wait(Interest::LowWater, Instant::ZERO).is_ok() {
            let batch = self.outbox.get(..BATCH_MIN).unwrap_or(&self.outbox);
            match self.stream.write(batch, Instant::ZERO) {
                Ok(len) => {
                    sent += len;
                    self.outbox.drain(..len);
                }
                Err(StreamError::WouldBlock | StreamError::TimedOut) => break,
                Err(error) => return Err(PortError::Stream(error)),
            }
        }
        Ok(sent)
    }

    /// Encoded bytes that wait to be sent.
    #[must_use]
    pub const fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// Waits until polling may do something, for at most `span` of the stream's time.
    ///
    /// # Errors
    /// See [`ReliableStream::wait`].
    pub fn wait_for(&mut self, span: Duration) -> Result<(), StreamError> {
        let interest = if self.outbox.is_empty() { Interest::Readable } else { Interest::Either };
        self.stream.wait(interest, self.stream.now() + span)
    }

    /// The stream below, for what comes behind this session on it: nothing that came is lost if all was polled.
    pub fn into_stream(self) -> S {
        self.stream
    }

    fn check_room(&self) -> Result<(), PortError> {
        if self.outbox.len() < OUTBOX_MAX { Ok(()) } else { Err(PortError::Busy) }
    }

    fn encode_outbound(&mut self, payload: &[u8]) -> Result<(), PortError> {
        for event in self.mux.drain_outbound() {
            // Who asks more often than it listens is not owed an answer each time.
            if !matches!(event, MuxWireEvent::Pong { .. }) || self.check_room().is_ok() {
                self.encode(&event, payload)?;
            }
        }
        Ok(())
    }

    fn encode(&mut self, event: &MuxWireEvent, payload: &[u8]) -> Result<(), PortError> {
        let (frame, mut head) = (to_wire(event)?, [0; HEAD_MAX]);
        let len = frame.encode(&mut head)?.unwrap_or_default();
        self.outbox.extend(head.iter().take(len));
        if let Frame::Data { .. } = frame {
            self.outbox.extend(payload);
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<Option<Incoming>, PortError> {
        let Some((frame, head)) = frame::decode(&self.inbox)? else { return Ok(None) };
        let body = if let Frame::Data { len, .. } = frame { len } else { 0 };
        let Some(payload) = self.inbox.get(head..head + body).map(<[u8]>::to_vec) else { return Ok(None) };
        self.inbox.drain(..head + body);
        let (event, granted) = from_wire(&frame)?;
        Ok(Some((event, granted, payload)))
    }
}

/// An event, a second one with the credit that comes with it, and the payload of DATA.
type Incoming = (MuxWireEvent, Option<MuxWireEvent>, Vec<u8>);

/// The frame that says `event`.
///
/// # Errors
/// [`ours::MuxReject::WindowCreditOverflowOrUnderflow`] for a delta that no frame can carry.
pub fn to_wire(event: &MuxWireEvent) -> Result<Frame, ours::MuxReject> {
    let about = |stream: &StreamId, priority: &PriorityClass| {
        let unknown = ours::MuxReject::UnknownStreamFrame;
        let stream = ours::StreamId::new(stream.get()).ok_or(unknown)?;
        Ok(About { stream, priority: ours::PriorityClass::new(priority.get()).ok_or(unknown)? })
    };
    let credit = ours::WindowCredit::new(DEFAULT_INITIAL_STREAM_CREDIT);
    Ok(match event {
        MuxWireEvent::Open { stream_id, priority, name } => {
            let name = ours::StreamName::new(name.as_str())?;
            Frame::Open { about: about(stream_id, priority)?, credit, name }
        }
        MuxWireEvent::OpenAck { stream_id, priority } => {
            Frame::OpenAck { about: about(stream_id, priority)?, credit }
        }
        MuxWireEvent::Data { stream_id, priority, payload_len } => {
            Frame::Data { about: about(stream_id, priority)?, len: *payload_len }
        }
        MuxWireEvent::WindowUpdate { stream_id, priority, delta } => {
            let delta = ours::WindowCredit::NONE.changed_by(*delta)?;
            Frame::WindowUpdate { about: about(stream_id, priority)?, delta }
        }
        MuxWireEvent::Rst { stream_id, priority } => {
            Frame::Rst { about: about(stream_id, priority)?, code: ResetCode::CANCELLED }
        }
        MuxWireEvent::Close { stream_id, priority } => Frame::Close(about(stream_id, priority)?),
        MuxWireEvent::Ping { stream_id, priority } => Frame::Ping(about(stream_id, priority)?),
        MuxWireEvent::Pong { stream_id, priority } => Frame::Pong(about(stream_id, priority)?),
    })
}

/// The event that `frame` says, and a second one where it grants a credit that the first does not: OPEN implies
/// 65 536 there, and OPEN_ACK nothing, for our side opens without any.
///
/// # Errors
/// None for a frame that was decoded: whatever it is about, the system has a type for.
pub fn from_wire(frame: &Frame) -> Result<(MuxWireEvent, Option<MuxWireEvent>), PortError> {
    let About { stream, priority } = frame.about();
    let unknown = PortError::from(ours::MuxReject::UnknownStreamFrame);
    let stream_id = StreamId::new(stream.get()).ok_or(unknown)?;
    let priority = PriorityClass::new(priority.get()).ok_or(unknown)?;
    let granted = |credit: ours::WindowCredit, implied: u32| {
        let delta = i64::from(credit.get()) - i64::from(implied);
        (delta != 0).then_some(MuxWireEvent::WindowUpdate { stream_id, priority, delta })
    };
    Ok(match frame {
        Frame::Open { credit, name, .. } => {
            let name = StreamName::new(name.as_str())?;
            (
                MuxWireEvent::Open { stream_id, priority, name },
                granted(*credit, DEFAULT_INITIAL_STREAM_CREDIT),
            )
        }
        Frame::OpenAck { credit, .. } => (MuxWireEvent::OpenAck { stream_id, priority }, granted(*credit, 0)),
        Frame::Data { len, .. } => (MuxWireEvent::Data { stream_id, priority, payload_len: *len }, None),
        Frame::WindowUpdate { delta, .. } => {
            (MuxWireEvent::WindowUpdate { stream_id, priority, delta: delta.get().into() }, None)
        }
        Frame::Rst { .. } => (MuxWireEvent::Rst { stream_id, priority }, None),
        Frame::Close(_) => (MuxWireEvent::Close { stream_id, priority }, None),
        Frame::Ping(_) => (MuxWireEvent::Ping { stream_id, priority }, None),
        Frame::Pong(_) => (MuxWireEvent::Pong { stream_id, priority }, None),
    })
}
