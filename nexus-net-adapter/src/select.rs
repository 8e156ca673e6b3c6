//! Which transport to use: `auto`, `udp-sec`, `tcp` or `quic`, and why.
//!
//! ```text
//!            ┌─ udp-sec ── disabled, cannot bind, no path of 1200 bytes, silence ──> tcp ── any failure ──> failed
//!   auto ────┤      │
//!            │      └── refused, identity proof invalid, no entropy, our own limits ──────────────────────> failed
//!            └── connected ──> selected
//! ```
//! [`Selector`] decides and does nothing: its owner makes each attempt, and reports what happened. [`select()`] is that
//! owner for systems that can wait, and [`SelectedStream`] what it ends with.
//!
//! A fallback can only follow from what no peer and no stranger can forge to their profit: the second attempt has the
//! same keys and the same checks, and there is no third. What a stranger sends ([`Happened::Forgery`]) decides nothing.
//!
//! Each decision is an [`Event`] with its reason, and the marker text by which logs are judged.

mod run;
mod stream;

use core::fmt;
use core::str::FromStr;

use udp_sec::error::{CloseCode, Reject};
use udp_sec::limits::{HANDSHAKE_BUDGET, HANDSHAKE_BUDGET_WITH_FALLBACK};
use udp_sec::time::Duration;
#[cfg(feature = "udp")]
use udp_sec_recovery::endpoint::ConnectError;

use crate::stream::CloseReason;

pub use run::{Attempts, NoSession, Selected, select};
pub use stream::{NoStream, SelectedStream};

/// The environment variable, or boot argument, that holds the [`Mode`].
pub const VARIABLE: &str = "DSOFTBUS_TRANSPORT";

/// What the user wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// udp-sec, else TCP.
    #[default]
    Auto,
    /// udp-sec and nothing else: no TCP connection is ever opened.
    UdpSec,
    /// TCP and nothing else.
    Tcp,
    /// The stream that the caller brings for it, and nothing else.
    Quic,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Auto, Self::UdpSec, Self::Tcp, Self::Quic];

    /// The mode that a configuration names; [`Auto`](Self::Auto) where it names none.
    ///
    /// # Errors
    /// [`UnknownMode`] for any other name: a mistyped `udp-sec` must not become a fallback.
    pub fn from_setting(setting: Option<&str>) -> Result<Self, UnknownMode> {
        setting.map_or(Ok(Self::Auto), str::parse)
    }

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::UdpSec => "udp-sec",
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }

    /// What is tried first.
    const fn first(self) -> Transport {
        match self {
            Self::Auto | Self::UdpSec => Transport::UdpSec,
            Self::Tcp => Transport::Tcp,
            Self::Quic => Transport::Quic,
        }
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == name).ok_or(UnknownMode)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A configuration names a transport that there is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownMode;

impl fmt::Display for UnknownMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transport is one of auto, udp-sec, tcp, quic")
    }
}

impl core::error::Error for UnknownMode {}

/// What carries a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Datagrams.
    UdpSec,
    /// [`SecureTcp`](crate::tcp): the same keys and checks over TCP.
    Tcp,
    /// A stream of the caller's own.
    Quic,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 3] = [Self::UdpSec, Self::Tcp, Self::Quic];

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UdpSec => "udp-sec",
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happened to an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// The peer has proven itself, and the session is open.
    Connected,
    /// This transport is switched off here, or there is none of it.
    Disabled,
    /// The local address or port cannot be had.
    CannotBind,
    /// The path does not carry datagrams of 1200 bytes.
    NoPath,
    /// Nothing authentic came within the handshake budget. So it is with a peer that does not know us.
    Silence,
    /// Something came that the peer has not sealed. Whoever sent it has no say.
    Forgery,
    /// The peer refused, under its own key.
    Refused(CloseCode),
    /// The peer's answer opened, and the proof of identity in it was missing or wrong.
    IdentityProofInvalid,
    /// The random source failed. It would fail for any transport, and nothing may leave without it.
    EntropyUnavailable,
    /// TCP did not connect, or broke off.
    ConnectionFailed,
    /// Our own side cannot: a bound is reached, or the peer's key is none.
    LocalLimit,
}

impl Happened {
    /// One of each kind.
    pub const ALL: [Self; 11] = [
        Self::Connected,
        Self::Disabled,
        Self::CannotBind,
        Self::NoPath,
        Self::Silence,
        Self::Forgery,
        Self::Refused(CloseCode::SessionLimit),
        Self::IdentityProofInvalid,
        Self::EntropyUnavailable,
        Self::ConnectionFailed,
        Self::LocalLimit,
    ];

    /// Whether udp-sec does not get through here, for a reason that says nothing about the peer.
    const fn is_unavailability(self) -> bool {
        matches!(self, Self::Disabled | Self::CannotBind | Self::NoPath | Self::Silence)
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::Disabled => "not available here",
            Self::CannotBind => "the local port cannot be bound",
            Self::NoPath => "no path of 1200 bytes",
            Self::Silence => "no answer within the handshake budget",
            Self::Forgery => "something that the peer has not sent",
            Self::Refused(code) => return write!(f, "refused by the peer: {code}"),
            Self::IdentityProofInvalid => "the peer's proof of identity is wrong",
            Self::EntropyUnavailable => "no entropy",
            Self::ConnectionFailed => "the connection failed",
            Self::LocalLimit => "a limit of this side",
        })
    }
}

impl From<CloseReason> for Happened {
    /// What the end of a session that never opened means.
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::HandshakeTimeout => Self::Silence,
            CloseReason::NoPath => Self::NoPath,
            CloseReason::Refused(code) => Self::Refused(code),
            CloseReason::IdentityProofInvalid => Self::IdentityProofInvalid,
            CloseReason::ByUs(_) => Self::LocalLimit,
            CloseReason::Complete
            | CloseReason::ByPeer(_)
            | CloseReason::IdleTimeout
            | CloseReason::Superseded
            | CloseReason::ConnectionLost => Self::ConnectionFailed,
        }
    }
}

impl From<Reject> for Happened {
    /// What a handshake that could not begin, or a message 2 that opened and was then refused, means.
    fn from(reject: Reject) -> Self {
        match reject {
            Reject::EntropyUnavailable => Self::EntropyUnavailable,
            Reject::IdentityProofInvalid => Self::IdentityProofInvalid,
            _ => Self::LocalLimit,
        }
    }
}

#[cfg(feature = "udp")]
impl From<ConnectError> for Happened {
    /// What a handshake over datagrams that could not begin means.
    fn from(why: ConnectError) -> Self {
        match why {
            ConnectError::EntropyUnavailable => Self::EntropyUnavailable,
            _ => Self::LocalLimit,
        }
    }
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Make this attempt, or go on with it, and report what happens.
    Attempt {
        /// By this transport.
        transport: Transport,
        /// For at most so long.
        budget: Duration,
    },
    /// The session is open on this transport.
    Selected(Transport),
    /// There is none, and nothing more to try.
    Failed {
        /// The last transport that was tried.
        transport: Transport,
        /// Why there is none.
        reason: Happened,
    },
}

/// A decision, with its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// This transport carries the session.
    Selected(Transport),
    /// udp-sec is given up for TCP.
    FellBack(Happened),
    /// There is no session.
    Failed {
        /// What the user wanted.
        mode: Mode,
        /// The last transport that was tried.
        transport: Transport,
        /// Why.
        reason: Happened,
    },
}

impl Event {
    /// The line by which logs are judged; some failures have none. To be printed when the event happens, and not
    /// before: over udp-sec after `auth ok` and `session ok`, over TCP before `auth ok`.
    #[must_use]
    pub const fn marker(&self) -> Option<&'static str> {
        match self {
            Self::Selected(Transport::UdpSec) => Some("dsoftbusd: transport selected udp-sec"),
            Self::Selected(Transport::Tcp) => Some("dsoftbusd: transport selected tcp"),
            Self::Selected(Transport::Quic) => Some("dsoftbusd: transport selected quic"),
            Self::FellBack(_) => Some("dsoftbus: udp-sec os disabled (fallback tcp)"),
            Self::Failed { transport: Transport::UdpSec, reason: Happened::EntropyUnavailable, .. } => {
                Some("dsoftbus: udp-sec refused (entropy unavailable)")
            }
            Self::Failed { mode: Mode::UdpSec, reason, .. } if reason.is_unavailability() => {
                Some("dsoftbus: udp-sec unavailable (strict, no fallback)")
            }
            Self::Failed { transport: Transport::Quic, reason: Happened::Disabled, .. } => {
                Some("dsoftbus: quic os blocked (no_std feasibility)")
            }
            Self::Failed { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Selected(transport) => write!(f, "transport {transport}"),
            Self::FellBack(reason) => write!(f, "udp-sec: {reason}; trying tcp"),
            Self::Failed { mode, transport, reason } => write!(f, "{transport}: {reason} (mode {mode})"),
        }
    }
}

/// What follows in `mode` from what `happened` to an attempt by `transport`. Everything there is to decide is here.
const fn decide(mode: Mode, transport: Transport, happened: Happened) -> Step {
    match (mode, transport, happened) {
        (_, _, Happened::Connected) => Step::Selected(transport),
        (_, _, Happened::Forgery) => attempt(mode, transport),
        (Mode::Auto, Transport::UdpSec, happened) if happened.is_unavailability() => {
            attempt(mode, Transport::Tcp)
        }
        (_, _, reason) => Step::Failed { transport, reason },
    }
}

/// An attempt, and its budget: a short one where another can follow.
const fn attempt(mode: Mode, transport: Transport) -> Step {
    let budget = match (mode, transport) {
        (Mode::Auto, Transport::UdpSec) => HANDSHAKE_BUDGET_WITH_FALLBACK,
        _ => HANDSHAKE_BUDGET,
    };
    Step::Attempt { transport, budget }
}

/// From a mode to a transport, one report at a time.
#[derive(Clone, Debug)]
pub struct Selector {
    mode: Mode,
    step: Step,
}

impl Selector {
    /// Nothing has been tried yet.
    #[must_use]
    pub const fn new(mode: Mode) -> Self {
        Self { mode, step: attempt(mode, mode.first()) }
    }

    /// What the user wants.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What to do now.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Takes in what happened to the present attempt. `None` if that decides nothing: the attempt goes on with the
    /// budget it has, or all is decided already.
    pub fn report(&mut self, happened: Happened) -> Option<Event> {
        let Step::Attempt { transport, .. } = self.step else { return None };
        let before = self.step;
        self.step = decide(self.mode, transport, happened);
        match self.step {
            step if step == before => None,
            Step::Attempt { .. } => Some(Event::FellBack(happened)),
            Step::Selected(transport) => Some(Event::Selected(transport)),
            Step::Failed { transport, reason } => Some(Event::Failed { mode: self.mode, transport, reason }),
        }
    }
}

#[cfg(test)]
mod tests;
