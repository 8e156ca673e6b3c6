//! Records on numbered channels: whole ones or none, over the streams of an [`Engine`].
//!
//! ```text
//! channel 7 = the stream "record/i/7" or "record/r/7":  │ length: u32, little-endian │ so many bytes │ length │ …
//! ```
//! - A channel needs no opening: the first record on it opens its stream, under a name that tells who did, the session's
//!   initiator or its responder: no two streams may have one name. A side answers on the stream that the peer has
//!   opened. When both open one at the same time there are two, each side goes on sending on the one it knew first,
//!   and both are read; so records of a channel arrive in order either way.
//! - A record is taken whole or not at all, and is delivered when all of it has come. A part of one never is.
//! - It may be empty, and has at most `RECORD_MAX` bytes: 32 KiB as a default, what the contract allows a frame,
//!   so that whatever an engine of another make would send as one frame is one record here. Half of a stream's initial
//!   credit, too: a record that needs more than was granted would wait for itself. Such capacities do not compile.
//! - Nothing is queued here. Records wait in the memory of their stream, and a channel that is not read holds up
//!   its own sender and nobody else.
//! - A length above `RECORD_MAX`, or an end in the middle of a record, costs the peer the channel, with a label: what
//!   would come next on it could not be understood. The session goes on.

use core::fmt::{self, Write};

use heapless::{String, Vec};

use super::engine::{End, Engine, Event, MuxError};
use super::id::{PriorityClass, ResetCode, Side, StreamId, StreamName, WindowCredit};
use super::limits::{FRAME_PAYLOAD_MAX, NAME_MAX};
use super::reject::MuxReject;

/// What the names of channels begin with that `side` has opened; the number follows, in decimal, without leading zeros.
#[must_use]
pub const fn name_prefix(side: Side) -> &'static str {
    match side {
        Side::Initiator => "record/i/",
        Side::Responder => "record/r/",
    }
}

/// Bytes of the length before each record.
pub const HEADER_LEN: usize = 4;

/// With this code a stream is reset whose peer broke the rules of records.
pub const REJECTED: ResetCode = ResetCode(16);

/// The channels of one session, over at most `CHANNELS` streams; records of at most `RECORD_MAX` bytes.
///
/// It holds the numbers of streams and nothing else. All methods want the same engine, and
/// [`sort`](Self::sort) wants to see its every event.
///
/// # Records that an engine has no room for do not compile
/// A quarter of 4096 bytes is for sending: 1020 of a record, and its length.
/// ```
/// # use nexus_net_adapter::{mux::{Engine, PriorityClass, Side, records::Records}, stream::PeerIdentity};
/// # let peer = PeerIdentity::unproven_for_tests(udp_sec::keys::PublicKey::from_bytes([7; 32]));
/// let mut engine = Engine::<_, 4, 4096, 1024>::new(Side::Initiator, peer, vec![0; 4 * 4096]);
/// assert!(Records::<4, 1020>::new(PriorityClass::HIGHEST).send_record(&mut engine, 7, b"record").is_ok());
/// ```
/// ```compile_fail,E0080
/// # use nexus_net_adapter::{mux::{Engine, PriorityClass, Side, records::Records}, stream::PeerIdentity};
/// # let peer = PeerIdentity::unproven_for_tests(udp_sec::keys::PublicKey::from_bytes([7; 32]));
/// let mut engine = Engine::<_, 4, 4096, 1024>::new(Side::Initiator, peer, vec![0; 4 * 4096]);
/// assert!(Records::<4, 1021>::new(PriorityClass::HIGHEST).send_record(&mut engine, 7, b"record").is_ok());
/// ```
#[derive(Debug)]
pub struct Records<const CHANNELS: usize, const RECORD_MAX: usize = FRAME_PAYLOAD_MAX> {
    priority: PriorityClass,
    /// In the order in which they became known: of two streams of a channel, the first is for sending.
    lanes: Vec<Lane, CHANNELS>,
    /// The lane to look at first.
    next: usize,
}

/// A stream of a channel.
#[derive(Clone, Copy, Debug)]
struct Lane {
    channel: u32,
    stream: StreamId,
    /// The peer has given it up.
    reset: Option<ResetCode>,
}

/// A record that has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'b> {
    /// The channel it came on.
    pub channel: u32,
    /// The whole of it.
    pub bytes: &'b [u8],
}

/// Why no record was sent or received. Nothing of it was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// Not now. `credit` is what may be sent on the channel before the peer grants more: with little left it is the
    /// peer that does not read, else it is the link, or a higher class.
    WouldBlock {
        /// In bytes.
        credit: WindowCredit,
    },
    /// The next record on `channel` has `len` bytes, and waits for a buffer of that size.
    BufferTooSmall {
        /// The channel.
        channel: u32,
        /// In bytes; at most `RECORD_MAX`.
        len: usize,
    },
    /// The rules do not allow it: to us, which costs the call, or to the peer, which costs it the channel.
    Rejected {
        /// The channel.
        channel: u32,
        /// Why.
        reject: RecordReject,
    },
    /// The stream of `channel` is of no more use. The next record that is sent opens another.
    Lost {
        /// The channel.
        channel: u32,
        /// Why.
        why: MuxError,
    },
}

/// A violation of the rules of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordReject {
    /// More than `RECORD_MAX` bytes.
    Oversize,
    /// The stream was closed within a record.
    Truncated,
}

impl RecordReject {
    /// The stable label, for logs and counters; the system's record layer has the same.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Oversize => "core.reject.oversize_frame_or_record",
            Self::Truncated => "core.reject.invalid_state_transition",
        }
    }
}

impl fmt::Display for RecordReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock { credit } => write!(f, "not now; credit for {} bytes is left", credit.get()),
            Self::BufferTooSmall { channel, len } => {
                write!(f, "the next record of channel {channel} has {len} bytes, more than the buffer")
            }
            Self::Rejected { channel, reject } => write!(f, "channel {channel}: {reject}"),
            Self::Lost { channel, why } => write!(f, "channel {channel}: {why}"),
        }
    }
}

impl core::error::Error for RecordError {}

/// Capacities that go together: what is left of them is worked out when it is compiled.
struct Fit<const RECORD_MAX: usize, const BYTES: usize, const CREDIT: u32>;

impl<const RECORD_MAX: usize, const BYTES: usize, const CREDIT: u32> Fit<RECORD_MAX, BYTES, CREDIT> {
    /// A whole record can be queued, and can come before any of it is read.
    const SPARE: [usize; 2] =
        [BYTES / 4 - HEADER_LEN - RECORD_MAX, CREDIT as usize - HEADER_LEN - RECORD_MAX];
}

/// What there is on one lane.
enum Found {
    /// No whole record yet.
    Nothing,
    /// A record of so many bytes, now in the buffer.
    Record(usize),
    /// The orderly end.
    End,
}

impl<const CHANNELS: usize, const RECORD_MAX: usize> Records<CHANNELS, RECORD_MAX> {
    /// No channels yet. Those that this side opens travel in class `priority`.
    #[must_use]
    pub const fn new(priority: PriorityClass) -> Self {
        Self { priority, lanes: Vec::new(), next: 0 }
    }

    /// Takes what concerns a channel out of `event`, which [`Engine::poll_event`] has given, and hands anything else
    /// back. A channel of the peer's for which there is no room is reset.
    pub fn sort<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        event: Event,
    ) -> Option<Event>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let (stream, reset) = match &event {
            Event::Opened { stream, name, .. } => {
                let Some(channel) = channel_of(other(engine.side()), name) else { return Some(event) };
                if self.lanes.push(Lane { channel, stream: *stream, reset: None }).is_err() {
                    // It was opened a moment ago, and if it is not any more, all the better.
                    _ = engine.reset(*stream, ResetCode::NO_ROOM);
                }
                return None;
            }
            // What had come before the session ended can still be read.
            Event::Reset(stream, code) => {
                (*stream, Some(*code).filter(|code| *code != ResetCode::SESSION_ENDED))
            }
            Event::Accepted(stream) | Event::Readable(stream) | Event::Writable(stream) => (*stream, None),
        };
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.stream == stream) else { return Some(event) };
        lane.reset = lane.reset.or(reset);
        None
    }

    /// Sends `payload` as one record on `channel`, opening the channel if need be.
    ///
    /// # Errors
    /// [`RecordError::WouldBlock`] while there is no room for the whole of it, [`RecordReject::Oversize`] if there
    /// never is; [`RecordError::Lost`] if the channel was reset, which says nothing about records sent before, if
    /// there can be no more streams, or if the session has ended.
    pub fn send_record<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        channel: u32,
        payload: &[u8],
    ) -> Result<(), RecordError>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let [_, _] = Fit::<RECORD_MAX, BYTES, CREDIT>::SPARE;
        let oversize = RecordError::Rejected { channel, reject: RecordReject::Oversize };
        let len =
            u32::try_from(payload.len()).ok().filter(|_| payload.len() <= RECORD_MAX).ok_or(oversize)?;
        let lane = self.lane_of(engine, channel)?;
        let needed = HEADER_LEN.saturating_add(payload.len());
        if engine.room(lane.stream).is_some_and(|room| room < needed) {
            return Err(RecordError::WouldBlock { credit: engine.credit(lane.stream).unwrap_or_default() });
        }
        // With room for all of it, both are taken whole, or the stream takes nothing at all.
        let written = engine.write(lane.stream, &len.to_le_bytes());
        let written = written.and_then(|_| engine.write(lane.stream, payload));
        written.map(|_| ()).map_err(|why| {
            self.forget(lane.stream);
            lane.lost(why)
        })
    }

    /// Receives the next record that has come whole, into the beginning of `buf`; `None` while there is none.
    /// The channels take turns. A buffer of `RECORD_MAX` bytes is always large enough.
    ///
    /// # Errors
    /// [`RecordError::BufferTooSmall`]; [`RecordError::Rejected`] or [`RecordError::Lost`], once, when a channel has
    /// come to an end that is no orderly one. Other channels go on, so calling again is right after any of them.
    pub fn recv_record<'b, M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        buf: &'b mut [u8],
    ) -> Result<Option<Record<'b>>, RecordError>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        let [_, _] = Fit::<RECORD_MAX, BYTES, CREDIT>::SPARE;
        // A lane that has ended makes place for the one behind it, so each look is at another.
        for _ in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get(self.next).or_else(|| self.lanes.first()).copied() else { break };
            let found = look::<_, STREAMS, BYTES, CREDIT, RECORD_MAX>(engine, lane, buf);
            match found {
                Ok(Found::Nothing) => self.turn(lane),
                Ok(Found::Record(len)) => {
                    self.turn(lane);
                    let bytes = buf.get(..len).unwrap_or_default();
                    return Ok(Some(Record { channel: lane.channel, bytes }));
                }
                Ok(Found::End) => {
                    // Ours ends with it, or has ended before.
                    _ = engine.close(lane.stream);
                    self.forget(lane.stream);
                }
                Err(error @ RecordError::BufferTooSmall { .. }) => return Err(error),
                Err(error) => {
                    self.forget(lane.stream);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// The lane to send on, opened if there is none.
    fn lane_of<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32>(
        &mut self,
        engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
        channel: u32,
    ) -> Result<Lane, RecordError>
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
    {
        if let Some(lane) = self.lanes.iter().find(|lane| lane.channel == channel) {
            return Ok(*lane);
        }
        let lost = |why| match why {
            // The last stream of the channel is over here, and the peer is about to be told.
            MuxError::Reject(MuxReject::DuplicateStreamName) => {
                RecordError::WouldBlock { credit: WindowCredit::NONE }
            }
            why => RecordError::Lost { channel, why },
        };
        let full = MuxError::Reject(MuxReject::StreamLimitExceeded);
        if self.lanes.is_full() {
            return Err(lost(full));
        }
        let stream = name_of(engine.side(), channel)
            .map_err(MuxError::Reject)
            .and_then(|name| engine.open(self.priority, name));
        let lane = Lane { channel, stream: stream.map_err(lost)?, reset: None };
        self.lanes.push(lane).map_err(|_| lost(full))?;
        Ok(lane)
    }

    /// It was the turn of `lane`.
    fn turn(&mut self, lane: Lane) {
        let at = self.lanes.iter().position(|other| other.stream == lane.stream);
        self.next = at.map_or(0, |at| at.saturating_add(1));
    }

    fn forget(&mut self, stream: StreamId) {
        self.lanes.retain(|lane| lane.stream != stream);
    }
}

impl Lane {
    const fn lost(self, why: MuxError) -> RecordError {
        RecordError::Lost { channel: self.channel, why }
    }
}

/// Takes the next record of `lane` to `buf`, if it has come whole. A violation costs the peer the stream.
fn look<M, const STREAMS: usize, const BYTES: usize, const CREDIT: u32, const RECORD_MAX: usize>(
    engine: &mut Engine<M, STREAMS, BYTES, CREDIT>,
    lane: Lane,
    buf: &mut [u8],
) -> Result<Found, RecordError>
where
    M: AsRef<[u8]> + AsMut<[u8]>,
{
    let Lane { channel, stream, reset } = lane;
    if let Some(code) = reset {
        return Err(lane.lost(MuxError::Reset(code)));
    }
    let (ended, state) = (engine.ended(), engine.state(stream));
    let (first, second) = match engine.peek(stream) {
        Ok(pieces) => pieces,
        Err(MuxError::WouldBlock { .. }) => return Ok(Found::Nothing),
        // Both sides have finished the session, this channel between two records.
        Err(MuxError::Ended(End::Finished)) => return Ok(Found::End),
        Err(why) => return Err(lane.lost(why)),
    };
    let come = first.len().saturating_add(second.len());
    if come == 0 {
        return Ok(Found::End);
    }
    let mut bytes = first.iter().chain(second);
    let mut header = [0; HEADER_LEN];
    header.iter_mut().zip(bytes.by_ref()).for_each(|(room, byte)| *room = *byte);
    let len = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    let missing = come < HEADER_LEN || come.saturating_sub(HEADER_LEN) < len;
    let reject = match (ended, state) {
        _ if come >= HEADER_LEN && len > RECORD_MAX => Some(RecordReject::Oversize),
        (Some(end), _) if missing => return Err(lane.lost(MuxError::Ended(end))),
        (None, Some(state)) if missing && !state.may_receive() => Some(RecordReject::Truncated),
        _ if missing => return Ok(Found::Nothing),
        _ => None,
    };
    if let Some(reject) = reject {
        // Unless it is complete, or the session is: then there is nothing to give up.
        _ = engine.reset(stream, REJECTED);
        return Err(RecordError::Rejected { channel, reject });
    }
    let room = buf.get_mut(..len).ok_or(RecordError::BufferTooSmall { channel, len })?;
    room.iter_mut().zip(bytes).for_each(|(room, byte)| *room = *byte);
    engine.consume(stream, HEADER_LEN.saturating_add(len));
    Ok(Found::Record(len))
}

/// The name of the stream that `opener` opens for `channel`.
fn name_of(opener: Side, channel: u32) -> Result<StreamName, MuxReject> {
    let mut name = String::<NAME_MAX>::new();
    // A name is longer than a number in decimal: it fits.
    _ = write!(name, "{}{channel}", name_prefix(opener));
    StreamName::new(&name)
}

/// The channel that `opener` opens under `name`, if it is one: written as [`name_of`] writes it.
fn channel_of(opener: Side, name: &StreamName) -> Option<u32> {
    let channel = name.as_str().strip_prefix(name_prefix(opener))?.parse().ok()?;
    (name_of(opener, channel).ok().as_ref() == Some(name)).then_some(channel)
}

/// The one that is not `side`.
const fn other(side: Side) -> Side {
    match side {
        Side::Initiator => Side::Responder,
        Side::Responder => Side::Initiator,
    }
}

#[cfg(test)]
mod tests;
