//! A session: the two keys of a completed handshake, and what keeps each packet number unique.
//!
//! Packets are sealed and opened where they lie. Only [`Session::open`] makes an [`Authenticated`], so code that takes
//! one cannot be reached by a byte that nobody vouches for. `docs/protocol.md` sections 2 and 3.

pub mod record;
mod rekey;
mod replay;

use crate::crypto::aead::{Aead, nonce};
use crate::crypto::hash::PrivateNumbers;
use crate::crypto::noise::Split;
use crate::error::Reject;
use crate::keys::PublicKey;
use crate::limits::{DATA_LEN_MIN, DATAGRAM_MAX, KEY_FAILED_MAX, KEY_LEN, TAG_LEN};
use crate::packet_number::{expand, truncate};
use crate::wire::DataHeader;
use alloc::boxed::Box;
use core::fmt;
use rekey::{Epoch, Keys, ReceiveKeys, SendKeys};
use replay::Replay;

/// Which side of the handshake an endpoint was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It sent the Initiation.
    Initiator,
    /// It sent the Response.
    Responder,
}

/// Why a packet was not sealed. Nothing was written, and no packet number was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealError {
    /// The key has sealed all the packets it may: the session has to end.
    KeyLimit,
    /// Our own caller's mistake: a datagram shorter than 33 bytes or longer than 1200, a record shorter than 17 or
    /// longer than 16 400.
    Size,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyLimit => "the key has sealed all the packets it may",
            Self::Size => "a packet has 33 to 1200 bytes, a record 17 to 16400",
        })
    }
}

impl core::error::Error for SealError {}

/// Seals what leaves and opens what arrives, for one peer.
pub struct Session {
    role: Role,
    local_id: u64,
    peer_id: u64,
    peer: PublicKey,
    /// In a box: a session moves, from the half-open entry into its connection and out of it again, and keys that moved
    /// along would be left behind at each place.
    keys: Box<Keys>,
    next_packet_number: u64,
    failed_openings: u64,
    replay: Replay,
    numbers: PrivateNumbers,
}

/// What a handshake has settled. Nobody else can make one.
#[doc(hidden)]
pub struct Settled {
    pub(crate) role: Role,
    pub(crate) local_id: u64,
    pub(crate) peer_id: u64,
    pub(crate) peer: PublicKey,
    pub(crate) aead: Aead,
    pub(crate) split: Split,
    pub(crate) numbers: PrivateNumbers,
}

impl Session {
    /// What a session has on the heap: its keys, and the key of its private numbers. Bytes.
    pub const HEAP: usize = size_of::<Keys>().saturating_add(KEY_LEN);

    pub(crate) fn new(settled: Settled) -> Self {
        let Settled { role, local_id, peer_id, peer, aead, split, numbers } = settled;
        let (send, receive) = match role {
            Role::Initiator => (&split.initiator_to_responder, &split.responder_to_initiator),
            Role::Responder => (&split.responder_to_initiator, &split.initiator_to_responder),
        };
        Self {
            role,
            local_id,
            peer_id,
            peer,
            keys: Box::new(Keys {
                send: SendKeys::new(aead, send),
                receive: ReceiveKeys::new(aead, receive),
            }),
            next_packet_number: 0,
            failed_openings: 0,
            replay: Replay::default(),
            numbers,
        }
    }

    /// The id that packets to us carry.
    #[must_use]
    pub const fn local_id(&self) -> u64 {
        self.local_id
    }

    /// The id that packets to the peer carry.
    #[must_use]
    pub const fn peer_id(&self) -> u64 {
        self.peer_id
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

    /// Whether we sent the Initiation.
    #[must_use]
    pub const fn is_initiator(&self) -> bool {
        matches!(self.role, Role::Initiator)
    }

    /// The number that the next sealed packet gets.
    #[must_use]
    pub const fn next_packet_number(&self) -> u64 {
        self.next_packet_number
    }

    /// Leaves the next packet number out: an acknowledgement of it proves a peer that acknowledges blindly.
    pub const fn skip_packet_number(&mut self) {
        self.next_packet_number = self.next_packet_number.saturating_add(1);
    }

    /// Seals a packet where it lies, and gives its number.
    ///
    /// `datagram` is 16 bytes of room for the header, then the frames, then 16 bytes of room for the tag.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn seal(&mut self, datagram: &mut [u8]) -> Result<u64, SealError> {
        if !(DATA_LEN_MIN..=DATAGRAM_MAX).contains(&datagram.len()) {
            return Err(SealError::Size);
        }
        let (header_room, rest) = datagram.split_first_chunk_mut().ok_or(SealError::Size)?;
        let (frames, tag_room) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(SealError::Size)?;
        let number = self.next_packet_number;
        // The last number is Noise's own nonce (section 4.2, Rekey).
        if number == u64::MAX {
            return Err(SealError::KeyLimit);
        }
        let (key, phase) = self.keys.send.take_use(number).ok_or(SealError::KeyLimit)?;
        let header = DataHeader::new(self.peer_id, phase, truncate(number)).encode();
        let tag = key.seal(&nonce(number), &header, frames).ok_or(SealError::Size)?;
        *header_room = header;
        *tag_room = tag;
        self.next_packet_number = number.saturating_add(1);
        Ok(number)
    }

    /// Opens a packet where it lies: header, number, replay check, one opening, and only then the window moves.
    ///
    /// `replay_words` is the session's replay window: as many words at every call, a power of two from 4 to 128, zeroed
    /// before the first; the newest 64 numbers for each word are told apart. With any other count nothing opens.
    ///
    /// # Errors
    /// [`Reject::OversizeDatagram`], [`Reject::MalformedHeader`], [`Reject::UnknownSession`] (another receiver id),
    /// [`Reject::ReplayOrStalePacketNumber`], [`Reject::DecryptFailed`]; and [`Reject::KeyUpdateViolation`] for a packet of
    /// the peer's that moves to the next key before we have acknowledged one of the present key, which ends the session.
    /// Nothing changes then but [`failed_openings`](Self::failed_openings) and the bytes of `datagram`.
    pub fn open<'d>(
        &mut self,
        replay_words: &mut [u64],
        datagram: &'d mut [u8],
    ) -> Result<Authenticated<'d>, Reject> {
        let datagram_len = datagram.len();
        if datagram_len > DATAGRAM_MAX {
            return Err(Reject::OversizeDatagram);
        }
        if datagram_len < DATA_LEN_MIN {
            return Err(Reject::MalformedHeader);
        }
        let (header_bytes, rest) = datagram.split_first_chunk_mut().ok_or(Reject::MalformedHeader)?;
        let (frames, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(Reject::MalformedHeader)?;
        let header = DataHeader::decode(header_bytes)?;
        if header.receiver_id() != self.local_id {
            return Err(Reject::UnknownSession);
        }
        let packet_number = expand(self.replay.largest(), header.packet_number());
        self.replay.check(replay_words, packet_number)?;
        if self.failed_openings >= KEY_FAILED_MAX {
            return Err(Reject::DecryptFailed);
        }
        let epoch = self.keys.receive.epoch(header.key_phase(), packet_number);
        if self.keys.receive.open(epoch, &nonce(packet_number), header_bytes, frames, tag).is_none() {
            self.count_failed_openings(1);
            return Err(Reject::DecryptFailed);
        }
        match epoch {
            Epoch::Previous => {}
            Epoch::Present => self.keys.receive.on_opened(packet_number),
            Epoch::Next => self.follow(packet_number)?,
        }
        self.replay.mark(replay_words, packet_number);
        Ok(Authenticated { packet_number, frames, datagram_len })
    }

    /// The peer has moved to the next key, with packet `number`; so do we, unless we have moved first.
    fn follow(&mut self, number: u64) -> Result<(), Reject> {
        let is_answer = self.keys.receive.phase() < self.keys.send.phase();
        if !is_answer && !self.keys.receive.is_acknowledged() {
            return Err(Reject::KeyUpdateViolation);
        }
        self.keys.receive.advance(number);
        if !is_answer {
            self.keys.send.advance();
        }
        Ok(())
    }

    /// Moves our sending key to the next phase, if we may: a packet of the present phase was acknowledged, and the peer
    /// has followed to it. The peer follows with the first packet that it opens. Whether that was done.
    pub fn update_key(&mut self) -> bool {
        let may = self.keys.send.is_acknowledged() && self.keys.send.phase() == self.keys.receive.phase();
        if may {
            self.keys.send.advance();
        }
        may
    }

    /// The peer has acknowledged packets up to `largest`.
    pub fn on_acknowledged(&mut self, largest: u64) {
        self.keys.send.on_acknowledged(largest);
    }

    /// An acknowledgement of packets up to `largest` was sealed.
    pub fn on_ack_sealed(&mut self, largest: u64) {
        self.keys.receive.on_ack_sent(largest);
    }

    /// The key before the present one opens nothing any more: to be called three probe timeouts after the peer moved.
    pub fn forget_previous_key(&mut self) {
        self.keys.receive.forget_previous();
    }

    /// How often the peer has moved to the next key.
    #[must_use]
    pub const fn receive_phase(&self) -> u64 {
        self.keys.receive.phase()
    }

    /// How often we have moved to the next key.
    #[must_use]
    pub const fn send_phase(&self) -> u64 {
        self.keys.send.phase()
    }

    /// Packets that our present key has sealed.
    #[must_use]
    pub const fn sealed(&self) -> u64 {
        self.keys.send.sealed()
    }

    /// Moves the replay window to `replay_words`, for a session that opened its first packet with other words. What
    /// they hold is overwritten.
    ///
    /// After one opened packet the new window knows all that the old one knew. After more, every number up to the
    /// largest counts as seen, so that nothing is ever opened twice.
    pub fn adopt_replay_window(&mut self, replay_words: &mut [u64]) {
        self.replay.move_to(replay_words);
    }

    /// The largest packet number that was opened.
    #[must_use]
    pub const fn largest_received(&self) -> Option<u64> {
        self.replay.largest()
    }

    /// Openings that failed so far.
    #[must_use]
    pub const fn failed_openings(&self) -> u64 {
        self.failed_openings
    }

    /// Counts `more` openings as failed. Public for tests, which cannot make 2^36 of them.
    #[doc(hidden)]
    pub const fn count_failed_openings(&mut self, more: u64) {
        self.failed_openings = self.failed_openings.saturating_add(more);
    }

    /// Whether a key is at the end of its life and the session has to end with CLOSE(KEY_LIMIT). A thousand packets
    /// can still be sealed then; after 2^36 failed openings nothing is opened any more.
    #[must_use]
    pub const fn key_limit_reached(&self) -> bool {
        self.keys.send.is_at_limit() || self.failed_openings >= KEY_FAILED_MAX
    }

    /// A number that the peer cannot foresee, for skipped packet numbers and path challenges. The sequence is fixed by
    /// the random bytes that the handshake drew.
    pub fn random_u64(&mut self) -> u64 {
        self.numbers.next()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("role", &self.role)
            .field("local_id", &self.local_id)
            .field("peer_id", &self.peer_id)
            .field("peer", &self.peer)
            .field("next_packet_number", &self.next_packet_number)
            .field("largest_received", &self.largest_received())
            .finish_non_exhaustive()
    }
}

/// A packet that opened: proof that the peer sealed it, and that it came for the first time.
#[derive(Debug, PartialEq, Eq)]
pub struct Authenticated<'d> {
    packet_number: u64,
    frames: &'d [u8],
    datagram_len: usize,
}

impl<'d> Authenticated<'d> {
    /// The packet's full number.
    #[must_use]
    pub const fn packet_number(&self) -> u64 {
        self.packet_number
    }

    /// The frames, in the datagram's own bytes. At least one byte.
    #[must_use]
    pub const fn frames(&self) -> &'d [u8] {
        self.frames
    }

    /// Length of the whole datagram. Bytes.
    #[must_use]
    pub const fn datagram_len(&self) -> usize {
        self.datagram_len
    }
}

#[cfg(test)]
mod tests;
