//! A session whose packets are the records of a byte stream: in order, none missing, none twice.
//!
//! A record is a Noise transport message (Noise section 11.3: the stream around it frames it), so the number that
//! makes its nonce is not sent: both sides count. What was changed, left out, repeated or moved therefore does not
//! open, and then nothing opens any more, because a byte stream has no way to send it again. After every 2^20 records
//! of a direction both sides move to the next key (Noise section 11.3, `REKEY`), and a key that is stolen then opens
//! nothing that was sealed before.

use super::{Role, SealError, Settled};
use crate::crypto::aead::{Aead, PacketKey, nonce, rekey};
use crate::crypto::stack;
use crate::error::Reject;
use crate::keys::PublicKey;
use crate::limits::{KEY_LEN, RECORD_LEN_MAX, RECORD_LEN_MIN, RECORDS_PER_KEY, TAG_LEN};
use alloc::boxed::Box;
use core::fmt;

/// Seals the records that leave and opens those that arrive, for one peer.
pub struct RecordSession {
    role: Role,
    peer: PublicKey,
    /// In boxes, as a `Session`'s keys are: moving them leaves nothing behind.
    send: Box<Direction>,
    /// `None` after a record that did not open.
    receive: Option<Box<Direction>>,
}

/// The key of one direction, and the number of the next record under it.
struct Direction {
    aead: Aead,
    key: PacketKey,
    next: u64,
}

impl RecordSession {
    pub(crate) fn new(settled: Settled) -> Self {
        let Settled { role, peer, aead, split, .. } = settled;
        let (send, receive) = match role {
            Role::Initiator => (&split.initiator_to_responder, &split.responder_to_initiator),
            Role::Responder => (&split.responder_to_initiator, &split.initiator_to_responder),
        };
        Self { role, peer, send: Direction::new(aead, send), receive: Some(Direction::new(aead, receive)) }
    }

    /// The peer's static key, proven by the handshake.
    #[must_use]
    pub const fn peer(&self) -> &PublicKey {
        &self.peer
    }

    /// Our side of the handshake.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// How many records were sealed.
    #[must_use]
    pub const fn sealed(&self) -> u64 {
        self.send.next
    }

    /// How many records opened; `None` once one did not.
    #[must_use]
    pub fn opened(&self) -> Option<u64> {
        self.receive.as_ref().map(|receive| receive.next)
    }

    /// Seals the next record where it lies: 1 to 16 384 bytes, then 16 bytes of room for the tag.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn seal(&mut self, record: &mut [u8]) -> Result<(), SealError> {
        if !(RECORD_LEN_MIN..=RECORD_LEN_MAX).contains(&record.len()) {
            return Err(SealError::Size);
        }
        let (text, tag_room) = record.split_last_chunk_mut::<TAG_LEN>().ok_or(SealError::Size)?;
        let number = self.send.number().ok_or(SealError::KeyLimit)?;
        *tag_room = self.send.key.seal(&number, &[], text).ok_or(SealError::Size)?;
        self.send.advance();
        Ok(())
    }

    /// Opens the next record where it lies.
    ///
    /// # Errors
    /// [`Reject::MalformedHeader`] for one of a length that no record has, [`Reject::DecryptFailed`] for one that the
    /// peer did not seal as its next one, and for every one after that. What `record` holds is undefined then.
    pub fn open<'r>(&mut self, record: &'r mut [u8]) -> Result<AuthenticatedRecord<'r>, Reject> {
        // Put back only after success: no second try under the same number.
        let mut receive = self.receive.take().ok_or(Reject::DecryptFailed)?;
        if !(RECORD_LEN_MIN..=RECORD_LEN_MAX).contains(&record.len()) {
            return Err(Reject::MalformedHeader);
        }
        let (text, tag) = record.split_last_chunk_mut::<TAG_LEN>().ok_or(Reject::MalformedHeader)?;
        let number = receive.number().ok_or(Reject::DecryptFailed)?;
        receive.key.open(&number, &[], text, tag).ok_or(Reject::DecryptFailed)?;
        receive.advance();
        self.receive = Some(receive);
        Ok(AuthenticatedRecord { text })
    }
}

impl Direction {
    fn new(aead: Aead, key: &[u8; KEY_LEN]) -> Box<Self> {
        Box::new(Self { aead, key: PacketKey::new(aead, key), next: 0 })
    }

    /// The nonce of the next record. The last number is `REKEY`'s own (Noise section 4.2).
    fn number(&self) -> Option<[u8; 12]> {
        (self.next != u64::MAX).then(|| nonce(self.next))
    }

    /// Counts a record; the last one of a key makes the next key out of it. The number goes on.
    fn advance(&mut self) {
        self.next = self.next.saturating_add(1);
        if self.next.is_multiple_of(RECORDS_PER_KEY) {
            stack::forgetting::<{ stack::REKEY }, _>(|| match rekey(&self.key) {
                Some(next_key) => self.key = PacketKey::new(self.aead, &next_key),
                // Without a next key the direction ends.
                None => self.next = u64::MAX,
            });
        }
    }
}

impl fmt::Debug for RecordSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSession")
            .field("role", &self.role)
            .field("peer", &self.peer)
            .field("sealed", &self.sealed())
            .field("opened", &self.opened())
            .finish_non_exhaustive()
    }
}

/// A record that opened: proof that the peer sealed it, and that it is the next one.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthenticatedRecord<'r> {
    text: &'r [u8],
}

impl<'r> AuthenticatedRecord<'r> {
    /// What was sealed, in the record's own bytes. At least one byte.
    #[must_use]
    pub const fn text(&self) -> &'r [u8] {
        self.text
    }
}

#[cfg(test)]
mod tests;
