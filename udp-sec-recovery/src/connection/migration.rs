//! Following a peer whose address has changed (`docs/protocol.md` section 6, "Path changes").
//!
//! 1. A packet that opens, with the highest number so far, comes from a new address: that is the candidate.
//! 2. Challenges leave to the candidate, as large as three times what came from there allows, and to the path in use.
//! 3. The answer moves the path. A newer packet from the path in use, or time without an answer, ends the candidate.
//!
//! The new path may be far slower than the one that the probe timeout was learnt from, and nothing is learnt anew until
//! the session has moved. So the challenge stays the same while it is repeated, that the answer to any of them counts;
//! repeats are ever rarer, that answers do not queue behind answers; and the time is never shorter than for a path of
//! which nothing is known (RFC 9000 section 8.2.4). The first repeat, on the other hand, is never later than there.
//!
//! Until then nothing but challenges leaves to the candidate: who makes our packets come from the address of a victim
//! gets no more sent there than he has sent.

use udp_sec::error::Reject;
use udp_sec::limits::{DATA_HEADER_LEN, DATAGRAM_MAX, TAG_LEN};
use udp_sec::time::{Duration, Instant};

use super::path::Allowance;
use super::timers::Timers;
use super::{Connection, Path, State, Transmit};
use crate::frame::FrameWriter;
use crate::limits;
use crate::memory::Storage;
use crate::send::pacer::Pacer;
use crate::send::persistent::PersistentCongestion;
use crate::send::rtt::RttEstimator;

/// The shortest datagram that carries a challenge or its answer.
const SHORTEST: usize = DATA_HEADER_LEN + 9 + TAG_LEN;

/// A new address of the peer's, to be shown that the peer receives there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    path: Path,
    challenge: [u8; 8],
    /// Until the next repeat; doubles with each.
    repeat_after: Duration,
    /// When it is given up.
    until: Instant,
    /// What is to leave.
    due: Due,
    allowance: Allowance,
}

/// The challenges that a candidate has to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Due {
    /// To the candidate, then to the path in use.
    Both,
    /// To the path in use.
    InUse,
    /// None, until the retry timer.
    Nothing,
}

/// A challenge of the peer's that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    path: Path,
    challenge: [u8; 8],
    /// Bytes of the datagram that brought it: the answer is as long, so that it proves the same and amplifies nothing.
    len: usize,
}

impl<S: Storage> Connection<S> {
    /// A packet that opened came over `path`; `is_newest` if its number is the highest so far.
    pub(super) fn on_packet_from(&mut self, now: Instant, path: Path, len: usize, is_newest: bool) {
        if path.leads_to(&self.path.remote) {
            if is_newest {
                // The address that the peer reached is the one to answer from.
                self.path = path;
                self.drop_candidate();
            }
            return;
        }
        match &mut self.candidate {
            Some(candidate) if candidate.path.leads_to(&path.remote) => {
                candidate.allowance.on_received(len as u64);
                candidate.path = path;
            }
            _ if is_newest => {
                let in_use = self.pto_base();
                let unknown = RttEstimator::new().pto_base(self.peer_ack_delay);
                // The round trip of the path in use may have been drawn out, by a peer that stood still for instance. Where
                // the peer has left it, everything waits for this answer.
                let repeat_after = in_use.min(unknown);
                let mut allowance = Allowance::NOTHING;
                allowance.on_received(len as u64);
                self.candidate = Some(Candidate {
                    path,
                    challenge: self.session.random_u64().to_le_bytes(),
                    repeat_after,
                    until: now + in_use.max(unknown) * limits::PTO_PERIODS,
                    due: Due::Both,
                    allowance,
                });
                self.timers.path = Some(now + repeat_after);
            }
            _ => {}
        }
    }

    /// PATH_CHALLENGE: the newest one is answered, to where it came from.
    pub(super) fn on_path_challenge(&mut self, path: Path, len: usize, challenge: [u8; 8]) {
        self.answer = Some(Answer { path, challenge, len: len.clamp(SHORTEST, DATAGRAM_MAX) });
    }

    /// PATH_RESPONSE: if it answers the challenge of the candidate, the session moves there. One that answers nothing, as
    /// may come after a candidate was dropped, means nothing.
    pub(super) fn on_path_response(&mut self, response: [u8; 8]) {
        if self.unproven.is_some_and(|unproven| unproven.challenge == response) {
            self.unproven = None;
            self.set_probe_timer();
            return;
        }
        let Some(candidate) = self.candidate.filter(|candidate| candidate.challenge == response) else {
            return;
        };
        self.drop_candidate();
        let same_host = self.path.remote.ip() == candidate.path.remote.ip();
        self.path = candidate.path;
        self.unproven = None;
        self.stats.path_changes = self.stats.path_changes.saturating_add(1);
        if !same_host {
            self.forget_path_properties();
        }
        // What is under way to the old address is lost: the sooner that is found out, the better.
        self.pto_count = 0;
        self.set_probe_timer();
    }

    /// RFC 9000 section 9.4: another host may be anywhere; what was learnt of the old path says nothing, nor does what
    /// is still to be learnt of it.
    fn forget_path_properties(&mut self) {
        self.first_on_path = self.session.next_packet_number();
        self.rtt = RttEstimator::new();
        self.pacer = Pacer::new();
        self.persistent = PersistentCongestion::new();
        self.controller = self.controller.on_new_path();
    }

    fn drop_candidate(&mut self) {
        self.candidate = None;
        self.timers.path = None;
    }

    /// Time passes: a challenge that was not answered is repeated, until it is given up.
    pub(super) fn on_path_timeout(&mut self, now: Instant) -> Result<(), Reject> {
        if !Timers::take(&mut self.timers.path, now) {
            return Ok(());
        }
        match &mut self.candidate {
            Some(candidate) if now < candidate.until => {
                candidate.repeat_after = candidate.repeat_after * 2;
                candidate.due = Due::Both;
                self.timers.path = Some((now + candidate.repeat_after).min(candidate.until));
                Ok(())
            }
            Some(_) => {
                self.drop_candidate();
                Err(Reject::PathUnvalidated)
            }
            None => Ok(()),
        }
    }

    /// A datagram that does not follow the path in use, or asks about it.
    pub(super) fn poll_path(&mut self, out: &mut [u8]) -> Option<Transmit> {
        if !matches!(self.state, State::Open) {
            return None;
        }
        if let Some(Answer { path, challenge, len }) = self.answer.take() {
            // Out of the same allowance: it is a third of what its challenge has added to that.
            if let Some(candidate) = self.candidate.as_mut().filter(|it| it.path.leads_to(&path.remote)) {
                candidate.allowance.on_sent(len as u64);
            }
            return self.send_to(path, len, out, |frames| frames.path_response(challenge).is_ok());
        }
        let candidate = self.candidate.as_mut()?;
        if candidate.due == Due::Both {
            candidate.due = Due::InUse;
            let len = usize::try_from(candidate.allowance.room()).unwrap_or(DATAGRAM_MAX).min(DATAGRAM_MAX);
            if len >= SHORTEST {
                candidate.allowance.on_sent(len as u64);
                let Candidate { path, challenge, .. } = *candidate;
                return self.send_to(path, len, out, |frames| frames.path_challenge(challenge).is_ok());
            }
        }
        if candidate.due == Due::InUse {
            candidate.due = Due::Nothing;
            if !self.path_has_room() {
                return None;
            }
            // Whatever the peer answers from there is newer, and ends the candidate: what it answers does not matter.
            let challenge = self.session.random_u64().to_le_bytes();
            return self.send_to(self.path, SHORTEST, out, |frames| frames.path_challenge(challenge).is_ok());
        }
        None
    }

    /// A datagram of `len` bytes to `path` with the frames that `write` writes, padded. It is not kept in mind: what it
    /// says is said again in other words, if at all.
    fn send_to(
        &mut self,
        path: Path,
        len: usize,
        out: &mut [u8],
        write: impl FnOnce(&mut FrameWriter<'_>) -> bool,
    ) -> Option<Transmit> {
        let datagram = out.get_mut(..len)?;
        let frames = datagram.get_mut(DATA_HEADER_LEN..len.checked_sub(TAG_LEN)?)?;
        let room = frames.len();
        let mut writer = FrameWriter::new(frames);
        if !write(&mut writer) {
            return None;
        }
        writer.pad_to(room);
        self.seal(datagram)?;
        self.charge(path, len);
        Some(Transmit { path, len, segment: len })
    }
}
