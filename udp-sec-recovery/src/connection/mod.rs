//! One session's reliable stream: what the application calls, and the state that ingress and egress share.
//!
//! Reading order: `ingress` (a datagram in), `loss_recovery` (an acknowledgement in), `egress` (datagrams out),
//! `liveness` (time passes), `closing` (the end).
//!
//! ```text
//! datagram ─> ingress ─> Session::open ─> frames ─> reassembly ─> read()
//!                                           │
//!                                           ├ ACK ─> loss_recovery ─> send buffer, congestion
//!                                           └ ack policy ─┐
//! write() ─> send buffer ─> egress <── permit <───────────┘ ─> Session::seal ─> datagrams
//! ```

mod closing;
mod egress;
mod ingress;
mod liveness;
mod loss_recovery;
mod migration;
mod path;
mod rekey;
mod skips;
mod timers;

pub(crate) use closing::{Farewell, Heard, seal_close};
pub use egress::Transmit;
pub use path::Path;
pub use rekey::KeyLife;
pub(crate) use timers::earliest;

use udp_sec::error::CloseCode;
use udp_sec::handshake::params::Parameters;
use udp_sec::keys::PublicKey;
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};

use crate::event::{Closure, Event, Pending};
use crate::limits;
use crate::memory::Storage;
use crate::recv::ack::AckPolicy;
use crate::recv::credit::Credit;
use crate::recv::ranges::ReceivedNumbers;
use crate::recv::reorder::Reassembly;
use crate::send::buffer::SendBuffer;
use crate::send::congestion::{Controller, Utilisation};
use crate::send::pacer::Pacer;
use crate::send::persistent::PersistentCongestion;
use crate::send::rtt::RttEstimator;
use crate::stats::{PathState, Stats};

use closing::Closing;
use migration::{Answer, Candidate};
use path::{Allowance, Unproven};
use skips::Skips;
use timers::Timers;

/// What a connection needs to know at its start besides the session itself.
#[derive(Clone, Copy, Debug)]
pub struct Start<'p> {
    /// The moment it starts.
    pub now: Instant,
    /// The path of its handshake.
    pub path: Path,
    /// What we promised the peer.
    pub local: &'p Parameters,
    /// What the peer promised us.
    pub peer: &'p Parameters,
    /// The handshake's round trip, if its message was sent only once (`docs/protocol.md` section 5).
    pub handshake_rtt: Option<Duration>,
    /// Whether the handshake has shown that the peer receives at `path`, and nowhere else.
    pub path_proven: bool,
    /// Until when the responder must be heard. `None` at the responder, whose session begins confirmed.
    pub confirm_by: Option<Instant>,
    /// Whether the session is kept alive while it is idle.
    pub keepalive: bool,
    /// How long our keys are used.
    pub key_life: KeyLife,
}

/// One session and its reliable byte stream in each direction, in memory lent by `S`.
#[derive(Debug)]
pub struct Connection<S> {
    storage: S,
    session: Session,
    path: Path,
    /// `None` once the peer has shown that it receives what we send along `path`.
    unproven: Option<Unproven>,
    candidate: Option<Candidate>,
    answer: Option<Answer>,
    state: State,
    events: Pending,
    stats: Stats,
    timers: Timers,

    key_life: KeyLife,
    /// When the present keys came into use.
    key_since: Instant,

    // Sending.
    send: SendBuffer,
    /// Absolute offset up to which the peer lets us send.
    peer_credit: u64,
    /// The peer's longest acknowledgement delay.
    peer_ack_delay: Duration,
    rtt: RttEstimator,
    controller: Controller,
    utilisation: Utilisation,
    pacer: Pacer,
    persistent: PersistentCongestion,
    skips: Skips,
    largest_acked: Option<u64>,
    /// No packet below this number is in flight: where the search for losses starts.
    oldest_in_flight: u64,
    /// Packets below this number left for another host: what becomes of them says nothing about the path in use.
    first_on_path: u64,
    last_eliciting_sent: Instant,
    pto_count: u32,
    /// Probes that may still leave for the probe timeout that expired last.
    probes: u8,
    control: Control,

    // Receiving.
    reassembly: Reassembly,
    received: ReceivedNumbers,
    ack: AckPolicy,
    credit: Credit,

    // Liveness.
    idle_timeout: Duration,
    last_heard: Instant,
    /// Whether an ack-eliciting packet left since the peer was last heard.
    sent_since_heard: bool,
    keepalive: bool,
    /// A write was cut short, or unsent bytes are above the low-water mark.
    writer_waits: bool,
    low_water: u64,
}

/// Where the connection stands in its life.
#[derive(Debug)]
enum State {
    /// Data may flow.
    Open,
    /// We sent CLOSE and say so again when the peer goes on.
    Closing(Closing),
    /// The peer sent CLOSE, or time ran out: nothing leaves any more.
    Ended(Closure),
}

/// Control frames that wait to be sent.
#[derive(Debug, Default)]
struct Control {
    ping: bool,
    blocked: bool,
    /// Offset for which DATA_BLOCKED was last said.
    blocked_at: Option<u64>,
}

impl<S: Storage> Connection<S> {
    /// A connection over `session`, in the memory of `storage`. The initiator has a packet to send at once, so
    /// that the responder's side begins (`docs/protocol.md` section 3, "Confirmation").
    pub fn new(mut storage: S, mut session: Session, start: &Start<'_>) -> Self {
        let memory = storage.memory();
        session.adopt_replay_window(memory.replay);
        let in_flight_packets = memory.sent.storage_capacity().saturating_sub(limits::PROBE_SLOTS) as u64;
        let skips = Skips::new(session.random_u64());
        let unproven = (!start.path_proven).then(|| Unproven {
            allowance: Allowance::NOTHING,
            challenge: session.random_u64().to_le_bytes(),
        });
        let idle_timeout = start.local.idle_timeout.min(start.peer.idle_timeout);
        let mut controller = Controller::new_reno();
        controller.set_ceiling(in_flight_packets.saturating_mul(limits::DATAGRAM_MAX));
        let mut connection = Self {
            storage,
            session,
            path: start.path,
            unproven,
            candidate: None,
            answer: None,
            state: State::Open,
            events: Pending::default(),
            stats: Stats::default(),
            timers: Timers { confirmation: start.confirm_by, ..Timers::default() },
            key_life: start.key_life,
            key_since: start.now,
            send: SendBuffer::default(),
            peer_credit: start.peer.initial_credit,
            peer_ack_delay: start.peer.max_ack_delay,
            rtt: start.handshake_rtt.map_or_else(RttEstimator::new, RttEstimator::with_handshake_sample),
            controller,
            utilisation: Utilisation::AppLimited,
            pacer: Pacer::new(),
            persistent: PersistentCongestion::new(),
            skips,
            largest_acked: None,
            oldest_in_flight: 0,
            first_on_path: 0,
            last_eliciting_sent: start.now,
            pto_count: 0,
            probes: 0,
            control: Control { ping: start.confirm_by.is_some(), ..Control::default() },
            reassembly: Reassembly::new(),
            received: ReceivedNumbers::new(),
            ack: AckPolicy::new(start.peer.ack_step, start.local.max_ack_delay),
            credit: Credit::new(start.local.initial_credit),
            idle_timeout,
            last_heard: start.now,
            sent_since_heard: false,
            keepalive: start.keepalive,
            writer_waits: false,
            low_water: 0,
        };
        connection.events.push(Event::Established);
        connection.restart_idle_timer(start.now);
        connection
    }

    /// Takes as much of `data` as fits; 0 means that the buffer is full, and [`Event::Writable`] follows when it
    /// is not any more.
    ///
    /// # Errors
    /// The reason why the session has ended, or the application's own [`finish`](Self::finish).
    pub fn write(&mut self, data: &[u8]) -> Result<usize, WriteError> {
        if let Some(why) = self.closure() {
            return Err(WriteError::Closed(why));
        }
        if self.send.is_finished() {
            return Err(WriteError::Finished);
        }
        let taken = self.send.write(self.storage.memory().send, data);
        self.writer_waits |= taken < data.len();
        Ok(taken)
    }

    /// Reads in-order bytes into `out`: `Ok(0)` means that nothing is there yet (or `out` is empty).
    ///
    /// # Errors
    /// [`ReadError::Finished`] after the last byte of a stream the peer has finished, and
    /// [`ReadError::Closed`] when the session ended before that and everything in order has been read.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, ReadError> {
        let memory = self.storage.memory();
        let count = self.reassembly.read(memory.recv, out);
        if count > 0 {
            self.credit.on_read(self.reassembly.read_offset(), memory.recv.len() as u64);
            return Ok(count);
        }
        if self.reassembly.is_drained() {
            return Err(ReadError::Finished);
        }
        match self.closure() {
            Some(why) if self.reassembly.readable() == 0 => Err(ReadError::Closed(why)),
            _ => Ok(0),
        }
    }

    /// Ends our direction after what has been written; the peer reads the end of the stream. Repeating it is
    /// harmless.
    pub fn finish(&mut self) {
        self.send.finish();
    }

    /// Gives the session up: the peer gets `code`, and what it has not received yet is lost.
    pub fn abort(&mut self, now: Instant, code: CloseCode) {
        if matches!(self.state, State::Open) {
            self.close(now, code, Closure::ByUs(code));
        }
    }

    /// Bytes written that have never left, or were lost and have not left again.
    pub fn unsent(&mut self) -> u64 {
        self.send.unsent(self.storage.memory().lost)
    }

    /// Bytes written that the peer has not acknowledged.
    #[must_use]
    pub fn unacknowledged(&self) -> u64 {
        self.send.unacknowledged()
    }

    /// Whether the peer has acknowledged every byte written and, after [`finish`](Self::finish), the end.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.send.unacknowledged() == 0 && (!self.send.is_finished() || self.send.is_complete())
    }

    /// Bytes that can be read now.
    #[must_use]
    pub fn readable(&self) -> usize {
        self.reassembly.readable()
    }

    /// Whether the peer has finished and everything it sent has been read.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.reassembly.is_drained()
    }

    /// A waiting writer is told of room only once the unsent bytes have fallen to `mark`. 0, as at first, means no
    /// mark: room alone counts.
    pub fn set_low_water(&mut self, mark: u64) {
        self.low_water = mark;
    }

    /// Asks for [`Event::Writable`] although no write was cut short: at once, if there is room and the unsent bytes
    /// are at the low-water mark already.
    pub fn await_low_water(&mut self) {
        self.writer_waits = true;
        self.tell_writer();
    }

    /// Why the session has ended; `None` while it is open.
    #[must_use]
    #[inline(never)] // Asked for in many places.
    pub const fn closure(&self) -> Option<Closure> {
        match &self.state {
            State::Open => None,
            State::Closing(closing) => Some(closing.why()),
            State::Ended(why) => Some(*why),
        }
    }

    /// Whether we opened the session and nothing of the peer's has opened under its keys yet.
    pub(crate) const fn awaits_peer(&self) -> bool {
        matches!(self.state, State::Open) && self.timers.confirmation.is_some()
    }

    /// The peer's static key, proven by the handshake.
    #[must_use]
    pub fn peer(&self) -> &PublicKey {
        self.session.peer()
    }

    /// The path in use.
    #[must_use]
    pub const fn path(&self) -> Path {
        self.path
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// What congestion control knows at this moment.
    #[must_use]
    pub fn path_state(&self) -> PathState {
        PathState {
            window: self.controller.window(),
            ssthresh: self.controller.ssthresh(),
            in_flight: self.controller.in_flight(),
            smoothed_rtt: self.rtt.smoothed(),
            rtt_variation: self.rtt.variation(),
            min_rtt: self.rtt.min(),
            pto_count: self.pto_count,
        }
    }

    /// Whether the storage can be taken back: the session has ended and nothing leaves any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// The next event for the application.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// Panics where the state contradicts itself; for debug builds and tests, after any call.
    pub fn check(&mut self) {
        self.check_in_flight();
        let memory = self.storage.memory();
        self.send.check(&memory);
    }
}

/// Why nothing could be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteError {
    /// The application has finished its direction.
    Finished,
    /// The session has ended.
    Closed(Closure),
}

/// Why nothing more can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// Everything the peer sent has been read.
    Finished,
    /// The session ended before the peer's stream did.
    Closed(Closure),
}
