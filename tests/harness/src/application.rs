//! The application at one end: sends a seeded pattern, and checks that it receives the other end's, byte for byte.

use udp_sec_recovery::connection::{Connection, ReadError, WriteError};
use udp_sec_recovery::memory::Storage;

/// Sends and receives known bytes.
#[derive(Debug)]
pub struct Application {
    seed: u64,
    to_send: u64,
    sent: u64,
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

/// The byte at `offset` of the stream that the end with `seed` sends.
fn pattern(seed: u64, offset: u64) -> u8 {
    // Eight bytes share one product, so neighbouring offsets and nearby rings differ.
    let word = (offset / 8).wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word.rotate_right(8 * (offset % 8) as u32 + 17) as u8
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
        let mut chunk = [0; 4096];
        while self.sent < self.to_send {
            let len = up_to(self.to_send.min(self.write_limit), self.sent, chunk.len());
            if len == 0 {
                return;
            }
            for (byte, offset) in chunk[..len].iter_mut().zip(self.sent..) {
                *byte = pattern(self.seed, offset);
            }
            match connection.write(&chunk[..len]) {
                Ok(0) => return,
                Ok(taken) => self.sent += taken as u64,
                Err(WriteError::Closed(_)) => return,
                Err(WriteError::Finished) => panic!("finished before everything was written"),
            }
        }
        connection.finish();
    }

    fn read<S: Storage>(&mut self, connection: &mut Connection<S>) {
        let mut chunk = [0; 4096];
        loop {
            // Without room there is still the end of the stream to be read.
            let len = up_to(self.read_limit, self.received, chunk.len());
            match connection.read(&mut chunk[..len]) {
                Ok(0) | Err(ReadError::Closed(_)) => return,
                Err(ReadError::Finished) => {
                    assert_eq!(self.received, self.expected, "I1: the stream ended early or late");
                    self.finished = true;
                    return;
                }
                Ok(count) => {
                    for (byte, offset) in chunk[..count].iter().zip(self.received..) {
                        assert_eq!(
                            *byte,
                            pattern(self.seed ^ 1, offset),
                            "I1: wrong byte at offset {offset}"
                        );
                    }
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
