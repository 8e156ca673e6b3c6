//! Many threads on one socket without a thread of its own: whoever waits drives.
//!
//! Everything is behind one lock, which is held for a batch of datagrams and never while waiting. A call that cannot
//! be answered yet waits in one of two ways: the first thread to wait becomes the leader, and waits at the socket;
//! the others wait to be told. When the leader has what it came for, it calls a successor. A program with one thread
//! has only ever a leader, and pays one free lock per call.
//!
//! Tasks do not wait here: their wakers are kept, and called once the lock has been given back (`tasks`).

use core::net::SocketAddr;
use core::task::{Context, Poll, Waker as TaskWaker};
use std::boxed::Box;
use std::io;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as SystemDuration;

use getrandom::SysRng;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::{Config, Endpoint, SessionId};

use super::clock::HostClock;
use super::endpoint::Peers;
use super::pool::HostPool;
use super::socket::HostSocket;
use super::tasks::{Tasks, Wish};
use super::waiting::{Topic, Waiting};
use super::waker::Waker;
use super::{HANDSHAKES_MAX, SESSIONS_MAX};
use crate::stream::StreamError;
use crate::udp::{Driver, Next};

/// Calls that follow each other faster than this share one look at the socket.
const LOOK_INTERVAL: Duration = Duration::from_micros(20);
/// No wait is longer, so that no deadline, however far, exceeds what the system can express.
const WAIT_MAX: Duration = Duration::from_secs(3600);

pub(super) type HostDriver = Driver<HostSocket, SysRng, HostPool, Peers, SESSIONS_MAX, HANDSHAKES_MAX>;

/// What the handles of one endpoint have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: HostClock,
    pub(super) socket: Arc<UdpSocket>,
    waker: Waker,
    state: Mutex<State>,
}

/// What the lock protects.
#[derive(Debug)]
pub(super) struct State {
    pub(super) driver: Box<HostDriver>,
    /// What the last step asked for.
    next: Next,
    /// When the socket was last looked at.
    looked_at: Instant,
    /// The thread that waits at the socket, while one does.
    leader: Option<Leader>,
    waiting: Waiting,
    tasks: Tasks,
}

/// What another thread has to know to wake the leader when it should.
#[derive(Clone, Copy, Debug)]
struct Leader {
    topic: Topic,
    /// When it wakes by itself, by what was known when it lay down.
    until: Instant,
}

/// Whether a step looks at the socket for datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Look {
    /// It does.
    Always,
    /// It does unless that has just been done.
    IfDue,
}

impl Shared {
    pub(super) fn bind(address: SocketAddr, config: Config, peers: Peers) -> io::Result<Self> {
        let datagrams = HostSocket::bind(address)?;
        let socket = datagrams.system_socket();
        let endpoint = Endpoint::new(config, Box::default(), HostPool::new(SESSIONS_MAX), peers);
        let driver = Box::new(Driver::new(endpoint, datagrams, SysRng));
        let state = State {
            driver,
            next: Next { wake_at: None, blocked: false },
            looked_at: Instant::ZERO,
            leader: None,
            waiting: Waiting::default(),
            tasks: Tasks::default(),
        };
        Ok(Self { clock: HostClock::start(), socket, waker: Waker::new()?, state: Mutex::new(state) })
    }

    /// Looks, without doing anything.
    pub(super) fn look<T>(&self, at: impl FnOnce(&mut HostDriver) -> T) -> T {
        at(&mut self.lock().driver)
    }

    /// Does something that cannot have to wait, and lets what follows from it leave.
    pub(super) fn act<T>(&self, action: impl FnOnce(&mut HostDriver, Instant) -> T) -> T {
        let mut state = self.lock();
        let outcome = action(&mut state.driver, self.clock.now());
        self.depart(state);
        outcome
    }

    /// Calls `attempt` until it does not ask to wait, or the deadline has passed.
    pub(super) fn wait_for<T>(
        &self,
        topic: Topic,
        deadline: Instant,
        mut attempt: impl FnMut(&mut HostDriver) -> Result<T, StreamError>,
    ) -> Result<T, StreamError> {
        let mut state = self.lock();
        let mut outcome = attempt(&mut state.driver);
        if matches!(outcome, Err(StreamError::WouldBlock)) {
            self.step(&mut state, self.clock.now(), Look::IfDue);
            outcome = attempt(&mut state.driver);
            while matches!(outcome, Err(StreamError::WouldBlock)) {
                let now = self.clock.now();
                if now >= deadline {
                    break;
                }
                state = match state.leader {
                    _ if state.tasks.are_due() => {
                        self.unlock(state);
                        self.lock()
                    }
                    None => self.lead(state, topic, now, deadline),
                    Some(_) => follow(state, topic, now, deadline),
                };
                outcome = attempt(&mut state.driver);
                if matches!(outcome, Err(StreamError::WouldBlock)) && self.clock.now() >= deadline {
                    outcome = Err(StreamError::TimedOut);
                }
            }
        }
        self.depart(state);
        outcome
    }

    /// As [`wait_for`](Self::wait_for), for a task: it is woken once another attempt is worth while.
    pub(super) fn poll_for<T>(
        &self,
        wish: Wish,
        context: &Context<'_>,
        mut attempt: impl FnMut(&mut HostDriver) -> Result<T, StreamError>,
    ) -> Poll<Result<T, StreamError>> {
        let mut state = self.lock();
        let mut outcome = attempt(&mut state.driver);
        let mut replaced = None;
        if matches!(outcome, Err(StreamError::WouldBlock)) {
            self.step(&mut state, self.clock.now(), Look::IfDue);
            outcome = attempt(&mut state.driver);
            if matches!(outcome, Err(StreamError::WouldBlock)) {
                // Before the step of the departure, which may be the one that has something to tell.
                replaced = Some(state.tasks.keep(wish, context.waker()));
            }
        }
        self.depart(state);
        drop(replaced);
        match outcome {
            Err(StreamError::WouldBlock) => Poll::Pending,
            outcome => Poll::Ready(outcome),
        }
    }

    /// The application is done with `id`.
    pub(super) fn release(&self, id: SessionId) {
        let mut state = self.lock();
        state.driver.release(self.clock.now(), id);
        let forgotten = state.tasks.forget(id);
        self.depart(state);
        drop(forgotten);
    }

    /// Lets those who only keep the sessions going look whether they are still to.
    pub(super) fn call_attendants(&self) {
        let state = self.lock();
        if state.leader.is_some() {
            self.waker.wake();
        }
        state.waiting.tell_attendants();
    }

    /// Waits at the socket for everybody, and does what there is to do then.
    fn lead<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        topic: Topic,
        now: Instant,
        deadline: Instant,
    ) -> MutexGuard<'s, State> {
        let until = state.next.wake_at.map_or(deadline, |wake_at| wake_at.min(deadline));
        if until > now {
            let blocked = state.next.blocked;
            state.leader = Some(Leader { topic, until });
            drop(state);
            self.waker.wait(&self.socket, blocked, timeout(now, until));
            state = self.lock();
            state.leader = None;
        }
        self.step(&mut state, self.clock.now(), Look::Always);
        state
    }

    /// The end of a call: what it made due leaves, and somebody waits at the socket if anybody waits.
    fn depart<'s>(&'s self, mut state: MutexGuard<'s, State>) {
        self.step(&mut state, self.clock.now(), Look::IfDue);
        if state.leader.is_none() {
            state.waiting.call_successor();
        }
        self.unlock(state);
    }

    /// Gives the lock back, and wakes the tasks that are due. Not earlier: a waker is code of others, who may call us.
    fn unlock<'s>(&'s self, mut state: MutexGuard<'s, State>) {
        while state.tasks.are_due() {
            let batch = state.tasks.take_due();
            drop(state);
            batch.into_iter().for_each(TaskWaker::wake);
            state = self.lock();
        }
    }

    /// One step of the driver.
    fn step(&self, state: &mut State, now: Instant, look: Look) {
        let State { driver, next, looked_at, leader, waiting, tasks } = state;
        // Others may know by now what the leader sleeps for, or have changed when it should wake.
        let mut wake = leader.is_some_and(|leader| leader.topic == Topic::Progress);
        let on_event = |id, event| {
            waiting.tell(id, event);
            tasks.tell(id, event);
            wake |= leader.is_some_and(|leader| leader.topic.is_about(id, event));
        };
        if look == Look::Always || now.saturating_since(*looked_at) >= LOOK_INTERVAL {
            *looked_at = now;
            *next = driver.drive(now, on_event);
        } else {
            *next = driver.flush(now, on_event);
        }
        waiting.tell_progress();
        tasks.tell_delivered(|id| driver.peek(id).is_none_or(Connection::is_delivered));
        wake |= leader
            .is_some_and(|leader| next.blocked || next.wake_at.is_some_and(|wake_at| wake_at < leader.until));
        if wake {
            self.waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of ours panics with the lock held; a caller's closure that does leaves whole calls behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits to be told.
fn follow<'s>(
    mut state: MutexGuard<'s, State>,
    topic: Topic,
    now: Instant,
    deadline: Instant,
) -> MutexGuard<'s, State> {
    let (index, signal) = state.waiting.enter(topic);
    let waited = signal.wait_timeout(state, timeout(now, deadline));
    let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    state.waiting.leave(index);
    state
}

fn timeout(now: Instant, until: Instant) -> SystemDuration {
    SystemDuration::from_micros(until.saturating_since(now).min(WAIT_MAX).as_micros())
}
