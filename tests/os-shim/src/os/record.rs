//! The shape of the system's record transport.

use alloc::vec::Vec;

/// A record that has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedRecord {
    channel: u32,
    bytes: Vec<u8>,
}

impl OwnedRecord {
    /// `bytes` on `channel`.
    #[must_use]
    pub const fn new(channel: u32, bytes: Vec<u8>) -> Self {
        Self { channel, bytes }
    }

    /// The channel it came on.
    #[must_use]
    pub const fn channel(&self) -> u32 {
        self.channel
    }

    /// What it says.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What carries records.
pub trait BorrowedFrameTransport {
    /// What may go wrong.
    type Error;

    /// Sends one record.
    ///
    /// # Errors
    /// The transport's.
    fn send_record(&mut self, channel: u32, payload: &[u8]) -> Result<(), Self::Error>;

    /// Receives one record, if one has come.
    ///
    /// # Errors
    /// The transport's.
    fn recv_record(&mut self) -> Result<Option<OwnedRecord>, Self::Error>;
}
