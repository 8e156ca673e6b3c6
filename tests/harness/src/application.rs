//! The application at one end: sends a seeded pattern, and checks that it receives the other end's, byte for byte.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use udp_sec_recovery::connection::{Connection, ReadError, WriteError};
use udp_sec_recovery::memory::Storage;

use crate::pattern;

/// Bytes written or read at once.
const CHUNK: usize = 4096;
/// Bytes made at once: a full buffer refuses them at most steps, and takes few at the others.
const AHEAD: usize = 4 * CHUNK;

/// Sends and receives known bytes.
pub struct Application {
    seed: u64,
    to_send: u64,
    sent: u64,
    /// Bytes of our stream from `ahead_at` on, which is not above `sent`.
    ahead: Vec<u8>,
    ahead_at: u64,
    /// What was read last.
    incoming: Box<[u8]>,
    expected: u64,
    /// Bytes written, at most: a scenario holds the writer back by lowering it.
    pub write_limit: u64,
    /// Bytes read, at most: a scenario makes a slow reader by lowering it.
    pub read_limit: u64,
    /// Bytes received so far, all of them right.
    pub received: u64,
    /// Whether the end of the other direction was read.
    pub finished: bool,
}

/// What a report of a failure needs: no buffers.
impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("sent", &format_args!("{} of {}", self.sent, self.to_send))
            .field("received", &format_args!("{} of {}", self.received, self.expected))
            .field("limits", &(self.write_limit, self.read_limit))
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

impl Application {
    /// Sends `to_send` bytes of the stream of `seed`, and expects `expected` bytes of the stream of `peer_seed`,
    /// which is `seed` with its lowest bit turned.
    #[must_use]
    pub fn new(seed: u64, to_send: u64, expected: u64) -> Self {
        Self {
            seed,
            to_send,
            sent: 0,
            ahead: Vec::new(),
            ahead_at: 0,
            incoming: vec![0; CHUNK].into_boxed_slice(),
            expected,
            write_limit: u64::MAX,
            read_limit: u64::MAX,
            received: 0,
            finished: false,
        }
    }

    /// Writes what fits and reads what is there, within the limits.
    ///
    /// # Panics
    /// When a byte is wrong, when there are more than were sent, or when the stream ends too early (invariant I1).
    pub fn run<S: Storage>(&mut self, connection: &mut Connection<S>) {
        self.write(connection);
        self.read(connection);
    }

    /// Whether everything was received, the end included.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.finished && self.received == self.expected
    }

    /// Bytes written so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    fn write<S: Storage>(&mut self, connection: &mut Connection<S>) {
        while self.sent < self.to_send {
            let len = up_to(self.to_send.min(self.write_limit), self.sent, CHUNK);
            if len == 0 {
                return;
            }
            match connection.write(self.upcoming(len)) {
                Ok(0) => return,
                Ok(taken) => self.sent += taken as u64,
                Err(WriteError::Closed(_)) => return,
                Err(WriteError::Finished) => panic!("finished before everything was written"),
            }
        }
        connection.finish();
    }

    /// The next `len` bytes to be sent, at most [`CHUNK`].
    fn upcoming(&mut self, len: usize) -> &[u8] {
        let mut taken = (self.sent - self.ahead_at) as usize;
        if self.ahead.len() < taken + len {
            self.ahead.drain(..taken);
            (self.ahead_at, taken) = (self.sent, 0);
            let made = self.ahead.len();
            let missing = up_to(self.to_send, self.sent, AHEAD) - made;
            pattern::append(self.seed, self.sent + made as u64, missing, &mut self.ahead);
        }
        &self.ahead[taken..taken + len]
    }

    fn read<S: Storage>(&mut self, connection: &mut Connection<S>) {
        loop {
            // Without room there is still the end of the stream to be read.
            let len = up_to(self.read_limit, self.received, CHUNK);
            match connection.read(&mut self.incoming[..len]) {
                Ok(0) | Err(ReadError::Closed(_)) => return,
                Err(ReadError::Finished) => {
                    assert_eq!(self.received, self.expected, "I1: the stream ended early or late");
                    self.finished = true;
                    return;
                }
                Ok(count) => {
                    let wrong = pattern::first_wrong(self.seed ^ 1, self.received, &self.incoming[..count]);
                    assert_eq!(wrong, None, "I1: wrong byte at this offset");
                    self.received += count as u64;
                    assert!(self.received <= self.expected, "I1: more bytes than were sent");
                }
            }
        }
    }
}

/// How many of the bytes from `done` to `end` fit into `room`.
fn up_to(end: u64, done: u64, room: usize) -> usize {
    usize::try_from(end.saturating_sub(done)).map_or(room, |rest| rest.min(room))
}
