//! What the two sides say to each other.
//!
//! Each connection is a stream of its own. The side that opens it says first what it is for:
//! ```text
//! length u16, little-endian · "connect HOST:PORT"      caller → listening side: reach this target; its bytes follow
//! length u16, little-endian · "listen ADDRESS:PORT"    caller → listening side: listen there
//!        ◄── length · "ADDRESS:PORT"                   where it listens, for as long as this stream is open
//! length u16, little-endian · "accepted N"             listening side → caller: somebody connected to what the caller's
//!                                                      stream with the id N asked for; the bytes follow
//! ```
//! What cannot be done resets the stream, with a [`Refusal`] as its code. The ends of the two directions travel as the
//! ends of the stream's.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::{Result, anyhow, bail};
use nexus_net_adapter::mux::{ResetCode, StreamId};

use super::spec::Target;

/// The application protocol of forwarding.
pub(crate) const APPLICATION: &[u8] = b"udpsec-forward/1";
/// The longest message, in bytes: a host name has at most 253.
pub(crate) const MESSAGE_MAX: usize = 320;

/// What a stream is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    /// A connection to this target.
    Connect(Target),
    /// To listen there.
    Listen(SocketAddr),
    /// A connection that was accepted where that stream asked for.
    Accepted(StreamId),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(target) => write!(f, "connect {target}"),
            Self::Listen(address) => write!(f, "listen {address}"),
            Self::Accepted(listening) => write!(f, "accepted {listening}"),
        }
    }
}

impl FromStr for Request {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(' ') {
            Some(("connect", target)) => Ok(Self::Connect(target.parse()?)),
            Some(("listen", address)) => Ok(Self::Listen(address.parse()?)),
            Some(("accepted", id)) => {
                let id = id.parse().ok().and_then(StreamId::new);
                Ok(Self::Accepted(id.ok_or_else(|| anyhow!("no stream id"))?))
            }
            _ => bail!("no request of this protocol"),
        }
    }
}

/// `message` with its length in front.
pub(crate) fn framed(message: &impl fmt::Display) -> Vec<u8> {
    let text = message.to_string();
    // What is longer than this was not parsed.
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&len.to_le_bytes()[..], text.as_bytes()].concat()
}

/// Why a connection is not made, or is broken off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// The listening side was not told to permit it.
    NotPermitted,
    /// Nobody listens at the target.
    ConnectionRefused,
    /// The target was not reached: no such name, no route, no answer.
    Unreachable,
    /// The connection at the other end was reset.
    ConnectionReset,
    /// The address to listen at is taken, or is none of that machine's.
    CannotListen,
    /// Not understood.
    BadRequest,
    /// Some other reason, of the multiplexer or of a later version.
    Other(ResetCode),
}

impl Refusal {
    /// Every refusal that has a code of its own. Codes up to 15 are the multiplexer's.
    const CODES: [(Self, ResetCode); 6] = [
        (Self::NotPermitted, ResetCode(16)),
        (Self::ConnectionRefused, ResetCode(17)),
        (Self::Unreachable, ResetCode(18)),
        (Self::ConnectionReset, ResetCode(19)),
        (Self::CannotListen, ResetCode(20)),
        (Self::BadRequest, ResetCode(21)),
    ];

    /// The session is over.
    pub(crate) const SESSION_ENDED: Self = Self::Other(ResetCode::SESSION_ENDED);

    /// Its code on the wire.
    pub(crate) fn code(self) -> ResetCode {
        match self {
            Self::Other(code) => code,
            _ => Self::CODES
                .iter()
                .find(|(refusal, _)| *refusal == self)
                .map_or(ResetCode::CANCELLED, |(_, code)| *code),
        }
    }

    /// What a target that was not reached means.
    pub(crate) fn of_connect(error: ErrorKind) -> Self {
        match error {
            ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            _ => Self::Unreachable,
        }
    }
}

impl From<ResetCode> for Refusal {
    fn from(code: ResetCode) -> Self {
        Self::CODES
            .iter()
            .find(|(_, known)| *known == code)
            .map_or(Self::Other(code), |(refusal, _)| *refusal)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::NotPermitted => {
                "not permitted there: the listening side decides, with --permit and --permit-listen"
            }
            Self::ConnectionRefused => "nobody listens there",
            Self::Unreachable => "it cannot be reached",
            Self::ConnectionReset => "the connection was reset at the other end",
            Self::CannotListen => "the port is taken, or the address is none of that machine's",
            Self::BadRequest => "the other side did not understand it: is it of the same version?",
            Self::SESSION_ENDED => "the session ended",
            Self::Other(code) => return write!(f, "given up, code {}", code.0),
        })
    }
}

#[cfg(test)]
mod tests;
