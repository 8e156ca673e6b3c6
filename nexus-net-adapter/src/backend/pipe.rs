//! A byte stream in memory, in virtual time: TCP without a network, to try things out and to see the shape of a seam.
//!
//! Each direction of a [`Pipe`] holds `N` bytes; what finds it full waits, as at a TCP window. Nothing allocates,
//! nothing looks at a clock: waiting *is* the passing of time.

use core::cell::{Cell, RefCell};

use heapless::Deque;
use udp_sec::time::Instant;

use crate::tcp::{ByteStream, ByteStreamError, Readiness};

/// Two directions and a clock.
#[derive(Debug, Default)]
pub struct Pipe<const N: usize> {
    there: Lane<N>,
    back: Lane<N>,
    now: Cell<Instant>,
}

/// One direction.
#[derive(Debug, Default)]
struct Lane<const N: usize> {
    bytes: RefCell<Deque<u8, N>>,
    state: Cell<State>,
}

/// What an end can still do in a direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Open,
    /// No more will be sent; what is in it can be received.
    Finished,
    /// The receiving end is gone.
    Lost,
}

impl<const N: usize> Pipe<N> {
    /// An empty pipe, at time 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { there: Lane::new(), back: Lane::new(), now: Cell::new(Instant::ZERO) }
    }

    /// Its two ends.
    #[must_use]
    pub const fn ends(&self) -> (PipeEnd<'_, N>, PipeEnd<'_, N>) {
        (
            PipeEnd { inbound: &self.back, outbound: &self.there, now: &self.now },
            PipeEnd { inbound: &self.there, outbound: &self.back, now: &self.now },
        )
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now.get()
    }

    /// Lets time pass until `instant`; it never goes back.
    pub fn advance_to(&self, instant: Instant) {
        self.now.set(self.now.get().max(instant));
    }
}

impl<const N: usize> Lane<N> {
    const fn new() -> Self {
        Self { bytes: RefCell::new(Deque::new()), state: Cell::new(State::Open) }
    }
}

/// One end of a [`Pipe`]. Dropped, it is gone for both directions, as a closed socket is.
#[derive(Debug)]
pub struct PipeEnd<'p, const N: usize> {
    inbound: &'p Lane<N>,
    outbound: &'p Lane<N>,
    now: &'p Cell<Instant>,
}

impl<const N: usize> Drop for PipeEnd<'_, N> {
    fn drop(&mut self) {
        self.finish();
        self.inbound.state.set(State::Lost);
    }
}

impl<const N: usize> ByteStream for PipeEnd<'_, N> {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<usize, ByteStreamError> {
        let mut bytes = self.inbound.bytes.borrow_mut();
        let mut count = 0_usize;
        for (to, from) in room.iter_mut().zip(core::iter::from_fn(|| bytes.pop_front())) {
            *to = from;
            count = count.saturating_add(1);
        }
        match (count, self.inbound.state.get()) {
            (0, State::Open) => Err(ByteStreamError::WouldBlock),
            (count, _) => Ok(count),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, ByteStreamError> {
        if self.outbound.state.get() != State::Open {
            return Err(ByteStreamError::Lost);
        }
        let mut lane = self.outbound.bytes.borrow_mut();
        match bytes.iter().take_while(|byte| lane.push_back(**byte).is_ok()).count() {
            0 => Err(ByteStreamError::WouldBlock),
            count => Ok(count),
        }
    }

    fn finish(&mut self) {
        if self.outbound.state.get() == State::Open {
            self.outbound.state.set(State::Finished);
        }
    }

    fn wait(&mut self, readiness: Readiness, until: Instant) {
        let sendable = !self.outbound.bytes.borrow().is_full() || self.outbound.state.get() != State::Open;
        let receivable = !self.inbound.bytes.borrow().is_empty() || self.inbound.state.get() != State::Open;
        let ready = readiness.in_sending() && sendable || readiness.in_receiving() && receivable;
        if !ready {
            self.now.set(self.now.get().max(until));
        }
    }
}
