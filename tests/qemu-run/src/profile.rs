//! The marker contract: which lines a log must show, in which order, and which it must not.

use std::fmt;

use clap::ValueEnum;

/// What a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// A session by udp-sec: control, bulk, back-pressure, recovery.
    UdpSec,
    /// `auto`, but UDP does not get through: TCP with the same keys.
    Fallback,
    /// udp-sec is demanded and UDP does not get through: no session, and no TCP either.
    Strict,
    /// QUIC is asked for on the OS.
    Quic,
    /// There is no source of entropy: nothing is sent at all.
    NoEntropy,
    /// Both ends in one guest, in memory.
    Selftest,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UdpSec => "udp-sec",
            Self::Fallback => "fallback",
            Self::Strict => "strict",
            Self::Quic => "quic",
            Self::NoEntropy => "no-entropy",
            Self::Selftest => "selftest",
        })
    }
}

/// Which end of a session a log belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Waits to be called.
    Listener,
    /// Calls.
    Connector,
}

impl Role {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Listener => Self::Connector,
            Self::Connector => Self::Listener,
        }
    }

    /// As in boot arguments, file names and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Connector => "connector",
        }
    }
}

/// How a line of a log is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The line is this marker, or goes on behind it with a space.
    Marker(&'static str),
    /// The marker, a space, and a port number.
    WithPort(&'static str),
    /// The line contains this, in capitals or not.
    Anywhere(&'static str),
}

impl Pattern {
    /// Whether `line` is such a line.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        let line = line.trim();
        match self {
            Self::Marker(text) => {
                line.strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            }
            Self::WithPort(text) => {
                let port = line.strip_prefix(text).and_then(|rest| rest.strip_prefix(' '));
                port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            }
            Self::Anywhere(text) => line.to_lowercase().contains(&text.to_lowercase()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marker(text) => f.write_str(text),
            Self::WithPort(text) => write!(f, "{text} <port>"),
            Self::Anywhere(text) => write!(f, "any \"{text}\""),
        }
    }
}

/// What one log must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Each has to be there, in this order.
    pub required: Vec<Pattern>,
    /// None may be there.
    pub forbidden: Vec<Pattern>,
}

const LISTENER_UP: Pattern = Pattern::WithPort("dsoftbus: udp-sec os listener up");
const AUTH_OK: Pattern = Pattern::Marker("dsoftbusd: auth ok");
const SESSION_OK: Pattern = Pattern::Marker("dsoftbus: udp-sec os session ok");
const SELECTED_UDP_SEC: Pattern = Pattern::Marker("dsoftbusd: transport selected udp-sec");
const SELECTED_TCP: Pattern = Pattern::Marker("dsoftbusd: transport selected tcp");
const MUX_UP: Pattern = Pattern::Marker("dsoftbus:mux session up");
const DATA_OK: Pattern = Pattern::Marker("dsoftbus:mux data ok (udp-sec)");
const DATA_OK_TCP: Pattern = Pattern::Marker("dsoftbus:mux data ok (tcp)");
const CONTROL_OK: Pattern = Pattern::Marker("SELFTEST: udp-sec control ok");
const BULK_OK: Pattern = Pattern::Marker("SELFTEST: udp-sec bulk ok");
const BACKPRESSURE_OK: Pattern = Pattern::Marker("SELFTEST: udp-sec backpressure ok");
const RECOVERY_OK: Pattern = Pattern::Marker("SELFTEST: udp-sec recovery ok");
const FELL_BACK: Pattern = Pattern::Marker("dsoftbus: udp-sec os disabled (fallback tcp)");
const FALLBACK_OK: Pattern = Pattern::Marker("SELFTEST: udp-sec fallback ok");
const UNAVAILABLE: Pattern = Pattern::Marker("dsoftbus: udp-sec unavailable (strict, no fallback)");
const STRICT_OK: Pattern = Pattern::Marker("SELFTEST: udp-sec strict ok");
const QUIC_BLOCKED: Pattern = Pattern::Marker("dsoftbus: quic os blocked (no_std feasibility)");
const NO_ENTROPY: Pattern = Pattern::Marker("dsoftbus: udp-sec refused (entropy unavailable)");
const END: Pattern = Pattern::Marker("SELFTEST: end");
const PANIC: Pattern = Pattern::Anywhere("panic");

/// The marker behind which a peer is killed: the bulk is under way then.
pub const HALFWAY: Pattern = CONTROL_OK;

/// The marker behind which a session of `profile` is in its middle.
#[must_use]
pub const fn halfway(profile: Profile) -> Pattern {
    match profile {
        Profile::Fallback => DATA_OK_TCP,
        _ => HALFWAY,
    }
}

/// The ladder of one log of a run whose link loses frames, or does not.
#[must_use]
pub fn ladder(profile: Profile, role: Role, lossy: bool) -> Ladder {
    let (required, mut forbidden) = match (profile, role) {
        (Profile::UdpSec, Role::Connector) => {
            let mut required =
                vec![AUTH_OK, SESSION_OK, SELECTED_UDP_SEC, MUX_UP, DATA_OK, CONTROL_OK, BULK_OK];
            required.push(BACKPRESSURE_OK);
            required.extend(lossy.then_some(RECOVERY_OK));
            required.push(END);
            (required, vec![SELECTED_TCP, FELL_BACK])
        }
        (Profile::UdpSec, Role::Listener) => {
            (vec![LISTENER_UP, AUTH_OK, SESSION_OK, END], vec![SELECTED_TCP, FELL_BACK])
        }
        (Profile::Fallback, Role::Connector) => (
            vec![FELL_BACK, SELECTED_TCP, AUTH_OK, DATA_OK_TCP, FALLBACK_OK, END],
            vec![SELECTED_UDP_SEC, SESSION_OK, DATA_OK],
        ),
        (Profile::Fallback, Role::Listener) => {
            (vec![LISTENER_UP, AUTH_OK, END], vec![SELECTED_UDP_SEC, SESSION_OK])
        }
        (Profile::Strict, Role::Connector) => {
            (vec![UNAVAILABLE, STRICT_OK, END], vec![FELL_BACK, SELECTED_TCP, AUTH_OK, SESSION_OK, MUX_UP])
        }
        // It is there to be called by TCP, which nobody may do; it is ended with the run.
        (Profile::Strict, Role::Listener) => (vec![LISTENER_UP], vec![AUTH_OK, SESSION_OK, END]),
        (Profile::Quic, _) => {
            (vec![QUIC_BLOCKED, END], vec![AUTH_OK, SESSION_OK, SELECTED_UDP_SEC, SELECTED_TCP, MUX_UP])
        }
        (Profile::NoEntropy, _) => (
            vec![NO_ENTROPY, END],
            vec![LISTENER_UP, AUTH_OK, SESSION_OK, SELECTED_UDP_SEC, SELECTED_TCP, MUX_UP],
        ),
        (Profile::Selftest, _) => (vec![END], vec![SELECTED_TCP, FELL_BACK]),
    };
    forbidden.push(PANIC);
    Ladder { required, forbidden }
}

/// The ladder of the log whose peer is killed behind [`HALFWAY`]: up to there as ever, nothing later.
#[must_use]
pub fn cut_short(ladder: Ladder) -> Ladder {
    let Ladder { mut required, mut forbidden } = ladder;
    let reached = required.iter().position(|marker| *marker == HALFWAY).map_or(0, |at| at + 1);
    forbidden.extend(required.split_off(reached));
    Ladder { required, forbidden }
}

#[cfg(test)]
mod tests;
