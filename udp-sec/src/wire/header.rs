//! The twelve bytes that open every datagram, and the header of Data packets.
//!
//! `docs/protocol.md` section 2.

use crate::error::Reject;
use crate::limits::{DATA_HEADER_LEN, PREFIX_LEN, VERSION};

const TYPE_INITIATION: u8 = 1;
const TYPE_RESPONSE: u8 = 2;
const TYPE_COOKIE_REPLY: u8 = 3;
const TYPE_DATA: u8 = 4;

/// Flag bit 0 of an Initiation: the pre-shared-key variant.
const FLAG_PRE_SHARED_KEY: u8 = 1;
/// Flag bit 0 of Data: the key phase.
const FLAG_KEY_PHASE: u8 = 1;

/// The type of a datagram, with the flags that this type defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Initiation(Pattern),
    Response,
    CookieReply,
    Data(KeyPhase),
}

/// Which of the two Noise patterns an Initiation begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// Static keys alone.
    Ik,
    /// A pre-shared key as well, mixed in at the end of message 2 (Noise section 9).
    IkPsk2,
}

/// Which of two successive keys of a direction sealed a packet (RFC 9001 section 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPhase {
    /// The first key, and every second one after it.
    Zero,
    /// The key after that.
    One,
}

/// `ver`, `typ`, `flags`, `rsv`, and the id of the session or handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prefix {
    pub(super) kind: Kind,
    pub(super) id: u64,
}

impl Prefix {
    pub(super) const fn decode(bytes: &[u8; PREFIX_LEN]) -> Result<Self, Reject> {
        let [version, kind, flags, reserved, i0, i1, i2, i3, i4, i5, i6, i7] = *bytes;
        let kind = match (kind, flags) {
            (TYPE_INITIATION, 0) => Kind::Initiation(Pattern::Ik),
            (TYPE_INITIATION, FLAG_PRE_SHARED_KEY) => Kind::Initiation(Pattern::IkPsk2),
            (TYPE_RESPONSE, 0) => Kind::Response,
            (TYPE_COOKIE_REPLY, 0) => Kind::CookieReply,
            (TYPE_DATA, 0) => Kind::Data(KeyPhase::Zero),
            (TYPE_DATA, FLAG_KEY_PHASE) => Kind::Data(KeyPhase::One),
            _ => return Err(Reject::MalformedHeader),
        };
        if version != VERSION || reserved != 0 {
            return Err(Reject::MalformedHeader);
        }
        Ok(Self { kind, id: u64::from_le_bytes([i0, i1, i2, i3, i4, i5, i6, i7]) })
    }

    pub(super) const fn encode(self) -> [u8; PREFIX_LEN] {
        let (kind, flags) = match self.kind {
            Kind::Initiation(Pattern::Ik) => (TYPE_INITIATION, 0),
            Kind::Initiation(Pattern::IkPsk2) => (TYPE_INITIATION, FLAG_PRE_SHARED_KEY),
            Kind::Response => (TYPE_RESPONSE, 0),
            Kind::CookieReply => (TYPE_COOKIE_REPLY, 0),
            Kind::Data(KeyPhase::Zero) => (TYPE_DATA, 0),
            Kind::Data(KeyPhase::One) => (TYPE_DATA, FLAG_KEY_PHASE),
        };
        let [i0, i1, i2, i3, i4, i5, i6, i7] = self.id.to_le_bytes();
        [VERSION, kind, flags, 0, i0, i1, i2, i3, i4, i5, i6, i7]
    }
}

/// The header of a Data packet: 16 bytes, all of them associated data of the seal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataHeader {
    receiver_id: u64,
    key_phase: KeyPhase,
    packet_number: u32,
}

impl DataHeader {
    /// A header for the session that its receiver calls `receiver_id`; `packet_number` is the low half, see
    /// [`truncate`](crate::packet_number::truncate).
    #[must_use]
    pub const fn new(receiver_id: u64, key_phase: KeyPhase, packet_number: u32) -> Self {
        Self { receiver_id, key_phase, packet_number }
    }

    /// The receiver's id for the session.
    #[must_use]
    pub const fn receiver_id(&self) -> u64 {
        self.receiver_id
    }

    /// The key that the packet claims to be sealed with.
    #[must_use]
    pub const fn key_phase(&self) -> KeyPhase {
        self.key_phase
    }

    /// The low half of the packet number.
    #[must_use]
    pub const fn packet_number(&self) -> u32 {
        self.packet_number
    }

    /// The header in `bytes`.
    ///
    /// # Errors
    /// [`Reject::MalformedHeader`] if these are not the first 16 bytes of a Data packet.
    pub fn decode(bytes: &[u8; DATA_HEADER_LEN]) -> Result<Self, Reject> {
        let (prefix, rest) = bytes.split_first_chunk().ok_or(Reject::MalformedHeader)?;
        match Prefix::decode(prefix)? {
            Prefix { kind: Kind::Data(key_phase), id } => Self::decode_rest(id, key_phase, rest),
            _ => None,
        }
        .ok_or(Reject::MalformedHeader)
    }

    pub(super) fn decode_rest(receiver_id: u64, key_phase: KeyPhase, rest: &[u8]) -> Option<Self> {
        let packet_number = u32::from_le_bytes(*rest.first_chunk()?);
        Some(Self { receiver_id, key_phase, packet_number })
    }

    /// The bytes on the wire.
    #[must_use]
    pub const fn encode(&self) -> [u8; DATA_HEADER_LEN] {
        let prefix = Prefix { kind: Kind::Data(self.key_phase), id: self.receiver_id };
        let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11] = prefix.encode();
        let [n0, n1, n2, n3] = self.packet_number.to_le_bytes();
        [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, n0, n1, n2, n3]
    }
}
