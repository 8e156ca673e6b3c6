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
/// Gaps that are reassembled across, and acknowledged ranges behind the oldest unacknowledged byte: as many as there
/// can be packets in flight, so that neither table is ever what limits a session.
const SPANS: usize = SENT;
/// Lost ranges that wait to be sent again. They leave about as fast as they are found.
const LOST: usize = 128;
/// Words of the replay window: 8192 numbers (`docs/protocol.md` section 2).
const REPLAY_WORDS: usize = 128;

const _: () = assert!(REPLAY_WORDS * u64::BITS as usize >= SENT, "a whole flight may arrive out of order");

/// 4 MiB in each direction, 8192 packets in flight, 8192 gaps.
///
/// An idle session touches few of its pages. The rings come from the system, untouched: memory from the allocator
/// could be recycled, which would mean clearing, and so touching, all of it. Each large table is a box of its own,
/// because only then does the compiler build it where it stays instead of copying it there; it is touched where it
/// begins, and only as far as it is used.
#[derive(Debug)]
pub struct HostStorage {
    rings: MmapMut,
    sent: Box<Deque<SentPacket, SENT>>,
    reorder: Box<Vec<Span, SPANS>>,
    tables: Box<Tables>,
}

/// A large table and, on the page where it begins, the small ones.
#[derive(Debug)]
#[repr(C)]
struct Tables {
    lost: Vec<Span, LOST>,
    replay: [u64; REPLAY_WORDS],
    acked: Vec<Span, SPANS>,
}

impl Default for Tables {
    fn default() -> Self {
        Self { lost: Vec::new(), replay: [0; REPLAY_WORDS], acked: Vec::new() }
    }
}

impl HostStorage {
    /// Zeroed storage.
    ///
    /// # Errors
    /// The system has no more address space to give.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            rings: MmapMut::map_anon(2 * RING)?,
            sent: Box::default(),
            reorder: Box::default(),
            tables: Box::default(),
        })
    }
}

impl Storage for HostStorage {
    const RECEIVE_CAPACITY: usize = RING;

    fn memory(&mut self) -> Memory<'_> {
        let (send, recv) = self.rings.split_at_mut_checked(RING).unwrap_or_default();
        Memory {
            send,
            acked: self.tables.acked.as_mut_view(),
            lost: self.tables.lost.as_mut_view(),
            sent: self.sent.as_mut_view(),
            recv,
            reorder: self.reorder.as_mut_view(),
            replay: &mut self.tables.replay,
        }
    }
}
