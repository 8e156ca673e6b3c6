//! The side that climbs: opens every stream, and says which rung it has reached.

use nexus_net_adapter::mux::{Event, MuxError, PriorityClass, StreamId, StreamName};
use sha2::{Digest, Sha256};
use udp_sec::time::{Duration, Instant};

use crate::pattern::Pattern;
use crate::transfer::{CHUNK, Status, Transfer};
use crate::{ANSWER_LEN, CONTROL, Failure, Mux, REQUEST_LEN, RESUME, STALLED, STREAM_BYTES, unless_blocked};

/// Requests on the control stream.
const REQUESTS: u32 = 16;
/// Bytes of the first transfer.
const DATA_LEN: u64 = 4 * 1024;
/// Bytes for the reader that stalls: more than the stream's memory on both sides.
const STALLED_LEN: u64 = 2 * STREAM_BYTES as u64;
/// Priority classes of what is not control.
const DATA_CLASS: u8 = 3;
const STALLED_CLASS: u8 = 5;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Bytes of the bulk transfer.
    pub bulk: u64,
    /// Its priority class, 0 to 7.
    pub class: u8,
    /// Which bytes.
    pub seed: u64,
}

impl Plan {
    /// The pattern of the bulk transfer `round`, counted from 1.
    const fn pattern(&self, round: u64) -> u64 {
        self.seed.wrapping_add(round)
    }

    /// The SHA-256 that [`Rung::Bulk`] has to tell, for whoever does not believe both ends.
    #[must_use]
    pub fn bulk_hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let (mut pattern, mut left) = (Pattern::new(self.pattern(1)), self.bulk);
        let mut room = [0; CHUNK];
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let chunk = room.get_mut(..len).unwrap_or_default();
            pattern.fill(chunk);
            hasher.update(&*chunk);
            left = left.saturating_sub(len as u64);
        }
        hasher.finalize().into()
    }
}

/// What has happened, for certain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rung {
    /// The peer's multiplexer has accepted a stream.
    SessionUp,
    /// The first bytes arrived.
    Data,
    /// Requests of the highest class were answered; the slowest took so long.
    Control(Duration),
    /// The bulk arrived.
    Bulk {
        /// Bytes.
        bytes: u64,
        /// From the first byte written to the receipt.
        elapsed: Duration,
        /// Their SHA-256, which is the peer's, too.
        hash: [u8; 32],
    },
    /// A reader that stalled stopped the writer, and when it read, everything arrived.
    Backpressure,
}

/// The connector's program.
#[derive(Debug)]
pub struct Connector {
    plan: Plan,
    stage: Stage,
    control: Option<Control>,
    accepted: bool,
    /// Bulk transfers begun.
    rounds: u64,
}

#[derive(Debug)]
enum Stage {
    Ready,
    Data(Transfer),
    Control,
    Bulk(Transfer, Instant),
    Stalling(Transfer),
    Resuming(Transfer),
    Draining(Transfer),
    Leaving(StreamId),
    Top,
}

impl Connector {
    /// At the foot of the ladder.
    #[must_use]
    pub const fn new(plan: Plan) -> Self {
        Self { plan, stage: Stage::Ready, control: None, accepted: false, rounds: 0 }
    }

    /// Whether every rung has been reached.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Top)
    }

    /// Sends another bulk, after the last rung. [`Rung::Bulk`] tells when it has arrived.
    ///
    /// # Errors
    /// [`Failure::Mux`] if there is no stream for it.
    pub fn once_more(&mut self, now: Instant, mux: &mut Mux<'_>) -> Result<(), Failure> {
        self.stage = self.begin_bulk(now, mux)?;
        Ok(())
    }

    /// Does what can be done at `now`, and returns the next rung once it is reached: to be called until it returns
    /// `None`, then again when bytes have moved.
    ///
    /// # Errors
    /// [`Failure`]: the climb is over.
    pub fn step(&mut self, now: Instant, mux: &mut Mux<'_>) -> Result<Option<Rung>, Failure> {
        while let Some(event) = mux.poll_event() {
            match event {
                Event::Accepted(_) if !self.accepted => {
                    self.accepted = true;
                    return Ok(Some(Rung::SessionUp));
                }
                Event::Reset(_, code) => return Err(Failure::Reset(code)),
                Event::Opened { .. } => return Err(Failure::UnknownStream),
                _ => {}
            }
        }
        let (stage, rung) = self.advance(now, mux)?;
        self.stage = stage;
        Ok(rung)
    }

    /// The stage that follows, and what has been reached by it.
    fn advance(&mut self, now: Instant, mux: &mut Mux<'_>) -> Result<(Stage, Option<Rung>), Failure> {
        Ok(match core::mem::replace(&mut self.stage, Stage::Top) {
            Stage::Ready => {
                let data = Transfer::begin(mux, "data", DATA_CLASS, DATA_LEN, self.plan.seed)?;
                (Stage::Data(data), None)
            }
            Stage::Data(mut transfer) => match transfer.step(mux)? {
                Status::Arrived(_) => {
                    self.control = Some(Control::begin(mux, self.plan.seed)?);
                    (Stage::Control, Some(Rung::Data))
                }
                _ => (Stage::Data(transfer), None),
            },
            Stage::Control => {
                let Some(control) = &mut self.control else { return Err(Failure::Mismatch(CONTROL)) };
                while control.answered < REQUESTS {
                    if !control.step(now, mux, b"")? {
                        return Ok((Stage::Control, None));
                    }
                }
                let slowest = control.slowest;
                (self.begin_bulk(now, mux)?, Some(Rung::Control(slowest)))
            }
            Stage::Bulk(mut transfer, begun) => match transfer.step(mux)? {
                Status::Arrived(hash) => {
                    let elapsed = now.saturating_since(begun);
                    (self.after_bulk(mux)?, Some(Rung::Bulk { bytes: self.plan.bulk, elapsed, hash }))
                }
                _ => (Stage::Bulk(transfer, begun), None),
            },
            Stage::Stalling(mut transfer) => match transfer.step(mux)? {
                Status::Busy => (Stage::Stalling(transfer), None),
                Status::Stalled => (Stage::Resuming(transfer), None),
                // More than fits anywhere has arrived, and nobody has read it.
                Status::Arrived(_) => return Err(Failure::Mismatch(STALLED)),
            },
            Stage::Resuming(transfer) => {
                let Some(control) = &mut self.control else { return Err(Failure::Mismatch(CONTROL)) };
                let resumed = control.step(now, mux, RESUME)?;
                (if resumed { Stage::Draining(transfer) } else { Stage::Resuming(transfer) }, None)
            }
            Stage::Draining(mut transfer) => match transfer.step(mux)? {
                Status::Arrived(_) => {
                    let Some(control) = self.control.take() else { return Err(Failure::Mismatch(CONTROL)) };
                    mux.close(control.stream)?;
                    (Stage::Leaving(control.stream), None)
                }
                _ => (Stage::Draining(transfer), None),
            },
            // The last word of the control stream is its end.
            Stage::Leaving(stream) => match unless_blocked(mux.read(stream, &mut [0]))? {
                None => (Stage::Leaving(stream), None),
                Some(0) => (Stage::Top, Some(Rung::Backpressure)),
                Some(_) => return Err(Failure::Mismatch(CONTROL)),
            },
            Stage::Top => (Stage::Top, None),
        })
    }

    fn begin_bulk(&mut self, now: Instant, mux: &mut Mux<'_>) -> Result<Stage, Failure> {
        self.rounds = self.rounds.saturating_add(1);
        let pattern = self.plan.pattern(self.rounds);
        let transfer = Transfer::begin(mux, "bulk", self.plan.class, self.plan.bulk, pattern)?;
        Ok(Stage::Bulk(transfer, now))
    }

    fn after_bulk(&self, mux: &mut Mux<'_>) -> Result<Stage, Failure> {
        if self.rounds > 1 {
            return Ok(Stage::Top);
        }
        Ok(Stage::Stalling(Transfer::begin(mux, STALLED, STALLED_CLASS, STALLED_LEN, self.plan.seed)?))
    }
}

/// Requests and answers, one after the other.
#[derive(Debug)]
struct Control {
    stream: StreamId,
    pattern: Pattern,
    /// The request that has not been answered, how much of it was written, and since when.
    pending: Option<([u8; REQUEST_LEN], usize, Instant)>,
    answer: [u8; ANSWER_LEN],
    received: usize,
    answered: u32,
    slowest: Duration,
}

impl Control {
    fn begin(mux: &mut Mux<'_>, seed: u64) -> Result<Self, Failure> {
        let stream = mux.open(PriorityClass::HIGHEST, StreamName::new(CONTROL).map_err(MuxError::from)?)?;
        Ok(Self {
            stream,
            pattern: Pattern::new(!seed),
            pending: None,
            answer: [0; ANSWER_LEN],
            received: 0,
            answered: 0,
            slowest: Duration::ZERO,
        })
    }

    /// Goes on with the request under way, or begins one that starts with `command`; `true` once it is answered.
    fn step(&mut self, now: Instant, mux: &mut Mux<'_>, command: &[u8]) -> Result<bool, Failure> {
        let (request, written, since) = self.pending.get_or_insert_with(|| {
            let mut request = [0; REQUEST_LEN];
            self.pattern.fill(&mut request);
            request.iter_mut().zip(command).for_each(|(room, byte)| *room = *byte);
            (request, 0, now)
        });
        while *written < REQUEST_LEN {
            let rest = request.get(*written..).unwrap_or_default();
            let Some(count) = unless_blocked(mux.write(self.stream, rest))? else { return Ok(false) };
            *written = written.saturating_add(count);
        }
        while self.received < ANSWER_LEN {
            let room = self.answer.get_mut(self.received..).unwrap_or_default();
            match unless_blocked(mux.read(self.stream, room))? {
                None => return Ok(false),
                Some(0) => return Err(Failure::Mismatch(CONTROL)),
                Some(count) => self.received = self.received.saturating_add(count),
            }
        }
        if self.answer != *Sha256::digest(*request) {
            return Err(Failure::Mismatch(CONTROL));
        }
        self.slowest = self.slowest.max(now.saturating_since(*since));
        self.answered = self.answered.saturating_add(1);
        (self.pending, self.received) = (None, 0);
        Ok(true)
    }
}
