//! The memory one connection lives in: lent, never owned by the state machines.
//!
//! Everything whose size depends on the capacity profile is a slice or a `heapless` view, so one copy of the code
//! serves every profile, a device can keep its sessions in statics, and a host can lend zeroed pages that cost
//! nothing until they are touched.

use heapless::{Deque, Vec, deque::DequeView, vec::VecView};

use crate::send::sent_queue::SentPacket;
use crate::span::Span;

/// Views of one connection's memory, for the length of one call.
#[derive(Debug)]
pub struct Memory<'m> {
    /// Ring of bytes written by the application and not yet acknowledged.
    pub send: &'m mut [u8],
    /// Ranges above the oldest unacknowledged byte that were acknowledged.
    pub acked: &'m mut VecView<Span>,
    /// Ranges declared lost, to be sent again.
    pub lost: &'m mut VecView<Span>,
    /// Packets that may still be acknowledged, oldest first.
    pub sent: &'m mut DequeView<SentPacket>,
    /// Ring of bytes received and not yet read.
    pub recv: &'m mut [u8],
    /// Ranges received out of order.
    pub reorder: &'m mut VecView<Span>,
    /// Bitmap of the replay window.
    pub replay: &'m mut [u64],
}

impl Memory<'_> {
    /// Forgets what was in it, as if it had never been lent.
    pub fn clear(&mut self) {
        let Self { send, acked, lost, sent, recv, reorder, replay } = self;
        send.fill(0);
        acked.clear();
        lost.clear();
        sent.clear();
        recv.fill(0);
        reorder.clear();
        replay.fill(0);
    }
}

/// Something that lends the [`Memory`] of one connection.
///
/// The views must be the same memory at every call, and zeroed before the first.
pub trait Storage {
    /// Bytes of the receive ring: the credit a peer starts with.
    const RECEIVE_CAPACITY: usize;

    /// Lends the memory for one call.
    fn memory(&mut self) -> Memory<'_>;
}

impl<S: Storage> Storage for &mut S {
    const RECEIVE_CAPACITY: usize = S::RECEIVE_CAPACITY;

    fn memory(&mut self) -> Memory<'_> {
        (**self).memory()
    }
}

/// Storage held inline, with its capacities as parameters: bytes to send, bytes to receive, packets in flight,
/// ranges of each kind, and 64-bit words of the replay window.
#[derive(Debug)]
pub struct Inline<
    const SEND: usize,
    const RECV: usize,
    const SENT: usize,
    const SPANS: usize,
    const REPLAY: usize,
> {
    send: [u8; SEND],
    recv: [u8; RECV],
    sent: Deque<SentPacket, SENT>,
    acked: Vec<Span, SPANS>,
    lost: Vec<Span, SPANS>,
    reorder: Vec<Span, SPANS>,
    replay: [u64; REPLAY],
}

/// The embedded profile: 8 KiB each way, a replay window of 256 numbers.
pub type Small = Inline<8_192, 8_192, 32, 16, 4>;

/// The middle profile: 64 KiB each way, a replay window of 1024 numbers.
pub type Medium = Inline<65_536, 65_536, 256, 64, 16>;

impl<const SEND: usize, const RECV: usize, const SENT: usize, const SPANS: usize, const REPLAY: usize>
    Inline<SEND, RECV, SENT, SPANS, REPLAY>
{
    /// Zeroed storage; `const`, so that it can be a static.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            send: [0; SEND],
            recv: [0; RECV],
            sent: Deque::new(),
            acked: Vec::new(),
            lost: Vec::new(),
            reorder: Vec::new(),
            replay: [0; REPLAY],
        }
    }
}

impl<const SEND: usize, const RECV: usize, const SENT: usize, const SPANS: usize, const REPLAY: usize> Default
    for Inline<SEND, RECV, SENT, SPANS, REPLAY>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const SEND: usize, const RECV: usize, const SENT: usize, const SPANS: usize, const REPLAY: usize> Storage
    for Inline<SEND, RECV, SENT, SPANS, REPLAY>
{
    const RECEIVE_CAPACITY: usize = RECV;

    fn memory(&mut self) -> Memory<'_> {
        Memory {
            send: &mut self.send,
            acked: self.acked.as_mut_view(),
            lost: self.lost.as_mut_view(),
            sent: self.sent.as_mut_view(),
            recv: &mut self.recv,
            reorder: self.reorder.as_mut_view(),
            replay: &mut self.replay,
        }
    }
}
