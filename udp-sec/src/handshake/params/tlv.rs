//! `type:u8, len:u16, value`, one after the other, then zeros.
//!
//! `docs/protocol.md` section 3: doubled types are malformed, unknown ones are skipped.

use crate::error::Reject;
use crate::handshake::proof::IdentityProof;

/// The types of handshake parameters. Type 0 is padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    InitialCredit = 1,
    MaxAckDelay = 2,
    IdleTimeout = 3,
    Application = 4,
    Aeads = 5,
    IdentityProof = 6,
    AckStep = 7,
    Refusal = 8,
    HighestVersion = 9,
    SessionId = 10,
}

const PADDING: u8 = 0;
const KINDS: usize = Kind::SessionId as usize + 1;

/// The values of one payload, by type.
pub(in crate::handshake) struct Values<'p>([Option<&'p [u8]>; KINDS]);

impl<'p> Values<'p> {
    /// The values in `payload`.
    ///
    /// # Errors
    /// [`Reject::MalformedParameters`] if it is cut off, has a type twice, or has anything but zeros in its padding.
    pub(in crate::handshake) fn read(payload: &'p [u8]) -> Result<Self, Reject> {
        Self::try_read(payload).ok_or(Reject::MalformedParameters)
    }

    fn try_read(payload: &'p [u8]) -> Option<Self> {
        let mut values = [None; KINDS];
        let mut rest = payload;
        while let Some((kind, behind)) = rest.split_first() {
            if *kind == PADDING {
                return behind.iter().all(|byte| *byte == 0).then_some(Self(values));
            }
            let (len, behind) = behind.split_first_chunk()?;
            let (value, behind) = behind.split_at_checked(u16::from_le_bytes(*len).into())?;
            let doubled =
                values.get_mut(usize::from(*kind)).is_some_and(|slot| slot.replace(value).is_some());
            if doubled {
                return None;
            }
            rest = behind;
        }
        Some(Self(values))
    }

    /// What the peer shows to prove who it is, if it shows anything.
    ///
    /// # Errors
    /// [`Reject::MalformedParameters`] if that is of the wrong length.
    pub(in crate::handshake) fn identity_proof(&self) -> Result<Option<IdentityProof<'p>>, Reject> {
        let shown = self.get(Kind::IdentityProof);
        shown.map(|value| IdentityProof::decode(value).ok_or(Reject::MalformedParameters)).transpose()
    }

    pub(super) fn get(&self, kind: Kind) -> Option<&'p [u8]> {
        self.0.get(kind as usize).copied().flatten()
    }

    /// The value of a type that must be there, with the length that it must have.
    pub(super) fn required<const N: usize>(&self, kind: Kind) -> Option<[u8; N]> {
        self.get(kind)?.try_into().ok()
    }

    /// The value of a type that may be missing: `default` then. `None` for a wrong length.
    pub(super) fn optional<const N: usize>(&self, kind: Kind, default: [u8; N]) -> Option<[u8; N]> {
        self.get(kind).map_or(Some(default), |value| value.try_into().ok())
    }

    /// The value of a type that must be there without any other that is known.
    pub(super) fn only<const N: usize>(&self, kind: Kind) -> Option<[u8; N]> {
        let alone = self.0.iter().flatten().count() == 1;
        self.required(kind).filter(|_| alone)
    }
}

/// Writes values into a zeroed payload; what it leaves is the padding.
pub(super) struct Writer<'p>(&'p mut [u8]);

impl<'p> Writer<'p> {
    pub(super) const fn new(payload: &'p mut [u8]) -> Self {
        Self(payload)
    }

    /// `None` if it does not fit.
    #[inline(never)] // Once for all parameters.
    pub(super) fn put(&mut self, kind: Kind, value: &[u8]) -> Option<()> {
        let (head, rest) = core::mem::take(&mut self.0).split_first_chunk_mut()?;
        let (room, rest) = rest.split_at_mut_checked(value.len())?;
        let [len0, len1] = u16::try_from(value.len()).ok()?.to_le_bytes();
        *head = [kind as u8, len0, len1];
        room.copy_from_slice(value);
        self.0 = rest;
        Some(())
    }
}
