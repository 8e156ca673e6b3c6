//! Carries a selection out: makes the attempts that the [`Selector`] asks for, one after the other.

use core::fmt;

use udp_sec::time::Duration;

use super::{Event, Happened, Mode, SelectedStream, Selector, Step, Transport};
use crate::stream::ReliableStream;

/// How a system makes an attempt by each transport. Each returns when the peer has proven itself, when that has
/// failed, or when the budget is spent, which is [`Happened::Silence`].
pub trait Attempts {
    /// A session over datagrams.
    type UdpSec: ReliableStream;
    /// A session over TCP.
    type Tcp: ReliableStream;
    /// A session over the caller's own transport; [`NoStream`](super::NoStream) where there is none.
    type Quic: ReliableStream;

    /// Tries udp-sec.
    ///
    /// # Errors
    /// Why there is no session.
    fn udp_sec(&mut self, budget: Duration) -> Result<Self::UdpSec, Happened>;

    /// Tries TCP, with the same keys and the same checks.
    ///
    /// # Errors
    /// Why there is no session.
    fn tcp(&mut self, budget: Duration) -> Result<Self::Tcp, Happened>;

    /// Tries the caller's own transport.
    ///
    /// # Errors
    /// [`Happened::Disabled`] where there is none, which is what the default says.
    fn quic(&mut self, budget: Duration) -> Result<Self::Quic, Happened> {
        _ = budget;
        Err(Happened::Disabled)
    }
}

/// The stream that a selection over `A` ends with.
pub type Selected<A> = SelectedStream<<A as Attempts>::UdpSec, <A as Attempts>::Tcp, <A as Attempts>::Quic>;

/// There is no session: the last attempt, and why it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSession {
    /// What the user wanted.
    pub mode: Mode,
    /// The last transport that was tried.
    pub transport: Transport,
    /// Why it was the last.
    pub reason: Happened,
}

impl fmt::Display for NoSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Event::from(*self).fmt(f)
    }
}

impl core::error::Error for NoSession {}

impl From<NoSession> for Event {
    fn from(NoSession { mode, transport, reason }: NoSession) -> Self {
        Self::Failed { mode, transport, reason }
    }
}

/// Opens a session in `mode` by `attempts`, at most one of each transport. Every decision is shown to `on_event`
/// before what follows from it is done.
///
/// # Errors
/// [`NoSession`], which `on_event` has seen as well.
pub fn select<A: Attempts>(
    mode: Mode,
    attempts: &mut A,
    mut on_event: impl FnMut(Event),
) -> Result<Selected<A>, NoSession> {
    let mut selector = Selector::new(mode);
    loop {
        let (transport, budget) = match selector.step() {
            Step::Attempt { transport, budget } => (transport, budget),
            // Both only follow from a report, and are answered below.
            Step::Selected(transport) => {
                return Err(NoSession { mode, transport, reason: Happened::LocalLimit });
            }
            Step::Failed { transport, reason } => return Err(NoSession { mode, transport, reason }),
        };
        let outcome = match transport {
            Transport::UdpSec => attempts.udp_sec(budget).map(SelectedStream::UdpSec),
            Transport::Tcp => attempts.tcp(budget).map(SelectedStream::Tcp),
            Transport::Quic => attempts.quic(budget).map(SelectedStream::Quic),
        };
        match outcome {
            Ok(stream) => {
                if let Some(event) = selector.report(Happened::Connected) {
                    on_event(event);
                }
                return Ok(stream);
            }
            Err(happened) => {
                if let Some(event) = selector.report(as_an_end(happened)) {
                    on_event(event);
                }
            }
        }
    }
}

/// What an attempt that is over without a session amounts to: one that ended on the word of a stranger, or claims to
/// have succeeded, has heard nothing from the peer.
const fn as_an_end(happened: Happened) -> Happened {
    match happened {
        Happened::Connected | Happened::Forgery => Happened::Silence,
        happened => happened,
    }
}

#[cfg(test)]
mod tests;
