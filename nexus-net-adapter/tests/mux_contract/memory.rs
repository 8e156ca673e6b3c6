//! Two streams joined in memory. What is read comes in pieces of any size, as on a network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use nexus_net_adapter::stream::{CloseReason, Interest, PeerIdentity, ReliableStream, StreamError};
use udp_sec::error::CloseCode;
use udp_sec::keys::PublicKey;
use udp_sec::time::Instant;

/// Bytes that a direction holds before the writer has to wait.
const CAPACITY: usize = 64 * 1024;

/// One direction.
#[derive(Default)]
struct Lane {
    bytes: VecDeque<u8>,
    end: LaneEnd,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum LaneEnd {
    #[default]
    Open,
    Finished,
    Aborted,
}

/// One end.
pub(crate) struct Memory {
    peer: PeerIdentity,
    inbound: Rc<RefCell<Lane>>,
    outbound: Rc<RefCell<Lane>>,
    /// Of the generator that cuts the pieces.
    seed: u64,
}

/// Both ends.
pub(crate) fn pair() -> (Memory, Memory) {
    let (there, back) = (Rc::default(), Rc::default());
    let end = |key, inbound: &Rc<_>, outbound: &Rc<_>| Memory {
        peer: PeerIdentity::unproven_for_tests(PublicKey::from_bytes([key; 32])),
        inbound: Rc::clone(inbound),
        outbound: Rc::clone(outbound),
        seed: key.into(),
    };
    (end(1, &back, &there), end(2, &there, &back))
}

impl Memory {
    /// Why nothing can be read or written any more, if so.
    fn lost(&self) -> Result<(), StreamError> {
        let aborted = |lane: &RefCell<Lane>| lane.borrow().end == LaneEnd::Aborted;
        if aborted(&self.inbound) || aborted(&self.outbound) {
            return Err(StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort)));
        }
        Ok(())
    }

    /// From 1 to `most`.
    fn random(&mut self, most: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Now and then a byte or two, mostly much.
        let piece = 1 + (self.seed >> 33) as usize % if self.seed >> 60 == 0 { 3 } else { 48 * 1024 };
        piece.min(most)
    }
}

impl ReliableStream for Memory {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn peer(&self) -> Option<PeerIdentity> {
        Some(self.peer)
    }

    fn read(&mut self, buf: &mut [u8], _: Instant) -> Result<usize, StreamError> {
        let len = self.random(buf.len());
        let mut lane = self.inbound.borrow_mut();
        let len = len.min(lane.bytes.len());
        buf.iter_mut().zip(lane.bytes.drain(..len)).for_each(|(room, byte)| *room = byte);
        match lane.end {
            _ if len > 0 => Ok(len),
            LaneEnd::Finished => Ok(0),
            _ => {
                drop(lane);
                self.lost()?;
                Err(StreamError::WouldBlock)
            }
        }
    }

    fn write(&mut self, data: &[u8], _: Instant) -> Result<usize, StreamError> {
        self.lost()?;
        let len = self.random(data.len());
        let mut lane = self.outbound.borrow_mut();
        let len = len.min(CAPACITY - lane.bytes.len());
        lane.bytes.extend(&data[..len]);
        match lane.end {
            LaneEnd::Finished => Err(StreamError::Finished),
            _ if len == 0 && !data.is_empty() => Err(StreamError::WouldBlock),
            _ => Ok(len),
        }
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.lost()?;
        self.outbound.borrow_mut().end = LaneEnd::Finished;
        Ok(())
    }

    fn abort(&mut self) {
        self.outbound.borrow_mut().end = LaneEnd::Aborted;
    }

    fn unsent(&self) -> u64 {
        // What is in a lane has left.
        0
    }

    fn set_low_water(&mut self, _: u64) {}

    /// Nothing changes by waiting: whoever could change it is not running.
    fn wait(&mut self, interest: Interest, _: Instant) -> Result<(), StreamError> {
        let inbound = self.inbound.borrow();
        let readable = !inbound.bytes.is_empty() || inbound.end != LaneEnd::Open;
        let writable = self.outbound.borrow().bytes.len() <= CAPACITY / 2;
        if interest.in_reading() && readable || interest.in_writing() && writable {
            return Ok(());
        }
        Err(StreamError::WouldBlock)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.outbound.borrow().end == LaneEnd::Open {
            self.abort();
        }
    }
}
