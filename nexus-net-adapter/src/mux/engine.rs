//! The engine: bytes of frames in, bytes of frames out, ticks in; and in between, streams. No I/O, no clock, no
//! allocation.
//!
//! ```text
//!  receive ──► ingress ──► streams ──► peek, read, poll_event      the application
//! transmit ◄── egress  ◄── streams ◄── open, write, close, reset
//!     tick ──► keepalive
//! ```
//! Every change of a stream, from whichever side, ends in `refresh`, which works out anew what follows from its
//! state: whether it has a turn to wait for, control frames to send, something to tell, or a place to give back.

mod egress;
mod error;
mod ingress;

use heapless::{Deque, Vec};

use super::credit::ReceiveCredit;
use super::frame::{About, HEAD_MAX};
use super::id::{PriorityClass, ResetCode, Side, StreamId, StreamName, WindowCredit};
use super::ids::UsedIds;
use super::keepalive::{Keepalive, Verdict};
use super::limits::{BUFFERED_MAX, INITIAL_CREDIT_MAX, STREAMS_MAX};
use super::reject::MuxReject;
use super::ring::{Ring, copy};
use super::scheduler::{Scheduler, next_set};
use super::slot::{Closing, Note, Notes, Opening, Reader, Stream, Writer};
use super::stream::{StreamState, Transition};
use super::table::Table;
use crate::stream::PeerIdentity;

pub use error::{End, MuxError};

/// Something that happened to a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The peer opened it; it is accepted already. [`reset`](Engine::reset) it if it is not wanted.
    Opened {
        /// The stream.
        stream: StreamId,
        /// The class that the peer wants it to travel in.
        priority: PriorityClass,
        /// What it is for.
        name: StreamName,
    },
    /// The peer accepted it.
    Accepted(StreamId),
    /// Bytes, or the end, can be read.
    Readable(StreamId),
    /// There is room again, after [`MuxError::WouldBlock`].
    Writable(StreamId),
    /// It was given up by the peer, or the session ended before it did.
    Reset(StreamId, ResetCode),
}

/// One side of a mux session with up to `STREAMS` streams at once, of which each may have `BYTES` bytes buffered:
/// three quarters for what it receives, one quarter for what it sends. A stream begins with `CREDIT` bytes of
/// credit. The contract's values are the defaults, and the most that compiles.
///
/// `memory` is lent, `BYTES` for each stream, in whatever holds it: an array, a `Vec`, a borrowed slice. With less of
/// it there are fewer streams. So all that a session can ever hold is `STREAMS` × `BYTES` + the size of this struct;
/// memory of streams that are never opened is never touched.
///
/// # Capacities above the contract's do not compile
/// ```compile_fail
/// # use nexus_net_adapter::{mux::{Engine, Side}, stream::PeerIdentity};
/// # use udp_sec::keys::PublicKey;
/// # let peer = PeerIdentity::unproven_for_tests(PublicKey::from_bytes([7; 32]));
/// let memory = vec![0; 129 * 4096];
/// Engine::<_, 129, 4096, 1024>::new(Side::Initiator, peer, memory);
/// ```
#[derive(Debug)]
pub struct Engine<
    M,
    const STREAMS: usize = STREAMS_MAX,
    const BYTES: usize = BUFFERED_MAX,
    const CREDIT: u32 = INITIAL_CREDIT_MAX,
> {
    side: Side,
    peer: PeerIdentity,
    memory: M,
    table: Table<STREAMS>,
    used: UsedIds,
    scheduler: Scheduler,
    /// Streams with control frames to send, first come first served.
    control: Deque<u8, STREAMS>,
    /// Streams of the peer's that there was no room for. As many as it may open before it is told so.
    refused: Deque<About, STREAMS_MAX>,
    ping: Option<About>,
    pong: Option<About>,
    keepalive: Keepalive,
    /// The beginning of a head that has not come whole.
    head: Vec<u8, HEAD_MAX>,
    /// The DATA frame whose payload is coming.
    payload: Option<ingress::Payload>,
    /// Streams with something to tell, one bit each, and the one that had its turn last.
    noted: u128,
    last_told: u8,
    end: Option<End>,
}

impl<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32> Engine<M, STREAMS, BYTES, CREDIT>
where
    M: AsRef<[u8]> + AsMut<[u8]>,
{
    /// The part of a stream's memory that is for receiving, in bytes.
    pub const WINDOW: usize = BYTES / 4 * 3;

    /// What the capacities leave of what they may be. One that is too large makes this fail to compile.
    const SPARE: [usize; 3] =
        [STREAMS_MAX - STREAMS, BUFFERED_MAX - BYTES, Self::CREDIT_LARGEST - CREDIT as usize];

    const CREDIT_LARGEST: usize = {
        let contract = INITIAL_CREDIT_MAX as usize;
        if Self::WINDOW < contract { Self::WINDOW } else { contract }
    };

    /// An engine for a session with `peer`, whom the stream below has authenticated.
    pub fn new(side: Side, peer: PeerIdentity, memory: M) -> Self {
        // Said here so that it is worked out, for these capacities.
        let [_, _, _] = Self::SPARE;
        let places = memory.as_ref().len().checked_div(BYTES).unwrap_or(0);
        Self {
            side,
            peer,
            memory,
            table: Table::new(places),
            used: UsedIds::default(),
            scheduler: Scheduler::new(),
            control: Deque::new(),
            refused: Deque::new(),
            ping: None,
            pong: None,
            keepalive: Keepalive::new(),
            head: Vec::new(),
            payload: None,
            noted: 0,
            last_told: 0,
            end: None,
        }
    }

    /// Whom the session is with.
    #[must_use]
    pub const fn peer(&self) -> PeerIdentity {
        self.peer
    }

    /// Which side this is.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Why the session ended, once it has.
    #[must_use]
    pub const fn ended(&self) -> Option<End> {
        self.end
    }

    /// Streams that have a place: open ones, and those whose end the application has not seen.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.table.live()
    }

    /// The state of `stream`; `None` if it was never opened, or has been over for long. After the end of the
    /// session, whatever was not complete is reset.
    #[must_use]
    pub fn state(&self, stream: StreamId) -> Option<StreamState> {
        let stream = self.table.get(self.table.find(stream)?)?;
        let lost = self.end.is_some() && !stream.is_over_on_the_wire();
        Some(if lost { StreamState::Reset } else { stream.state })
    }

    /// What may be sent on `stream` before the peer grants more.
    #[must_use]
    pub fn credit(&self, stream: StreamId) -> Option<WindowCredit> {
        Some(self.table.get(self.table.find(stream)?)?.send_credit)
    }

    /// Bytes buffered for `stream`, both directions together: at most `BYTES`.
    #[must_use]
    pub fn buffered(&self, stream: StreamId) -> Option<usize> {
        let stream = self.table.get(self.table.find(stream)?)?;
        Some(stream.inbound.len().saturating_add(stream.outbound.len()))
    }

    /// Bytes that [`write`](Self::write) on `stream` would take now, for what has to be taken whole or not at all.
    #[must_use]
    pub fn room(&self, stream: StreamId) -> Option<usize> {
        let stream = self.table.get(self.table.find(stream)?)?;
        Some(BYTES.saturating_sub(Self::WINDOW).saturating_sub(stream.outbound.len()))
    }

    /// Opens a stream. It can be written to at once; what is written leaves when the peer has accepted it.
    ///
    /// # Errors
    /// [`MuxReject::StreamLimitExceeded`] while there is no place, [`MuxReject::DuplicateStreamName`] while a
    /// stream with this name is not over, whichever side opened it; [`MuxError::Ended`].
    pub fn open(&mut self, priority: PriorityClass, name: StreamName) -> Result<StreamId, MuxError> {
        self.check_running()?;
        if self.table.iter().any(|(_, other)| other.name == name && !other.is_over_on_the_wire()) {
            return Err(MuxReject::DuplicateStreamName.into());
        }
        let next = self.used.next(self.side).filter(|_| self.table.has_room());
        let id = next.ok_or(MuxReject::StreamLimitExceeded)?;
        self.insert(About { stream: id, priority }, name, Opening::OpenDue, WindowCredit::NONE)?;
        self.used.add(id);
        Ok(id)
    }

    /// Takes bytes to be sent on `stream`, and returns how many: as many as there is room for.
    ///
    /// # Errors
    /// [`MuxError::WouldBlock`] while there is no room: with no credit left it is the peer that does not read, else
    /// it is the link, or a higher class. [`MuxReject::InvalidStreamStateTransition`] after
    /// [`close`](Self::close), [`MuxReject::UnknownStreamFrame`] for a stream that is not, [`MuxError::Reset`],
    /// [`MuxError::Ended`].
    pub fn write(&mut self, stream: StreamId, data: &[u8]) -> Result<usize, MuxError> {
        self.check_running()?;
        let place = self.usable(stream)?;
        let Some((stream, _, outbound)) = self.parts(place) else { return Err(unknown()) };
        if !stream.state.may_send() {
            return Err(MuxReject::InvalidStreamStateTransition.into());
        }
        let taken = stream.outbound.push(outbound, data);
        if taken == 0 && !data.is_empty() {
            stream.writer = Writer::Blocked;
            return Err(MuxError::WouldBlock { credit: stream.send_credit });
        }
        self.refresh(place);
        Ok(taken)
    }

    /// What can be read from `stream`, where it lies: in two pieces, of which the second may be empty. Nothing at
    /// all is the end: the peer has closed its direction, and everything was read.
    ///
    /// # Errors
    /// [`MuxError::WouldBlock`] while nothing is there, with the credit that the peer has left;
    /// [`MuxReject::UnknownStreamFrame`] for a stream that is not, [`MuxError::Reset`]; [`MuxError::Ended`] when
    /// the session has ended before the peer closed the stream, and all that came has been read.
    pub fn peek(&mut self, stream: StreamId) -> Result<(&[u8], &[u8]), MuxError> {
        let place = self.usable(stream)?;
        let end = self.end;
        if let Some(stream) = self.table.get_mut(place).filter(|stream| stream.inbound.is_empty()) {
            if stream.state.may_receive() {
                let credit = stream.receive_credit.outstanding();
                return Err(end.map_or(MuxError::WouldBlock { credit }, MuxError::Ended));
            }
            stream.reader = Reader::AtEnd;
            stream.notes.remove(Note::Readable);
            self.refresh(place);
            return Ok((&[], &[]));
        }
        let (stream, inbound, _) = self.parts(place).ok_or_else(unknown)?;
        Ok(stream.inbound.pieces(inbound))
    }

    /// Bytes that [`peek`](Self::peek) showed have been read: `count` of them, or all there are. The peer gets
    /// credit for them.
    pub fn consume(&mut self, stream: StreamId, count: usize) {
        let Some(place) = self.table.find(stream) else { return };
        let Some((stream, inbound, _)) = self.parts(place) else { return };
        stream.inbound.drop_front(inbound, count);
        if stream.inbound.is_empty() && stream.state.may_receive() {
            stream.notes.remove(Note::Readable);
        }
        grant(stream);
        self.refresh(place);
    }

    /// Reads from `stream` into `buf`, and returns how many bytes. 0 is the end (or `buf` is empty).
    ///
    /// # Errors
    /// As [`peek`](Self::peek).
    pub fn read(&mut self, stream: StreamId, buf: &mut [u8]) -> Result<usize, MuxError> {
        let (first, second) = self.peek(stream)?;
        let count = copy(buf, first);
        let count = count.saturating_add(copy(buf.get_mut(count..).unwrap_or_default(), second));
        self.consume(stream, count);
        Ok(count)
    }

    /// Ends our direction of `stream`: the peer reads the end after all that was written. Reading goes on. The
    /// stream gives its place back when the peer has closed it, too, and the end was read.
    ///
    /// # Errors
    /// [`MuxReject::InvalidStreamStateTransition`] if it was closed or reset before,
    /// [`MuxReject::UnknownStreamFrame`] for a stream that is not, [`MuxError::Ended`].
    pub fn close(&mut self, stream: StreamId) -> Result<(), MuxError> {
        self.check_running()?;
        let place = self.table.find(stream).ok_or_else(unknown)?;
        let stream = self.table.get_mut(place).ok_or_else(unknown)?;
        stream.state = stream.state.after(Transition::SendClose)?;
        stream.closing = Closing::Due;
        self.refresh(place);
        Ok(())
    }

    /// Gives `stream` up in both directions, at once. The peer is told `code`; what is buffered on either side is
    /// lost. Repeating it is harmless.
    ///
    /// # Errors
    /// [`MuxReject::InvalidStreamStateTransition`] if both directions are closed,
    /// [`MuxReject::UnknownStreamFrame`] for a stream that is not, [`MuxError::Ended`].
    pub fn reset(&mut self, stream: StreamId, code: ResetCode) -> Result<(), MuxError> {
        self.check_running()?;
        let place = self.table.find(stream).ok_or_else(unknown)?;
        self.table.get_mut(place).ok_or_else(unknown)?.reset(code)?;
        self.refresh(place);
        Ok(())
    }

    /// The next thing to tell. What is not asked for is kept, and takes no room: a stream is readable only once,
    /// however often bytes came.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let place = next_set(self.noted, self.last_told)?;
            self.last_told = place;
            let event = self.table.get_mut(place).and_then(|stream| take_note(stream, self.end.is_some()));
            self.refresh(place);
            if event.is_some() {
                return event;
            }
        }
    }

    /// A tick of the caller's clock has passed.
    ///
    /// # Errors
    /// [`End`] if the session is over, be it by this tick: [`End::Silent`].
    pub fn tick(&mut self) -> Result<(), End> {
        if let Some(end) = self.end {
            return Err(end);
        }
        match self.keepalive.on_tick() {
            Verdict::Healthy => Ok(()),
            Verdict::SendPing => {
                self.ping = Some(About { stream: self.side.first(), priority: PriorityClass::HIGHEST });
                Ok(())
            }
            Verdict::Dead => Err(self.end(End::Silent)),
        }
    }

    /// Ends the session, unless it has ended before, and returns why it did. Streams that are not complete are
    /// reset; what has come for them can still be read.
    pub fn end(&mut self, why: End) -> End {
        if let Some(end) = self.end {
            return end;
        }
        self.end = Some(why);
        let places = 0..u8::try_from(STREAMS).unwrap_or(u8::MAX);
        for place in places {
            if let Some(stream) = self.table.get_mut(place).filter(|stream| !stream.is_over_on_the_wire()) {
                stream.notes.add(Note::Reset);
                self.refresh(place);
            }
        }
        why
    }

    fn check_running(&self) -> Result<(), MuxError> {
        self.end.map_or(Ok(()), |end| Err(MuxError::Ended(end)))
    }

    /// The place of `stream`, unless it was reset, which the application then knows.
    fn usable(&mut self, stream: StreamId) -> Result<u8, MuxError> {
        let place = self.table.find(stream).ok_or_else(unknown)?;
        let Some(reset) = self.table.get(place).and_then(|stream| stream.reset) else { return Ok(place) };
        if let Some(stream) = self.table.get_mut(place) {
            stream.on_told();
            self.refresh(place);
        }
        Err(MuxError::Reset(reset.code))
    }

    /// A new stream. The caller knows that there is room.
    fn insert(
        &mut self,
        about: About,
        name: StreamName,
        opening: Opening,
        send_credit: WindowCredit,
    ) -> Result<u8, MuxReject> {
        let window = u32::try_from(Self::WINDOW).unwrap_or(u32::MAX);
        let place = self.table.insert(Stream {
            id: about.stream,
            priority: about.priority,
            name,
            state: StreamState::Open,
            opening,
            closing: Closing::NotYet,
            reset: None,
            reader: Reader::Reading,
            writer: Writer::Free,
            notes: Notes::default(),
            send_credit,
            receive_credit: ReceiveCredit::new(window, WindowCredit::new(CREDIT)),
            grant: WindowCredit::NONE,
            inbound: Ring::EMPTY,
            outbound: Ring::EMPTY,
        });
        let place = place.ok_or(MuxReject::StreamLimitExceeded)?;
        self.refresh(place);
        Ok(place)
    }

    /// The stream at `place`, with its memory: to receive, to send.
    fn parts(&mut self, place: u8) -> Option<(&mut Stream, &mut [u8], &mut [u8])> {
        let start = usize::from(place).checked_mul(BYTES)?;
        let bytes = self.memory.as_mut().get_mut(start..start.checked_add(BYTES)?)?;
        let (inbound, outbound) = bytes.split_at_mut_checked(Self::WINDOW)?;
        Some((self.table.get_mut(place)?, inbound, outbound))
    }

    /// Works out what follows from the state of the stream at `place`.
    fn refresh(&mut self, place: u8) {
        let Some(stream) = self.table.get(place) else { return };
        let priority = stream.priority;
        if stream.sendable() > 0 || stream.close_is_next() {
            self.scheduler.add(place, priority);
        } else {
            self.scheduler.remove(place, priority);
        }
        let queued = self.control.iter().any(|queued| *queued == place);
        let control_due = stream.control(WindowCredit::new(CREDIT)).is_some();
        if control_due && !queued {
            // There is room: each place is in it once.
            _ = self.control.push_back(place);
        } else if queued && !control_due {
            // A new stream at this place must not take over the turn of the old one: ours leave in the order of their ids.
            self.control.retain(|queued| *queued != place);
        }
        let bit = 1u128.checked_shl(place.into()).unwrap_or(0);
        if stream.notes.first().is_some() {
            self.noted |= bit;
        } else {
            self.noted &= !bit;
        }
        if stream.is_over() {
            self.table.retire(place);
        }
    }
}

/// Takes the first note of `stream` for the application.
fn take_note(stream: &mut Stream, session_ended: bool) -> Option<Event> {
    let note = stream.notes.first()?;
    stream.notes.remove(note);
    let (id, priority) = (stream.id, stream.priority);
    Some(match note {
        Note::Opened => Event::Opened { stream: id, priority, name: stream.name.clone() },
        Note::Accepted => Event::Accepted(id),
        Note::Readable => Event::Readable(id),
        Note::Writable => Event::Writable(id),
        Note::Reset => {
            let ended = session_ended.then_some(ResetCode::SESSION_ENDED);
            let code = stream.reset.map(|reset| reset.code).or(ended)?;
            stream.on_told();
            Event::Reset(id, code)
        }
    })
}

/// Bytes of `stream` were read: the peer may get credit for them.
fn grant(stream: &mut Stream) {
    if stream.state.may_receive() {
        let granted = stream.receive_credit.on_read(stream.inbound.len()).unwrap_or_default();
        stream.grant = WindowCredit::new(stream.grant.get().saturating_add(granted.get()));
    }
}

const fn unknown() -> MuxError {
    MuxError::Reject(MuxReject::UnknownStreamFrame)
}

#[cfg(test)]
mod tests;
