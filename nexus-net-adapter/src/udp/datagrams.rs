//! The socket seam: what a datagram backend provides, and all that the driver knows of it.

use udp_sec::time::Instant;
use udp_sec_recovery::connection::{Path, Transmit};

/// A datagram socket with its buffers. Nothing in it waits.
pub trait Datagrams {
    /// Where datagrams are built before they are sent: room for as many 1200-byte segments as one
    /// [`send`](Self::send) can take, and for at least one. Its contents stay until the next `send` succeeds.
    fn buffer(&mut self) -> &mut [u8];

    /// Sends the first [`Transmit::len`] bytes of the [`buffer`](Self::buffer): one datagram per segment.
    ///
    /// # Errors
    /// [`SendError::WouldBlock`] promises that repeating the call goes on where this one stopped; after any other
    /// error the datagrams are gone, as if the path had lost them.
    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError>;

    /// Hands one batch of datagrams that have arrived to `deliver`, each in a buffer that it may change.
    fn receive(&mut self, now: Instant, deliver: impl FnMut(Path, &mut [u8])) -> Received;
}

/// A socket that is lent: its buffers stay where they are.
impl<B: Datagrams> Datagrams for &mut B {
    fn buffer(&mut self) -> &mut [u8] {
        (**self).buffer()
    }

    fn send(&mut self, now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        (**self).send(now, transmit)
    }

    fn receive(&mut self, now: Instant, deliver: impl FnMut(Path, &mut [u8])) -> Received {
        (**self).receive(now, deliver)
    }
}

/// What one call of [`Datagrams::receive`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// Nothing has arrived.
    Nothing,
    /// All that had arrived.
    All,
    /// One batch, and there may be more.
    More,
}

/// Why a datagram did not leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// The system's queue is full. It will say when it is not.
    WouldBlock,
    /// The system knows that the path does not carry 1200 bytes: no session over it can work.
    TooLarge,
    /// Anything else; no reason to give up, for the path may recover (`docs/protocol.md` section 6).
    Failed,
}

/// What happened at the socket. Datagrams lost here look to the sessions as if the path had lost them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SocketCounts {
    /// Sends, of one or several datagrams each.
    pub sends: u64,
    /// Sends that had to wait until the system's queue had room.
    pub held: u64,
    /// Sends that failed because there is no path of 1200 bytes.
    pub too_large: u64,
    /// Sends that failed for another reason.
    pub failed: u64,
    /// Batches of datagrams received.
    pub batches: u64,
}
