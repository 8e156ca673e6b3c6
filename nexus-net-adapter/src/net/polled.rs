//! [`PolledStack`]: a stack, the time it is polled by, and what to do while there is nothing to do.
//!
//! The rule that keeps a frame from being slept over: nobody sleeps unless the stack was polled after the last thing
//! handed to it, and what that poll brought has been looked at. The bridges poll before they receive, so a second
//! call of [`PolledStack::wait`] in a row has nothing left to miss.

use core::cell::{Cell, RefCell};

use udp_sec::time::Instant;

use super::error::NetError;
use super::stack::NetStack;
use super::ticks::{NetInstant, TickRate};

/// The system's tick counter, and its way to wait.
pub trait Ticker {
    /// The present, in the stack's ticks. Never goes back.
    fn now(&self) -> NetInstant;

    /// Called when nothing is due before `until` unless a frame arrives. May return at any time: at once is a busy
    /// loop, at an interrupt is what a device does. Where a frame that is already there would not end the sleep, it
    /// must be looked for first.
    fn sleep(&self, until: NetInstant);
}

impl<T: Ticker + ?Sized> Ticker for &T {
    fn now(&self) -> NetInstant {
        (**self).now()
    }

    fn sleep(&self, until: NetInstant) {
        (**self).sleep(until);
    }
}

/// A [`NetStack`] shared by what runs over it in one thread. Whoever waits polls.
#[derive(Debug)]
pub struct PolledStack<N, T> {
    stack: RefCell<N>,
    ticker: T,
    rate: TickRate,
    /// Something was handed to the stack that a poll has to bring on its way.
    unpolled: Cell<bool>,
}

impl<N: NetStack, T: Ticker> PolledStack<N, T> {
    /// Polls `stack` by `ticker`, whose ticks go by `rate`.
    pub const fn new(stack: N, ticker: T, rate: TickRate) -> Self {
        Self { stack: RefCell::new(stack), ticker, rate, unpolled: Cell::new(false) }
    }

    /// The present, in the time of sessions.
    pub fn now(&self) -> Instant {
        self.rate.instant(self.ticker.now())
    }

    /// Polls the stack.
    pub fn poll(&self) {
        self.unpolled.set(false);
        // It is in use only while `look` runs, which may not poll.
        if let Ok(mut stack) = self.stack.try_borrow_mut() {
            stack.poll(self.ticker.now());
        }
    }

    /// Sleeps until `until`, until the stack has something to do, or until the ticker's sleep ends, and polls. Returns
    /// without sleep if something has been handed to the stack since it was polled.
    pub fn wait(&self, until: Instant) {
        if !self.unpolled.get() {
            let until = self.rate.ticks(until);
            let wake = self.stack.try_borrow().ok().and_then(|stack| stack.next_wake());
            let wake = wake.map_or(until, |wake| wake.min(until));
            if wake > self.ticker.now() {
                self.ticker.sleep(wake);
            }
        }
        self.poll();
    }

    /// The stack, to look at.
    pub fn look<R>(&self, at: impl FnOnce(&N) -> R) -> R {
        at(&self.stack.borrow())
    }

    /// The ticker.
    pub const fn ticker(&self) -> &T {
        &self.ticker
    }

    /// How fast the stack's time counts.
    pub const fn rate(&self) -> TickRate {
        self.rate
    }

    /// The stack wants to be polled, for somebody gave it something to do.
    pub(super) fn touch(&self) {
        self.unpolled.set(true);
    }

    /// Opens something at the stack.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn open<S>(&self, open: impl FnOnce(&mut N) -> Result<S, NetError>) -> Result<S, NetError> {
        self.touch();
        let mut stack = self.stack.try_borrow_mut().map_err(|_| NetError::Internal("opened from within"))?;
        open(&mut stack)
    }
}
