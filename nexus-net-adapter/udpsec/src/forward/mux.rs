//! [`Mux`]: one session with all its streams, for the tasks of one thread.
//!
//! ```text
//! task of a connection ── write, read, close ──► Engine ◄── run ── task of the pump ◄──► stream below
//!          ▲                     └── `work` ───────────────────────────▲       │
//!          └───────────────────────────── `Signals` of the stream ◄────────────┘
//! ```
//! A connection's task looks at the engine, and where it would have to wait, waits for a signal of its stream. One task
//! runs the pump and turns the engine's events into signals. A signal that nobody waits for is kept, so none is lost.
//! Every buffer is the engine's, of a fixed size; what does not fit waits in the sockets, and so in their senders.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nexus_net_adapter::mux::{
    End, Engine, Event, MuxError, MuxReject, PriorityClass, Progress, Pump, ResetCode, Side, StreamId,
    StreamName, limits,
};
use nexus_net_adapter::stream::{PeerIdentity, PollReady};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};
use udp_sec::time::Instant;

use super::wire::{self, Refusal, Request};

/// Between the ticks of the mux: a silent peer is asked after 3 of them, and given up after 9.
const TICK: Duration = Duration::from_secs(2);
/// The class of all streams: none is more urgent than another.
const CLASS: PriorityClass = PriorityClass::HIGHEST;
/// Bytes of the pump's buffers.
const BATCH: usize = 65_536;

/// A session.
#[derive(Debug)]
pub(crate) struct Mux {
    engine: RefCell<Engine<Vec<u8>>>,
    signals: RefCell<HashMap<StreamId, Rc<Signals>>>,
    /// The engine has something to send.
    work: Notify,
    /// A stream has given its place back.
    freed: Notify,
    /// Streams that we have opened.
    opened: Cell<u64>,
    /// For as many connections of ours as there can be streams.
    rooms: Arc<Semaphore>,
}

/// What the tasks of one stream wait for.
#[derive(Debug, Default)]
struct Signals {
    accepted: Notify,
    readable: Notify,
    writable: Notify,
    reset: Notify,
    /// Once it was reset by the peer, or with the session.
    code: Cell<Option<ResetCode>>,
}

/// One stream of a session. Dropping it gives it up, unless both directions are complete.
#[derive(Debug)]
pub(crate) struct MuxStream {
    mux: Rc<Mux>,
    id: StreamId,
    signals: Rc<Signals>,
}

impl Mux {
    /// The session with `peer`; nothing moves before [`run`](Self::run). The memory is touched where it is used.
    pub(crate) fn new(side: Side, peer: PeerIdentity) -> Rc<Self> {
        let memory = vec![0; limits::STREAMS_MAX * limits::BUFFERED_MAX];
        Rc::new(Self {
            engine: RefCell::new(Engine::new(side, peer, memory)),
            signals: RefCell::default(),
            work: Notify::new(),
            freed: Notify::new(),
            opened: Cell::new(0),
            rooms: Arc::new(Semaphore::new(limits::STREAMS_MAX)),
        })
    }

    /// Moves what there is to move, until the session ends. Streams that the peer opens go to `on_opened`.
    pub(crate) async fn run<S: PollReady>(
        self: &Rc<Self>,
        stream: S,
        mut on_opened: impl FnMut(MuxStream),
    ) -> End {
        let mut pump = match Pump::<_, BATCH>::begin(stream) {
            Ok(pump) => Box::new(pump),
            Err(reject) => return self.engine.borrow_mut().end(End::Rejected(reject)),
        };
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let progress = pump.run(&mut self.engine.borrow_mut(), Instant::ZERO);
            self.signal(&mut on_opened);
            match progress {
                Err(end) => return end,
                Ok(Progress::Moved) => {
                    yield_now().await;
                    continue;
                }
                Ok(Progress::Idle) => {}
            }
            let interest = pump.interest(&self.engine.borrow());
            tokio::select! {
                () = poll_fn(|context| pump.stream_mut().poll_ready(interest, context)) => {}
                () = self.work.notified() => {}
                // What it decides, the next run tells.
                _ = ticks.tick() => {
                    _ = self.engine.borrow_mut().tick();
                }
            }
        }
    }

    /// Waits for room for another connection of ours. There is room as long as what is returned is kept.
    pub(crate) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.rooms).acquire_owned().await.ok()
    }

    /// Opens a stream for `request`, as soon as there is a place for it.
    pub(crate) async fn open(self: &Rc<Self>, request: &Request) -> Result<MuxStream, Refusal> {
        loop {
            let mut freed = pin!(self.freed.notified());
            // From here on a place that is given back is noticed.
            freed.as_mut().enable();
            match self.try_open() {
                Ok(stream) => {
                    stream.write_all(&wire::framed(request)).await?;
                    match stream.accepted().await {
                        // It opened as many as we did, at the same time.
                        Err(Refusal::Other(ResetCode::NO_ROOM)) => {}
                        outcome => return outcome.map(|()| stream),
                    }
                }
                Err(MuxError::Reject(MuxReject::StreamLimitExceeded)) => {}
                Err(error) => return Err(error.into()),
            }
            freed.await;
        }
    }

    fn try_open(self: &Rc<Self>) -> Result<MuxStream, MuxError> {
        let mut engine = self.engine.borrow_mut();
        let number = self.opened.get().wrapping_add(1);
        // Names have to differ, from those of the other side, too.
        let side = match engine.side() {
            Side::Initiator => "caller",
            Side::Responder => "listener",
        };
        let id = engine.open(CLASS, StreamName::new(&format!("{side} {number}"))?)?;
        self.opened.set(number);
        drop(engine);
        self.work.notify_one();
        Ok(self.stream(id))
    }

    fn stream(self: &Rc<Self>, id: StreamId) -> MuxStream {
        let signals = Rc::new(Signals::default());
        self.signals.borrow_mut().insert(id, Rc::clone(&signals));
        MuxStream { mux: Rc::clone(self), id, signals }
    }

    /// Turns what the engine has to tell into signals.
    fn signal(self: &Rc<Self>, on_opened: &mut impl FnMut(MuxStream)) {
        while let Some(event) = self.poll_event() {
            let tell = |id, tell: fn(&Signals)| {
                if let Some(signals) = self.signals.borrow().get(&id) {
                    tell(signals);
                }
            };
            match event {
                Event::Opened { stream, .. } => on_opened(self.stream(stream)),
                Event::Accepted(id) => tell(id, |signals| signals.accepted.notify_one()),
                Event::Readable(id) => tell(id, |signals| signals.readable.notify_one()),
                Event::Writable(id) => tell(id, |signals| signals.writable.notify_one()),
                Event::Reset(id, code) => {
                    if let Some(signals) = self.signals.borrow().get(&id) {
                        signals.code.set(Some(code));
                        for signal in
                            [&signals.accepted, &signals.readable, &signals.writable, &signals.reset]
                        {
                            signal.notify_one();
                        }
                    }
                }
            }
        }
        if self.engine.borrow().streams() < limits::STREAMS_MAX {
            self.freed.notify_waiters();
        }
    }

    fn poll_event(&self) -> Option<Event> {
        self.engine.borrow_mut().poll_event()
    }
}

impl MuxStream {
    /// Its id.
    pub(crate) const fn id(&self) -> StreamId {
        self.id
    }

    /// Waits until the peer has taken it in. What was written before that has not left.
    async fn accepted(&self) -> Result<(), Refusal> {
        self.signals.accepted.notified().await;
        self.signals.code.get().map_or(Ok(()), |code| Err(code.into()))
    }

    /// Waits until it is reset by the peer or with the session, which may be never.
    pub(crate) async fn reset_by_peer(&self) -> Refusal {
        loop {
            if let Some(code) = self.signals.code.get() {
                return code.into();
            }
            self.signals.reset.notified().await;
        }
    }

    /// Writes all of `bytes`, as the peer makes room for them.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            let written = self.mux.engine.borrow_mut().write(self.id, bytes);
            match written {
                Ok(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    self.mux.work.notify_one();
                }
                Err(MuxError::WouldBlock { .. }) => self.signals.writable.notified().await,
                Err(error) => return Err(self.why(error)),
            }
        }
        Ok(())
    }

    /// Ends our direction.
    pub(crate) fn close(&self) -> Result<(), Refusal> {
        let closed = self.mux.engine.borrow_mut().close(self.id);
        self.mux.work.notify_one();
        closed.map_err(|error| self.why(error))
    }

    /// Gives it up, and tells the peer why.
    pub(crate) fn reset(&self, why: Refusal) {
        // Complete or reset before, there is nothing to tell.
        _ = self.mux.engine.borrow_mut().reset(self.id, why.code());
        self.mux.work.notify_one();
    }

    /// Waits for bytes and shows them, where they lie, to `take`, which returns how many it took; both pieces are empty
    /// at the end.
    pub(crate) async fn read_with<T>(
        &self,
        mut take: impl FnMut(&[u8], &[u8]) -> (usize, T),
    ) -> Result<T, Refusal> {
        loop {
            if let Some(outcome) = self.try_read_with(&mut take)? {
                return Ok(outcome);
            }
            self.signals.readable.notified().await;
        }
    }

    fn try_read_with<T>(
        &self,
        take: &mut impl FnMut(&[u8], &[u8]) -> (usize, T),
    ) -> Result<Option<T>, Refusal> {
        let mut engine = self.mux.engine.borrow_mut();
        let (count, outcome) = match engine.peek(self.id) {
            Ok((first, second)) => take(first, second),
            Err(MuxError::WouldBlock { .. }) => return Ok(None),
            Err(error) => return Err(self.why(error)),
        };
        if count > 0 {
            engine.consume(self.id, count);
            self.mux.work.notify_one();
        }
        Ok(Some(outcome))
    }

    /// Reads a message of the protocol.
    pub(crate) async fn read_message(&self) -> Result<String, Refusal> {
        let mut message = [0; wire::MESSAGE_MAX];
        let len = u16::from_le_bytes(self.read_array().await?);
        let room = message.get_mut(..len.into()).ok_or(Refusal::BadRequest)?;
        self.read_exact(room).await?;
        let text = std::str::from_utf8(room).map_err(|_| Refusal::BadRequest)?;
        Ok(text.to_owned())
    }

    async fn read_array<const N: usize>(&self) -> Result<[u8; N], Refusal> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_exact(&self, mut room: &mut [u8]) -> Result<(), Refusal> {
        while !room.is_empty() {
            let copied = self.read_with(|first, second| {
                let bytes = first.iter().chain(second);
                let count = room.iter_mut().zip(bytes).map(|(room, byte)| *room = *byte).count();
                (count, count)
            });
            match copied.await? {
                0 => return Err(Refusal::BadRequest),
                count => room = room.get_mut(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Why a call did nothing. Once the application has been told of a reset, the engine need not know it any more.
    fn why(&self, error: MuxError) -> Refusal {
        self.signals.code.get().map_or_else(|| error.into(), Refusal::from)
    }
}

impl Drop for MuxStream {
    fn drop(&mut self) {
        self.mux.signals.borrow_mut().remove(&self.id);
        let mut engine = self.mux.engine.borrow_mut();
        if engine.reset(self.id, ResetCode::CANCELLED).is_err() {
            // Both directions are closed, or it is no more. What nobody will read gives its place back.
            engine.consume(self.id, usize::MAX);
            _ = engine.peek(self.id);
        }
        drop(engine);
        self.mux.work.notify_one();
    }
}

impl From<MuxError> for Refusal {
    fn from(error: MuxError) -> Self {
        match error {
            MuxError::Reset(code) => code.into(),
            MuxError::Ended(_) => ResetCode::SESSION_ENDED.into(),
            MuxError::WouldBlock { .. } | MuxError::Reject(_) => ResetCode::CANCELLED.into(),
        }
    }
}
