//! Two sockets joined in memory, in virtual time: to try things out, and to see the shape of a backend.
//!
//! A [`Wire`] holds what is under way, each direction in a queue of `N` datagrams; what finds it full is dropped and
//! counted, as on any path. Nothing allocates, nothing looks at a clock: waiting by a [`VirtualClock`] *is* the
//! passing of time.

use core::cell::{Cell, RefCell};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use heapless::Deque;
use udp_sec::limits::DATAGRAM_MAX;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Path, Transmit};

use crate::udp::{Clock, Datagrams, Received, SendError};

/// Segments that one send can take.
const SEGMENTS: usize = 8;

/// A datagram under way.
#[derive(Debug)]
struct Parcel {
    arrives: Instant,
    path: Path,
    len: usize,
    bytes: [u8; DATAGRAM_MAX],
}

/// One direction.
#[derive(Debug)]
struct Lane<const N: usize> {
    parcels: RefCell<Deque<Parcel, N>>,
    dropped: Cell<u64>,
}

/// A link between two [`WireSocket`]s that takes the same time each way, loses only what finds its queue full, and
/// changes nothing.
#[derive(Debug)]
pub struct Wire<const N: usize> {
    delay: Duration,
    there: Lane<N>,
    back: Lane<N>,
}

impl<const N: usize> Wire<N> {
    /// An empty link, `delay` one way.
    #[must_use]
    pub const fn new(delay: Duration) -> Self {
        Self { delay, there: Lane::new(), back: Lane::new() }
    }

    /// Its two ends.
    #[must_use]
    pub const fn ends(&self) -> (WireSocket<'_, N>, WireSocket<'_, N>) {
        let (left, right) = (address(1), address(2));
        let near = WireSocket::new(self.delay, left, &self.back, &self.there);
        let far = WireSocket::new(self.delay, right, &self.there, &self.back);
        (near, far)
    }

    /// When the next datagram arrives, at either end.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        [&self.there, &self.back].into_iter().filter_map(Lane::next_arrival).min()
    }

    /// Datagrams that found a full queue.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.there.dropped.get().saturating_add(self.back.dropped.get())
    }
}

impl<const N: usize> Lane<N> {
    const fn new() -> Self {
        Self { parcels: RefCell::new(Deque::new()), dropped: Cell::new(0) }
    }

    fn next_arrival(&self) -> Option<Instant> {
        self.parcels.borrow().front().map(|parcel| parcel.arrives)
    }
}

/// The address of an end; from a block that is set aside for documents (RFC 5737).
const fn address(host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), 4433)
}

/// One end of a [`Wire`].
#[derive(Debug)]
pub struct WireSocket<'w, const N: usize> {
    delay: Duration,
    local: SocketAddr,
    inbound: &'w Lane<N>,
    outbound: &'w Lane<N>,
    buffer: [u8; SEGMENTS * DATAGRAM_MAX],
}

impl<'w, const N: usize> WireSocket<'w, N> {
    const fn new(delay: Duration, local: SocketAddr, inbound: &'w Lane<N>, outbound: &'w Lane<N>) -> Self {
        Self { delay, local, inbound, outbound, buffer: [0; SEGMENTS * DATAGRAM_MAX] }
    }

    /// Its address, by which the other end knows it.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl<const N: usize> Datagrams for WireSocket<'_, N> {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        let contents = self.buffer.get(..transmit.len).ok_or(SendError::Failed)?;
        let path = Path { remote: self.local, local: Some(transmit.path.remote.ip()) };
        for datagram in contents.chunks(transmit.segment.max(1)) {
            let mut bytes = [0; DATAGRAM_MAX];
            let len = datagram.len();
            bytes.get_mut(..len).ok_or(SendError::TooLarge)?.copy_from_slice(datagram);
            let parcel = Parcel { arrives: now + self.delay, path, len, bytes };
            if self.outbound.parcels.borrow_mut().push_back(parcel).is_err() {
                self.outbound.dropped.set(self.outbound.dropped.get().saturating_add(1));
            }
        }
        Ok(())
    }

    fn receive(&mut self, now: Instant, mut deliver: impl FnMut(Path, &mut [u8])) -> Received {
        let mut received = Received::Nothing;
        while self.inbound.next_arrival().is_some_and(|arrives| arrives <= now) {
            // Taken out first: whoever it is delivered to may send.
            let parcel = self.inbound.parcels.borrow_mut().pop_front();
            let Some(mut parcel) = parcel else { break };
            if let Some(datagram) = parcel.bytes.get_mut(..parcel.len) {
                deliver(parcel.path, datagram);
            }
            received = Received::All;
        }
        received
    }
}

/// A clock that stands still until somebody waits.
#[derive(Debug, Default)]
pub struct VirtualClock {
    now: Cell<Instant>,
}

impl VirtualClock {
    /// A clock that begins at `start`.
    #[must_use]
    pub const fn new(start: Instant) -> Self {
        Self { now: Cell::new(start) }
    }

    /// Lets time pass until `instant`; it never goes back.
    pub fn advance_to(&self, instant: Instant) {
        self.now.set(self.now.get().max(instant));
    }
}

impl Clock for &VirtualClock {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn idle(&self, until: Instant) {
        self.advance_to(until);
    }
}

#[cfg(test)]
mod tests;
