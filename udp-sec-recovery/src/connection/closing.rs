//! The end of a session: who closes says so, and says so again when the peer goes on, ever more rarely
//! (`docs/protocol.md` section 6).

use udp_sec::error::{CloseCode, Reject};
use udp_sec::limits::{DATA_HEADER_LEN, DATAGRAM_MAX, REPLAY_WORDS_MIN, TAG_LEN};
use udp_sec::session::Session;
use udp_sec::time::Instant;

use super::{Connection, Path, State, Transmit};
use crate::event::{Closure, Event};
use crate::frame::{Frame, FrameWriter, Frames};
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

    /// The code of the CLOSE that is to leave now, if one is; it is not due again until the peer goes on.
    pub(super) fn take_due(&mut self) -> Option<CloseCode> {
        core::mem::take(&mut self.due).then_some(self.code)
    }
}

/// A closing session whose memory has been given back: all it takes to repeat CLOSE until the period is over.
#[derive(Debug)]
pub(crate) struct Farewell {
    session: Session,
    path: Path,
    closing: Closing,
    until: Instant,
    replay: [u64; REPLAY_WORDS_MIN],
}

impl Farewell {
    /// The local id of the session.
    pub(crate) const fn id(&self) -> u64 {
        self.session.local_id()
    }

    /// When nothing more is said.
    pub(crate) const fn until(&self) -> Instant {
        self.until
    }

    /// A datagram for the session. The peer's own CLOSE is heard; anything else may be answered with ours.
    ///
    /// # Errors
    /// Why it was dropped.
    pub(crate) fn handle_datagram(&mut self, datagram: &mut [u8]) -> Result<Heard, Reject> {
        let packet = self.session.open(&mut self.replay, datagram)?;
        self.closing.on_packet();
        for frame in Frames::new(packet.frames()) {
            if let Frame::Close(_) = frame? {
                return Ok(Heard::Close);
            }
        }
        Ok(Heard::Nothing)
    }

    /// The CLOSE that is due, if any.
    pub(crate) fn poll_transmit(&mut self, out: &mut [u8]) -> Option<Transmit> {
        let code = self.closing.take_due()?;
        let len = seal_close(&mut self.session, code, out)?;
        Some(Transmit { path: self.path, len, segment: len })
    }
}

/// What a closing session heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// The peer has closed, too: nothing more leaves.
    Close,
    /// Nothing that ends the closing period.
    Nothing,
}

/// Builds a datagram of one CLOSE frame at the start of `out`; its length, or `None` where that cannot be.
pub(crate) fn seal_close(session: &mut Session, code: CloseCode, out: &mut [u8]) -> Option<usize> {
    seal_close_after(session, code, out, |_| ())
}

/// The same, with what `first` writes before it.
pub(super) fn seal_close_after(
    session: &mut Session,
    code: CloseCode,
    out: &mut [u8],
    first: impl FnOnce(&mut FrameWriter<'_>),
) -> Option<usize> {
    let frames = out.get_mut(DATA_HEADER_LEN..out.len().min(DATAGRAM_MAX).checked_sub(TAG_LEN)?)?;
    let mut writer = FrameWriter::new(frames);
    first(&mut writer);
    writer.close(code, code.text()).ok()?;
    let len = writer.len().saturating_add(DATA_HEADER_LEN).saturating_add(TAG_LEN);
    session.seal(out.get_mut(..len)?).ok()?;
    Some(len)
}

impl<S: Storage> Connection<S> {
    /// Gives the memory back, and what closing still takes, unless nothing more is said.
    pub(crate) fn into_farewell(self) -> (S, Option<Farewell>) {
        let Self { storage, mut session, path, state, timers, .. } = self;
        let (State::Closing(closing), Some(until)) = (state, timers.end) else { return (storage, None) };
        let mut replay = [0; REPLAY_WORDS_MIN];
        session.adopt_replay_window(&mut replay);
        (storage, Some(Farewell { session, path, closing, until, replay }))
    }

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
