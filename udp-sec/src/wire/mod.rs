//! Bytes to datagrams and back. No cryptography, and no type here can hold what is not legal on the wire.
//!
//! `docs/protocol.md` section 2. All integers are little-endian.

mod cookie;
mod handshake;
mod header;

pub use cookie::CookieReply;
pub use handshake::{Initiation, Response};
pub use header::{DataHeader, KeyPhase, Pattern};

use crate::error::Reject;
use crate::limits::{DATA_LEN_MIN, DATAGRAM_MAX};
use header::{Kind, Prefix};

/// A datagram of a legal form. Nothing in it is authenticated yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Datagram<'a> {
    /// Noise message 1, from the initiator.
    Initiation(Initiation<'a>),
    /// Noise message 2, from the responder.
    Response(Response<'a>),
    /// A responder under load wants proof of the source address.
    CookieReply(CookieReply<'a>),
    /// The header of a packet of a session; what follows it is still sealed.
    Data(DataHeader),
}

/// Tells what `datagram` is.
///
/// # Errors
/// [`Reject::OversizeDatagram`] above 1200 bytes; [`Reject::MalformedHeader`] for an unknown version, type or flag,
/// a reserved bit, or a size that the type does not have.
pub fn decode(datagram: &[u8]) -> Result<Datagram<'_>, Reject> {
    if datagram.len() > DATAGRAM_MAX {
        return Err(Reject::OversizeDatagram);
    }
    let (prefix, body) = datagram.split_first_chunk().ok_or(Reject::MalformedHeader)?;
    let prefix = Prefix::decode(prefix)?;
    match prefix.kind {
        Kind::Initiation(pattern) => Initiation::decode(pattern, prefix.id, body).map(Datagram::Initiation),
        Kind::Response => Response::decode(prefix.id, body).map(Datagram::Response),
        Kind::CookieReply => CookieReply::decode(prefix.id, body).map(Datagram::CookieReply),
        Kind::Data(_) if datagram.len() < DATA_LEN_MIN => None,
        Kind::Data(key_phase) => DataHeader::decode_rest(prefix.id, key_phase, body).map(Datagram::Data),
    }
    .ok_or(Reject::MalformedHeader)
}

/// `parts` one after the other. Their lengths are fixed by their types, and their sum is `N`.
fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    debug_assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), N);
    let mut whole = [0; N];
    for (to, from) in whole.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
    whole
}

#[cfg(test)]
mod tests;
