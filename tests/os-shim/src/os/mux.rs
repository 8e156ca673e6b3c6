//! The shape of the system's multiplexer: events in, events out, and not one byte of payload.
//!
//! What it does with an event is what the system's does, including what that leaves to its surroundings: it grants no
//! credit by itself, counts what was sent and received on a stream without ever counting down, and keeps every stream
//! and name for as long as the session lasts. `docs/integrating.md` says what follows from that.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Streams of a session.
pub const MAX_STREAM_COUNT: usize = 128;
/// Payload of one frame, in bytes.
pub const MAX_FRAME_PAYLOAD_BYTES: usize = 32 * 1024;
/// Bytes counted for one stream.
pub const MAX_BUFFERED_BYTES_PER_STREAM: usize = 256 * 1024;
/// Credit that a stream begins with: no event carries it.
pub const DEFAULT_INITIAL_STREAM_CREDIT: u32 = 64 * 1024;

/// A payload is too long.
pub const REJECT_FRAME_OVERSIZE: &str = "mux.reject.frame_oversize";
/// The state of the stream does not allow it.
pub const REJECT_INVALID_STREAM_STATE_TRANSITION: &str = "mux.reject.invalid_stream_state_transition";
/// Credit or bytes beyond what can be counted.
pub const REJECT_WINDOW_CREDIT_OVERFLOW_OR_UNDERFLOW: &str = "mux.reject.window_credit_overflow_or_underflow";
/// There is no such stream.
pub const REJECT_UNKNOWN_STREAM_FRAME: &str = "mux.reject.unknown_stream_frame";
/// Nobody knows who the peer is.
pub const REJECT_UNAUTHENTICATED_SESSION: &str = "mux.reject.unauthenticated_session";
/// Too many streams.
pub const REJECT_STREAM_LIMIT_EXCEEDED: &str = "mux.reject.stream_limit_exceeded";
/// The name is taken.
pub const REJECT_DUPLICATE_STREAM_NAME: &str = "mux.reject.duplicate_stream_name";
/// The name is none.
pub const REJECT_INVALID_STREAM_NAME: &str = "mux.reject.invalid_stream_name";

/// Which stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(u32);

impl StreamId {
    /// Any number but 0.
    #[must_use]
    pub const fn new(raw: u32) -> Option<Self> {
        if raw == 0 { None } else { Some(Self(raw)) }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How urgent: 0, the most, to 7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PriorityClass(u8);

impl PriorityClass {
    /// The class `raw`.
    #[must_use]
    pub const fn new(raw: u8) -> Option<Self> {
        if raw <= 7 { Some(Self(raw)) } else { None }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What a stream is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StreamName(String);

impl StreamName {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = 64;

    /// The name `raw`.
    ///
    /// # Errors
    /// [`REJECT_INVALID_STREAM_NAME`].
    pub fn new(raw: impl Into<String>) -> Result<Self, MuxReject> {
        let name = raw.into();
        let legal = (1..=Self::MAX_LEN).contains(&name.len());
        if legal { Ok(Self(name)) } else { Err(MuxReject::new(REJECT_INVALID_STREAM_NAME)) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes that may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowCredit(u32);

impl WindowCredit {
    /// `raw` bytes.
    #[must_use]
    pub const fn new(raw: u32) -> Self {
        Self(raw)
    }

    /// As a number.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    fn changed_by(self, delta: i64) -> Result<Self, MuxReject> {
        let changed = i64::from(self.0).checked_add(delta).and_then(|bytes| u32::try_from(bytes).ok());
        changed.map(Self).ok_or(MuxReject::new(REJECT_WINDOW_CREDIT_OVERFLOW_OR_UNDERFLOW))
    }
}

/// A violation, by its label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MuxReject {
    label: &'static str,
}

impl MuxReject {
    const fn new(label: &'static str) -> Self {
        Self { label }
    }

    /// The label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.label
    }
}

impl fmt::Display for MuxReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label)
    }
}

/// How far a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamState {
    /// Both directions go on.
    Open,
    /// Ours has ended.
    HalfClosedLocal,
    /// The peer's has ended.
    HalfClosedRemote,
    /// Both have.
    Closed,
    /// It was given up.
    Reset,
}

/// What became of data to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendBudgetOutcome {
    /// Its event is among the outbound ones.
    Sent {
        /// What is left.
        remaining_credit: WindowCredit,
    },
    /// Nothing.
    WouldBlock {
        /// What is left.
        remaining_credit: WindowCredit,
    },
}

/// Everything that one side tells the other.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of all eight are the same, and named for what they are")]
pub enum MuxWireEvent {
    /// A stream begins.
    Open { stream_id: StreamId, priority: PriorityClass, name: StreamName },
    /// It is accepted.
    OpenAck { stream_id: StreamId, priority: PriorityClass },
    /// Bytes of it, which are elsewhere.
    Data { stream_id: StreamId, priority: PriorityClass, payload_len: usize },
    /// The other side may send more, or less.
    WindowUpdate { stream_id: StreamId, priority: PriorityClass, delta: i64 },
    /// It is given up.
    Rst { stream_id: StreamId, priority: PriorityClass },
    /// One direction has ended.
    Close { stream_id: StreamId, priority: PriorityClass },
    /// Is anybody there?
    Ping { stream_id: StreamId, priority: PriorityClass },
    /// Yes.
    Pong { stream_id: StreamId, priority: PriorityClass },
}

/// A stream that the peer has opened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "named for what they are")]
pub struct AcceptedStream {
    pub stream_id: StreamId,
    pub priority: PriorityClass,
    pub name: StreamName,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Authentication {
    Done,
    Missing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Acknowledgement {
    Awaited,
    Came,
}

#[derive(Debug)]
struct Stream {
    state: StreamState,
    acknowledgement: Acknowledgement,
    credit: WindowCredit,
    buffered: usize,
}

impl Stream {
    /// The count after `len` more bytes, if the bound allows it.
    fn counting(&self, len: usize) -> Option<usize> {
        self.buffered.checked_add(len).filter(|bytes| *bytes <= MAX_BUFFERED_BYTES_PER_STREAM)
    }
}

/// One side of a session.
#[derive(Debug)]
pub struct MuxHostEndpoint {
    authentication: Authentication,
    streams: BTreeMap<StreamId, Stream>,
    names: BTreeMap<StreamName, StreamId>,
    outbound: VecDeque<MuxWireEvent>,
    accepted: VecDeque<AcceptedStream>,
}

impl MuxHostEndpoint {
    /// A session with a peer that is known.
    #[must_use]
    pub const fn new_authenticated() -> Self {
        Self::new(Authentication::Done)
    }

    /// A session with anybody, which does nothing but reject.
    #[must_use]
    pub const fn new_unauthenticated() -> Self {
        Self::new(Authentication::Missing)
    }

    const fn new(authentication: Authentication) -> Self {
        Self {
            authentication,
            streams: BTreeMap::new(),
            names: BTreeMap::new(),
            outbound: VecDeque::new(),
            accepted: VecDeque::new(),
        }
    }

    /// Opens a stream under an id of the caller's choice.
    ///
    /// # Errors
    /// [`MuxReject`].
    pub fn open_stream(
        &mut self,
        stream_id: StreamId,
        priority: PriorityClass,
        name: StreamName,
        initial_credit: WindowCredit,
    ) -> Result<(), MuxReject> {
        self.insert(stream_id, name.clone(), initial_credit)?;
        self.outbound.push_back(MuxWireEvent::Open { stream_id, priority, name });
        Ok(())
    }

    /// Wants to send `payload_len` bytes.
    ///
    /// # Errors
    /// [`MuxReject`].
    pub fn send_data(
        &mut self,
        stream_id: StreamId,
        priority: PriorityClass,
        payload_len: usize,
    ) -> Result<SendBudgetOutcome, MuxReject> {
        self.check_authentication()?;
        check_len(payload_len)?;
        let stream = self.stream(stream_id)?;
        if !matches!(stream.state, StreamState::Open | StreamState::HalfClosedRemote) {
            return Err(MuxReject::new(REJECT_INVALID_STREAM_STATE_TRANSITION));
        }
        let left = u32::try_from(payload_len).ok().and_then(|len| stream.credit.0.checked_sub(len));
        let (Some(left), Some(buffered)) = (left, stream.counting(payload_len)) else {
            return Ok(SendBudgetOutcome::WouldBlock { remaining_credit: stream.credit });
        };
        (stream.credit, stream.buffered) = (WindowCredit(left), buffered);
        self.outbound.push_back(MuxWireEvent::Data { stream_id, priority, payload_len });
        Ok(SendBudgetOutcome::Sent { remaining_credit: WindowCredit(left) })
    }

    /// Ends our direction.
    ///
    /// # Errors
    /// [`MuxReject`].
    pub fn close_stream(
        &mut self,
        stream_id: StreamId,
        priority: PriorityClass,
    ) -> Result<StreamState, MuxReject> {
        let state = self.after(stream_id, &[StreamState::Open, StreamState::HalfClosedRemote], |state| {
            if state == StreamState::Open { StreamState::HalfClosedLocal } else { StreamState::Closed }
        })?;
        self.outbound.push_back(MuxWireEvent::Close { stream_id, priority });
        Ok(state)
    }

    /// Gives a stream up.
    ///
    /// # Errors
    /// [`MuxReject`].
    pub fn reset_stream(
        &mut self,
        stream_id: StreamId,
        priority: PriorityClass,
    ) -> Result<StreamState, MuxReject> {
        let state = self.reset(stream_id)?;
        self.outbound.push_back(MuxWireEvent::Rst { stream_id, priority });
        Ok(state)
    }

    /// The next stream that the peer has opened.
    pub fn accept_stream(&mut self) -> Option<AcceptedStream> {
        self.accepted.pop_front()
    }

    /// What the peer is to be told, in order.
    pub fn drain_outbound(&mut self) -> Vec<MuxWireEvent> {
        self.outbound.drain(..).collect()
    }

    /// The peer has told something.
    ///
    /// # Errors
    /// [`MuxReject`].
    pub fn ingest(&mut self, event: MuxWireEvent) -> Result<(), MuxReject> {
        match event {
            MuxWireEvent::Open { stream_id, priority, name } => {
                self.insert(stream_id, name.clone(), WindowCredit(DEFAULT_INITIAL_STREAM_CREDIT))?;
                self.accepted.push_back(AcceptedStream { stream_id, priority, name });
                self.outbound.push_back(MuxWireEvent::OpenAck { stream_id, priority });
            }
            // Of a peer that is nobody, nothing more is looked at.
            _ if self.authentication == Authentication::Missing => self.check_authentication()?,
            MuxWireEvent::OpenAck { stream_id, .. } => {
                let illegal = MuxReject::new(REJECT_INVALID_STREAM_STATE_TRANSITION);
                let stream = self.stream(stream_id).map_err(|_| illegal)?;
                if stream.acknowledgement == Acknowledgement::Came || stream.state != StreamState::Open {
                    return Err(illegal);
                }
                stream.acknowledgement = Acknowledgement::Came;
            }
            MuxWireEvent::Data { stream_id, payload_len, .. } => {
                check_len(payload_len)?;
                let stream = self.stream(stream_id)?;
                if !matches!(stream.state, StreamState::Open | StreamState::HalfClosedLocal) {
                    return Err(MuxReject::new(REJECT_INVALID_STREAM_STATE_TRANSITION));
                }
                let reject = MuxReject::new(REJECT_WINDOW_CREDIT_OVERFLOW_OR_UNDERFLOW);
                stream.buffered = stream.counting(payload_len).ok_or(reject)?;
            }
            MuxWireEvent::WindowUpdate { stream_id, delta, .. } => {
                let stream = self.stream(stream_id)?;
                stream.credit = stream.credit.changed_by(delta)?;
            }
            MuxWireEvent::Rst { stream_id, .. } => drop(self.reset(stream_id)?),
            MuxWireEvent::Close { stream_id, .. } => {
                self.after(stream_id, &[StreamState::Open, StreamState::HalfClosedLocal], |state| {
                    if state == StreamState::Open {
                        StreamState::HalfClosedRemote
                    } else {
                        StreamState::Closed
                    }
                })?;
            }
            MuxWireEvent::Ping { stream_id, priority } => {
                self.outbound.push_back(MuxWireEvent::Pong { stream_id, priority });
            }
            MuxWireEvent::Pong { .. } => {}
        }
        Ok(())
    }

    /// The state of a stream.
    #[must_use]
    pub fn stream_state(&self, stream_id: StreamId) -> Option<StreamState> {
        self.streams.get(&stream_id).map(|stream| stream.state)
    }

    /// Bytes counted for a stream.
    #[must_use]
    pub fn buffered_bytes(&self, stream_id: StreamId) -> Option<usize> {
        self.streams.get(&stream_id).map(|stream| stream.buffered)
    }

    fn insert(&mut self, id: StreamId, name: StreamName, credit: WindowCredit) -> Result<(), MuxReject> {
        if self.names.contains_key(&name) {
            return Err(MuxReject::new(REJECT_DUPLICATE_STREAM_NAME));
        }
        self.check_authentication()?;
        if self.streams.len() >= MAX_STREAM_COUNT {
            return Err(MuxReject::new(REJECT_STREAM_LIMIT_EXCEEDED));
        }
        if self.streams.contains_key(&id) {
            return Err(MuxReject::new(REJECT_INVALID_STREAM_STATE_TRANSITION));
        }
        let (state, acknowledgement) = (StreamState::Open, Acknowledgement::Awaited);
        self.streams.insert(id, Stream { state, acknowledgement, credit, buffered: 0 });
        self.names.insert(name, id);
        Ok(())
    }

    fn check_authentication(&self) -> Result<(), MuxReject> {
        match self.authentication {
            Authentication::Done => Ok(()),
            Authentication::Missing => Err(MuxReject::new(REJECT_UNAUTHENTICATED_SESSION)),
        }
    }

    fn stream(&mut self, id: StreamId) -> Result<&mut Stream, MuxReject> {
        self.check_authentication()?;
        self.streams.get_mut(&id).ok_or(MuxReject::new(REJECT_UNKNOWN_STREAM_FRAME))
    }

    fn reset(&mut self, id: StreamId) -> Result<StreamState, MuxReject> {
        use StreamState::{HalfClosedLocal, HalfClosedRemote, Open, Reset};
        self.after(id, &[Open, HalfClosedLocal, HalfClosedRemote, Reset], |_| Reset)
    }

    fn after(
        &mut self,
        id: StreamId,
        from: &[StreamState],
        to: impl FnOnce(StreamState) -> StreamState,
    ) -> Result<StreamState, MuxReject> {
        let stream = self.stream(id)?;
        if !from.contains(&stream.state) {
            return Err(MuxReject::new(REJECT_INVALID_STREAM_STATE_TRANSITION));
        }
        stream.state = to(stream.state);
        Ok(stream.state)
    }
}

fn check_len(payload_len: usize) -> Result<(), MuxReject> {
    let legal = payload_len <= MAX_FRAME_PAYLOAD_BYTES;
    if legal { Ok(()) } else { Err(MuxReject::new(REJECT_FRAME_OVERSIZE)) }
}
