//! The end of a session: who closes says so, and says so again when the peer goes on, ever more rarely
//! (`docs/protocol.md` section 6).

use udp_sec::error::{CloseCode, Reject};
use udp_sec::time::Instant;

use super::{Connection, State};
use crate::event::{Closure, Event};
use crate::limits;
use crate::memory::Storage;
use crate::send::pto;

/// What a closing session still does: repeat its CLOSE on the 1st, 2nd, 4th, … packet it receives.
#[derive(Debug)]
pub(super) struct Closing {
    code: CloseCode,
    why: Closure,
    received: u32,
    answer_at: u32,
    due: bool,
}

impl Closing {
    fn new(code: CloseCode, why: Closure) -> Self {
        Self { code, why, received: 0, answer_at: 1, due: true }
    }

    /// The code that CLOSE carries.
    pub(super) const fn code(&self) -> CloseCode {
        self.code
    }

    /// What the application was told.
    pub(super) const fn why(&self) -> Closure {
        self.why
    }

    /// Another packet of the peer arrived.
    pub(super) fn on_packet(&mut self) {
        self.received = self.received.saturating_add(1);
        if self.received >= self.answer_at {
            self.answer_at = self.answer_at.saturating_mul(2);
            self.due = true;
        }
    }

    /// Whether a CLOSE is to leave now; it is not due again until the peer goes on.
    pub(super) fn take_due(&mut self) -> bool {
        core::mem::take(&mut self.due)
    }
}

impl<S: Storage> Connection<S> {
    /// Ends the session from our side: CLOSE with `code` leaves, the application hears `why`.
    pub(super) fn close(&mut self, now: Instant, code: CloseCode, why: Closure) {
        let period = pto::timeout(self.pto_base(), 0, self.idle_timeout) * limits::PTO_PERIODS;
        self.leave_open_state();
        self.timers.end = Some(now + period);
        self.state = State::Closing(Closing::new(code, why));
        self.events.push(Event::Closed(why));
    }

    /// Ends the session because the peer broke the protocol.
    pub(super) fn close_for(&mut self, now: Instant, reject: Reject) {
        let code = match reject {
            Reject::AckOfUnsentPacket => CloseCode::AckOfUnsentPacket,
            Reject::FlowControlViolation => CloseCode::FlowControlViolation,
            Reject::FinalSizeChanged => CloseCode::FinalSizeChanged,
            Reject::KeyUpdateViolation => CloseCode::KeyUpdateViolation,
            _ => CloseCode::MalformedFrame,
        };
        self.close(now, code, Closure::ByUs(code));
    }

    /// Ends the session without a word.
    pub(super) fn end(&mut self, why: Closure) {
        let told = self.closure().is_some();
        self.leave_open_state();
        let why = self.closure().unwrap_or(why);
        self.state = State::Ended(why);
        if !told {
            self.events.push(Event::Closed(why));
        }
    }

    /// A newer session of the same peer takes the place of this one.
    pub(crate) fn supersede(&mut self) {
        self.end(Closure::Superseded);
    }

    /// The peer's CLOSE. With `NO_ERROR` it also says that the peer has everything we sent.
    pub(super) fn on_peer_close(&mut self, code: CloseCode) {
        let why = match code {
            CloseCode::NoError if self.send.is_finished() && self.reassembly.is_finished() => {
                self.send.acknowledge_all(&mut self.storage.memory());
                Closure::Complete
            }
            code => Closure::ByPeer(code),
        };
        self.end(why);
    }

    /// Closes the session once both directions are complete.
    pub(super) fn close_if_complete(&mut self, now: Instant) {
        if self.send.is_complete() && self.reassembly.is_finished() {
            self.close(now, CloseCode::NoError, Closure::Complete);
        }
    }

    /// No deadline of an open session matters any more.
    fn leave_open_state(&mut self) {
        self.timers = super::timers::Timers::default();
        self.probes = 0;
    }
}
