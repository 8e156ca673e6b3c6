//! What TCP is like on a path that loses packets, in virtual time: the bytes come in order and complete, but a lost
//! segment holds back all that is behind it until it was sent again, and then they come in a burst.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use nexus_net_adapter::tcp::{ByteStream, ByteStreamError, Readiness};
use udp_sec::time::{Duration, Instant};

/// Bytes of a segment, at most.
pub(crate) const SEGMENT: usize = 1460;
/// Until a segment that was lost twice is sent once more; twice as long each time.
const TIMEOUT: Duration = Duration::from_millis(200);

/// What the path is like.
#[derive(Clone, Copy)]
pub(crate) struct Conditions {
    /// One way.
    pub(crate) delay: Duration,
    /// Bits a second.
    pub(crate) rate: u64,
    /// Bytes that have left and not been read, at most.
    pub(crate) window: usize,
    pub(crate) loss_ppm: u32,
}

/// One direction.
struct Lane {
    /// What is under way, with the time at which it arrives.
    segments: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    link_free_at: Instant,
    conditions: Conditions,
    random: u64,
    finished: bool,
}

impl Lane {
    fn new(conditions: Conditions, seed: u64) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            segments: VecDeque::new(),
            bytes: 0,
            link_free_at: Instant::ZERO,
            conditions,
            random: seed,
            finished: false,
        }))
    }

    fn is_lost(&mut self) -> bool {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % 1_000_000 < u64::from(self.conditions.loss_ppm)
    }

    fn send(&mut self, now: Instant, segment: &[u8]) {
        let Conditions { delay, rate, .. } = self.conditions;
        let serialisation = Duration::from_micros(segment.len() as u64 * 8_000_000 / rate);
        self.link_free_at = self.link_free_at.max(now) + serialisation;
        let mut arrives = self.link_free_at + delay;
        // The first loss shows in the acknowledgements of what follows, the next ones by the clock.
        let mut repair = delay * 2;
        while self.is_lost() {
            arrives += repair;
            repair = TIMEOUT.max(repair * 2);
        }
        let behind = self.segments.back().map_or(Instant::ZERO, |(arrives, _)| *arrives);
        self.segments.push_back((arrives.max(behind), segment.to_vec()));
        self.bytes += segment.len();
    }
}

/// One end.
pub(crate) struct StallingEnd {
    now: Rc<Cell<Instant>>,
    inbound: Rc<RefCell<Lane>>,
    outbound: Rc<RefCell<Lane>>,
}

/// The time of a connection.
pub(crate) struct SharedClock {
    now: Rc<Cell<Instant>>,
    lanes: [Rc<RefCell<Lane>>; 2],
}

impl SharedClock {
    /// Lets time pass until something arrives, or until `latest`.
    pub(crate) fn advance(&self, latest: Instant) {
        let arrivals = self.lanes.iter().filter_map(|lane| Some(lane.borrow().segments.front()?.0));
        let next = arrivals.filter(|arrives| *arrives > self.now.get()).chain([latest]).min();
        self.now.set(next.unwrap_or(latest).max(self.now.get()));
    }
}

/// Both ends of a connection over a path of these `conditions`, and its clock.
pub(crate) fn ends(conditions: Conditions, seed: u64) -> (StallingEnd, StallingEnd, SharedClock) {
    let now = Rc::new(Cell::new(Instant::ZERO));
    let [there, back] = [1, 2].map(|direction| Lane::new(conditions, 2 * seed + direction));
    let end = |inbound: &Rc<_>, outbound: &Rc<_>| StallingEnd {
        now: Rc::clone(&now),
        inbound: Rc::clone(inbound),
        outbound: Rc::clone(outbound),
    };
    let (near, far) = (end(&back, &there), end(&there, &back));
    (near, far, SharedClock { now, lanes: [there, back] })
}

impl ByteStream for StallingEnd {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<usize, ByteStreamError> {
        let mut lane = self.inbound.borrow_mut();
        let mut count = 0;
        while let Some((arrives, segment)) = lane.segments.front_mut() {
            if *arrives > self.now.get() || count == room.len() {
                break;
            }
            let len = segment.len().min(room.len() - count);
            room[count..count + len].copy_from_slice(&segment[..len]);
            segment.drain(..len);
            count += len;
            if segment.is_empty() {
                lane.segments.pop_front();
            }
        }
        lane.bytes -= count;
        match count {
            0 if lane.finished && lane.segments.is_empty() => Ok(0),
            0 => Err(ByteStreamError::WouldBlock),
            count => Ok(count),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<usize, ByteStreamError> {
        let mut lane = self.outbound.borrow_mut();
        if lane.finished {
            return Err(ByteStreamError::Lost);
        }
        let len = bytes.len().min(lane.conditions.window - lane.bytes);
        bytes[..len].chunks(SEGMENT).for_each(|segment| lane.send(self.now.get(), segment));
        if len == 0 { Err(ByteStreamError::WouldBlock) } else { Ok(len) }
    }

    fn finish(&mut self) {
        self.outbound.borrow_mut().finished = true;
    }

    fn wait(&mut self, _: Readiness, until: Instant) {
        // Room comes when the other end reads, which is not running: only what arrives ends the wait.
        let arrives = self.inbound.borrow().segments.front().map(|(arrives, _)| *arrives);
        let next = arrives.filter(|arrives| *arrives > self.now.get());
        self.now.set(self.now.get().max(next.map_or(until, |next| next.min(until))));
    }
}

impl Drop for StallingEnd {
    fn drop(&mut self) {
        self.finish();
    }
}
