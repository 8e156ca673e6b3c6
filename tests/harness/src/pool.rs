//! Connections on the heap, for every profile.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use heapless::Deque;
use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::Pool;
use udp_sec_recovery::memory::{Memory, Storage};
use udp_sec_recovery::send::sent_queue::SentPacket;
use udp_sec_recovery::span::Span;

/// Boxed connections, at most `limit`.
#[derive(Debug)]
pub struct HeapPool<S> {
    slots: Vec<Option<Box<Connection<S>>>>,
}

impl<S> HeapPool<S> {
    /// A pool of `limit` free slots.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { slots: (0..limit).map(|_| None).collect() }
    }
}

impl<S: Storage + Default> Pool for HeapPool<S> {
    type Storage = S;

    fn reserve(&mut self) -> Option<(usize, S)> {
        let slot = self.slots.iter().position(Option::is_none)?;
        Some((slot, S::default()))
    }

    fn fill(&mut self, slot: usize, connection: Connection<S>) {
        self.slots[slot] = Some(Box::new(connection));
    }

    fn get(&self, slot: usize) -> Option<&Connection<S>> {
        self.slots.get(slot)?.as_deref()
    }

    fn get_mut(&mut self, slot: usize) -> Option<&mut Connection<S>> {
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    fn take(&mut self, slot: usize) -> Option<Connection<S>> {
        self.slots.get_mut(slot)?.take().map(|connection| *connection)
    }
}

/// Another storage behind a pointer: what is large moves with its connection from hand to hand else.
#[derive(Debug, Default)]
pub struct Boxed<S>(Box<S>);

impl<S: Storage> Storage for Boxed<S> {
    const RECEIVE_CAPACITY: usize = S::RECEIVE_CAPACITY;

    fn memory(&mut self) -> Memory<'_> {
        self.0.memory()
    }
}

/// Bytes of each ring of the Host profile.
const RING: usize = 4 << 20;
/// Bytes asked for at once: more than any threshold up to which glibc clears and reuses memory itself (32 MiB), so
/// that the system lends zeroed pages that cost nothing until they are touched.
const MAPPING: usize = 33 << 20;

/// The Host profile: 4 MiB each way.
#[derive(Debug)]
pub struct HostStorage {
    rings: Box<[u8]>,
    sent: Box<Deque<SentPacket, 8192>>,
    spans: Box<Spans>,
}

#[derive(Debug)]
struct Spans {
    ranges: [heapless::Vec<Span, 1024>; 3],
    replay: [u64; 128],
}

impl Default for HostStorage {
    fn default() -> Self {
        Self {
            rings: vec![0; MAPPING].into_boxed_slice(),
            sent: Box::default(),
            spans: Box::new(Spans { ranges: Default::default(), replay: [0; 128] }),
        }
    }
}

impl Storage for HostStorage {
    const RECEIVE_CAPACITY: usize = RING;

    fn memory(&mut self) -> Memory<'_> {
        let [acked, lost, reorder] = &mut self.spans.ranges;
        let (send, rest) = self.rings.split_at_mut(RING);
        Memory {
            send,
            acked: acked.as_mut_view(),
            lost: lost.as_mut_view(),
            sent: self.sent.as_mut_view(),
            recv: &mut rest[..RING],
            reorder: reorder.as_mut_view(),
            replay: &mut self.spans.replay,
        }
    }
}
