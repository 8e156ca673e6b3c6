//! The memory of a host's session: large, but only addresses until it is used.

use std::boxed::Box;
use std::io;

use heapless::{Deque, Vec};
use memmap2::MmapMut;
use udp_sec_recovery::memory::{Memory, Storage};
use udp_sec_recovery::send::sent_queue::SentPacket;
use udp_sec_recovery::span::Span;

/// Bytes of the send ring, and of the receive ring.
const RING: usize = 4 << 20;
/// Packets in flight.
const SENT: usize = 8192;
/// Ranges of each kind: gaps that are reassembled across, losses, acknowledgements out of order.
const SPANS: usize = 1024;
/// Words of the replay window: 8192 numbers (`docs/protocol.md` section 2).
const REPLAY_WORDS: usize = 128;

const _: () = assert!(REPLAY_WORDS * u64::BITS as usize >= SENT, "a whole flight may arrive out of order");

/// 4 MiB in each direction, 8192 packets in flight, 1024 gaps.
///
/// The rings are pages from the system that nobody has touched: an idle session costs none of them. (Memory from
/// the allocator could be recycled, which would mean clearing, and so touching, all of it.)
#[derive(Debug)]
pub struct HostStorage {
    rings: MmapMut,
    sent: Box<Deque<SentPacket, SENT>>,
    spans: Box<Spans>,
}

#[derive(Debug, Default)]
struct Spans {
    acked: Vec<Span, SPANS>,
    lost: Vec<Span, SPANS>,
    reorder: Vec<Span, SPANS>,
    replay: Replay,
}

#[derive(Debug)]
struct Replay([u64; REPLAY_WORDS]);

impl Default for Replay {
    fn default() -> Self {
        Self([0; REPLAY_WORDS])
    }
}

impl HostStorage {
    /// Zeroed storage.
    ///
    /// # Errors
    /// The system has no more address space to give.
    pub fn new() -> io::Result<Self> {
        Ok(Self { rings: MmapMut::map_anon(2 * RING)?, sent: Box::default(), spans: Box::default() })
    }
}

impl Storage for HostStorage {
    const RECEIVE_CAPACITY: usize = RING;

    fn memory(&mut self) -> Memory<'_> {
        let (send, recv) = self.rings.split_at_mut_checked(RING).unwrap_or_default();
        Memory {
            send,
            acked: self.spans.acked.as_mut_view(),
            lost: self.spans.lost.as_mut_view(),
            sent: self.sent.as_mut_view(),
            recv,
            reorder: self.spans.reorder.as_mut_view(),
            replay: &mut self.spans.replay.0,
        }
    }
}
