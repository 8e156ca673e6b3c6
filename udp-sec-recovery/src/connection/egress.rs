//! Datagrams out.
//!
//! 1. A closing session sends its CLOSE when it is due, the first with the ACK that waits, and nothing else.
//! 2. What there is to send ([`Interest`]) is held against what holds it back ([`Constraint`]); an acknowledgement
//!    that is due may leave all the same.
//! 3. Frames are written into the caller's buffer: ACK first, control frames, then stream bytes to fill it.
//! 4. `Session::seal` protects the datagram where it lies.
//! 5. A packet that elicits an acknowledgement goes into the sent queue and counts as in flight.

use udp_sec::error::CloseCode;
use udp_sec::limits::{DATA_HEADER_LEN, DATAGRAM_MAX, TAG_LEN};
use udp_sec::time::Instant;

use super::closing::seal_close_after;
use super::{Connection, Path, State};
use crate::event::Closure;
use crate::frame::{FrameWriter, STREAM_OVERHEAD};
use crate::limits;
use crate::memory::Storage;
use crate::ring;
use crate::send::buffer::{Chunk, ChunkKind};
use crate::send::congestion::Utilisation;
use crate::send::pacer::Pace;
use crate::send::permit::{self, Constraint, Interest};
use crate::send::sent_queue::{Carried, Fate, SentPacket};

/// Datagrams to send: `len` bytes at the start of the buffer, cut into segments of `segment` bytes, of which only
/// the last may be shorter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmit {
    /// Where to.
    pub path: Path,
    /// Bytes in all.
    pub len: usize,
    /// Bytes of each datagram.
    pub segment: usize,
}

impl Transmit {
    /// One datagram, copied into `out`; `None` where it does not fit.
    pub(crate) fn copy(path: Path, datagram: &[u8], out: &mut [u8]) -> Option<Self> {
        out.get_mut(..datagram.len())?.copy_from_slice(datagram);
        Some(Self { path, len: datagram.len(), segment: datagram.len() })
    }
}

/// What one packet will carry, gathered while its frames are written.
#[derive(Default)]
struct Plan {
    /// Bytes of frames.
    len: usize,
    ack_eliciting: bool,
    chunk: Option<Chunk>,
    credit: Option<u64>,
    /// One more than the largest number acknowledged by its ACK frame.
    acked_below: u64,
    blocked: bool,
}

impl<S: Storage> Connection<S> {
    /// Builds as many datagrams as may leave now and fit into `out`, all of the same size but the last.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut [u8]) -> Option<Transmit> {
        if let Some(transmit) = self.poll_path(out) {
            return Some(transmit);
        }
        let mut budget = None;
        let mut transmit = Transmit { path: self.path, len: 0, segment: 0 };
        while let Some(room) = out.get_mut(transmit.len..transmit.len.saturating_add(DATAGRAM_MAX)) {
            let Some(size) = self.next_datagram(now, &mut budget, room) else { break };
            self.charge(transmit.path, size);
            transmit.len = transmit.len.saturating_add(size);
            transmit.segment = transmit.segment.max(size);
            if size < DATAGRAM_MAX {
                break;
            }
        }
        (transmit.len > 0).then_some(transmit)
    }

    fn next_datagram(&mut self, now: Instant, budget: &mut Option<u64>, room: &mut [u8]) -> Option<usize> {
        if matches!(self.state, State::Open) && self.session.key_limit_reached() {
            self.close(now, CloseCode::KeyLimit, Closure::ByUs(CloseCode::KeyLimit));
        }
        let has_room = self.path_has_room();
        let room = room.get_mut(..self.largest_datagram())?;
        match &mut self.state {
            State::Open => {}
            State::Closing(_) if !has_room => return None,
            State::Closing(closing) => {
                let code = closing.take_due()?;
                let size = seal_close_after(&mut self.session, code, room, |writer| {
                    // Else the peer would not learn that what it sent has arrived, and been read perhaps.
                    if self.ack.has_waiting() && self.unproven.is_none() {
                        _ = writer.ack(&self.received, self.ack.delay(now));
                        self.ack.on_ack_sent();
                    }
                })?;
                self.count_sent(size);
                return Some(size);
            }
            State::Ended(_) => return None,
        }
        let permitted = self.ask_permit(now, budget);
        if permitted.is_none() && !(self.ack.is_due(now) && has_room) {
            return None;
        }
        let frames = room.get_mut(DATA_HEADER_LEN..room.len().checked_sub(TAG_LEN)?)?;
        let plan = self.write_frames(now, permitted, frames);
        if plan.len == 0 {
            return None;
        }
        let size = plan.len.saturating_add(DATA_HEADER_LEN).saturating_add(TAG_LEN);
        self.update_key_if_due(now);
        let number = self.seal(room.get_mut(..size)?)?;
        if plan.ack_eliciting {
            *budget = budget.map(|bytes| bytes.saturating_sub(size as u64));
            self.on_sent(now, number, size, &plan);
        }
        Some(size)
    }

    /// What may leave now, apart from an acknowledgement. The pacer is asked once per burst: `budget` is what it
    /// granted and the burst has not used.
    fn ask_permit(&mut self, now: Instant, budget: &mut Option<u64>) -> Option<Interest> {
        let interest = self.interest();
        if interest == Interest::None {
            self.utilisation = Utilisation::AppLimited;
            return None;
        }
        let constraint = self.constraint(now, budget);
        self.utilisation = match constraint {
            Constraint::Paced | Constraint::CongestionLimited => Utilisation::WindowLimited,
            _ => Utilisation::AppLimited,
        };
        permit::may_send(interest, constraint).then_some(interest)
    }

    /// The most pressing thing there is to send.
    fn interest(&mut self) -> Interest {
        self.note_if_blocked();
        let credit_due = self.credit_due().is_some();
        let memory = self.storage.memory();
        if self.probes > 0 {
            Interest::Probe
        } else if !memory.lost.is_empty() {
            Interest::LostData
        } else if self.control.ping
            || self.control.blocked
            || credit_due
            || self.send.next_chunk(memory.lost, 1, self.peer_credit).is_some()
        {
            Interest::NewData
        } else {
            Interest::None
        }
    }

    /// The credit that the peer should be told of; none once it has no more to send.
    fn credit_due(&self) -> Option<u64> {
        self.credit.due().filter(|_| self.reassembly.final_size().is_none())
    }

    /// DATA_BLOCKED is due once for each offset that the peer's credit stops us at.
    fn note_if_blocked(&mut self) {
        let at = self.send.blocked_at(self.peer_credit);
        if at.is_some() && at != self.control.blocked_at {
            self.control.blocked = true;
            self.control.blocked_at = at;
        }
    }

    /// The most severe thing that holds a full datagram back.
    fn constraint(&mut self, now: Instant, budget: &mut Option<u64>) -> Constraint {
        let sent = self.storage.memory().sent;
        let free = sent.storage_capacity().saturating_sub(sent.storage_len());
        let hard = Constraint::of_sent_queue(free)
            .max(Constraint::of_window(self.controller.room(), limits::DATAGRAM_MAX))
            .max(Constraint::of_path(self.unproven_room(), limits::DATAGRAM_MAX));
        if hard != Constraint::None || budget.is_some_and(|bytes| bytes >= limits::DATAGRAM_MAX) {
            return hard;
        }
        match self.pacer.poll(now, self.controller.window(), self.rtt.smoothed()) {
            Pace::Ready(bytes) => {
                *budget = Some(bytes);
                Constraint::None
            }
            Pace::Wait(until) => {
                self.timers.pacing = Some(until);
                Constraint::Paced
            }
        }
    }

    /// Bytes that may go to an address that has not shown that it receives them (`docs/protocol.md` section 6). `None`
    /// where it has.
    fn unproven_room(&self) -> Option<u64> {
        self.unproven.map(|unproven| unproven.allowance.room())
    }

    /// Bytes that one datagram may take.
    fn largest_datagram(&self) -> usize {
        let room =
            self.unproven_room().map_or(DATAGRAM_MAX, |room| usize::try_from(room).unwrap_or(DATAGRAM_MAX));
        room.min(DATAGRAM_MAX)
    }

    /// Whether what nobody holds back otherwise, an ACK or CLOSE, may go where the session is.
    pub(super) fn path_has_room(&self) -> bool {
        self.unproven_room().is_none_or(|room| room >= limits::UNPROVEN_LEAST)
    }

    /// `size` bytes leave along `path`.
    pub(super) fn charge(&mut self, path: Path, size: usize) {
        if let Some(unproven) = self.unproven.as_mut().filter(|_| path.leads_to(&self.path.remote)) {
            unproven.allowance.on_sent(size as u64);
        }
    }

    /// Writes the frames of one packet. Each kind that does not fit simply waits for the next packet.
    fn write_frames(&mut self, now: Instant, permitted: Option<Interest>, frames: &mut [u8]) -> Plan {
        let mut plan = Plan::default();
        let mut writer = FrameWriter::new(frames);
        let asks_back = permitted.is_none() && self.may_ask_back();
        if permitted.is_some() || asks_back {
            plan.ack_eliciting = self.challenge_unproven(&mut writer);
        }
        if self.ack.has_waiting() {
            self.write_ack(now, &mut writer, &mut plan);
        }
        if let Some(interest) = permitted {
            self.write_control(interest, &mut writer, &mut plan);
            // A probe that is to prove the path need not be large.
            if self.unproven.is_none() || interest != Interest::Probe {
                self.write_stream(interest, &mut writer, &mut plan);
            }
            let needs_ping = self.control.ping || interest == Interest::Probe;
            plan.ack_eliciting |= !plan.ack_eliciting && needs_ping && writer.ping().is_ok();
            // Whatever elicits an acknowledgement serves as the ping.
            self.control.ping &= !plan.ack_eliciting;
        } else if asks_back {
            plan.ack_eliciting |= !plan.ack_eliciting && !writer.is_empty() && writer.ping().is_ok();
        }
        plan.len = writer.len();
        plan
    }

    /// As long as the path is unproven, every packet that may be in flight challenges the peer to prove it, before all
    /// else; whether that was written.
    fn challenge_unproven(&self, writer: &mut FrameWriter<'_>) -> bool {
        self.unproven.is_some_and(|unproven| writer.path_challenge(unproven.challenge).is_ok())
    }

    /// Whether an ACK asks for one itself, as all do until the peer has acknowledged anything or while the path is
    /// unproven: it may be all that may be sent, and if it is lost, a probe repeats it.
    fn may_ask_back(&mut self) -> bool {
        let sent = self.storage.memory().sent;
        let free = sent.storage_capacity().saturating_sub(sent.storage_len());
        let held_back = Constraint::of_sent_queue(free)
            .max(Constraint::of_window(self.controller.room(), limits::DATAGRAM_MAX));
        (self.unproven.is_some() || self.largest_acked.is_none()) && held_back == Constraint::None
    }

    fn write_ack(&mut self, now: Instant, writer: &mut FrameWriter<'_>, plan: &mut Plan) {
        let Ok(largest) = writer.ack(&self.received, self.ack.delay(now)) else {
            if self.received.is_empty() {
                // The peer has acknowledged the ACK of everything there was: nothing is owed.
                self.ack.on_ack_sent();
            }
            return;
        };
        plan.acked_below = largest.saturating_add(1);
        self.session.on_ack_sealed(largest);
        self.ack.on_ack_sent();
        self.stats.acks_sent = self.stats.acks_sent.saturating_add(1);
    }

    fn write_control(&mut self, interest: Interest, writer: &mut FrameWriter<'_>, plan: &mut Plan) {
        let credit = match interest {
            Interest::Probe => self.credit.to_probe_with(),
            _ => self.credit.due(),
        };
        let wanted = self.reassembly.final_size().is_none();
        plan.credit = credit.filter(|credit| wanted && writer.max_data(*credit).is_ok());
        if let Some(credit) = plan.credit {
            self.credit.on_sent(credit);
        }
        let blocked_at = self.control.blocked_at.filter(|_| self.control.blocked);
        plan.blocked = blocked_at.is_some_and(|offset| writer.data_blocked(offset).is_ok());
        self.control.blocked &= !plan.blocked;
        plan.ack_eliciting |= plan.credit.is_some() || plan.blocked;
    }

    fn write_stream(&mut self, interest: Interest, writer: &mut FrameWriter<'_>, plan: &mut Plan) {
        let Some(room) = writer.remaining().checked_sub(STREAM_OVERHEAD) else { return };
        let memory = self.storage.memory();
        let chunk = self.send.next_chunk(memory.lost, room, self.peer_credit);
        let chunk = match (chunk, interest) {
            (None, Interest::Probe) => self.probe_chunk(room),
            (chunk, _) => chunk,
        };
        let Some(chunk) = chunk else { return };
        let memory = self.storage.memory();
        let len = chunk.span.len() as usize;
        let Ok(bytes) = writer.stream(chunk.span.start, chunk.fin, len) else { return };
        ring::copy_out(memory.send, chunk.span.start, bytes);
        self.send.on_sent(memory.lost, chunk);
        let counter = match chunk.kind {
            ChunkKind::Fresh => &mut self.stats.stream_bytes_sent,
            ChunkKind::Lost => &mut self.stats.stream_bytes_retransmitted,
            ChunkKind::Probe => &mut self.stats.stream_bytes_probed,
        };
        *counter = counter.saturating_add(chunk.span.len());
        plan.chunk = Some(chunk);
        plan.ack_eliciting = true;
    }

    /// What a probe repeats when there is nothing new to send: the oldest bytes in flight, and with the second
    /// probe the ones after those.
    fn probe_chunk(&mut self, room: usize) -> Option<Chunk> {
        let nth = usize::from(limits::PROBES.saturating_sub(self.probes));
        let sent = self.storage.memory().sent;
        let in_flight = sent.iter().filter(|packet| packet.fate == Fate::InFlight);
        in_flight
            .filter_map(|packet| {
                self.send.probe_chunk(packet.stream(), packet.carried.has(Carried::FIN), room)
            })
            .nth(nth)
    }

    /// Protects `datagram`, after leaving out the packet numbers that are to be skipped.
    pub(super) fn seal(&mut self, datagram: &mut [u8]) -> Option<u64> {
        let next = self.session.next_packet_number();
        if self.skips.is_due(next) {
            self.session.skip_packet_number();
            self.skips.on_skipped(next, self.session.random_u64());
        }
        // A key at its limit seals nothing: `next_datagram` has closed the session long before.
        let number = self.session.seal(datagram).ok()?;
        self.count_sent(datagram.len());
        Some(number)
    }

    fn count_sent(&mut self, size: usize) {
        self.stats.datagrams_sent = self.stats.datagrams_sent.saturating_add(1);
        self.stats.bytes_sent = self.stats.bytes_sent.saturating_add(size as u64);
    }

    /// The packet `number` of `size` bytes has been built: it elicits an acknowledgement, so it is kept in mind.
    fn on_sent(&mut self, now: Instant, number: u64, size: usize, plan: &Plan) {
        let fin = plan.chunk.is_some_and(|chunk| chunk.fin);
        let mut carried = Carried::NOTHING;
        for (present, what) in [
            (fin, Carried::FIN),
            (plan.credit.is_some(), Carried::MAX_DATA),
            (plan.blocked, Carried::DATA_BLOCKED),
        ] {
            if present {
                carried = carried.with(what);
            }
        }
        let stream = plan.chunk.map(|chunk| chunk.span).unwrap_or_default();
        let packet = SentPacket {
            number,
            sent_at: now,
            stream_start: stream.start,
            credit: plan.credit.unwrap_or(0),
            acked_below: plan.acked_below,
            stream_len: u16::try_from(stream.len()).unwrap_or(u16::MAX),
            size: u16::try_from(size).unwrap_or(u16::MAX),
            carried,
            fate: Fate::InFlight,
        };
        // The permit saw a free place.
        _ = self.storage.memory().sent.push_back(packet);
        self.controller.on_packet_sent(size as u64);
        self.pacer.on_sent(size as u64);
        if let Some(left) = self.probes.checked_sub(1) {
            self.probes = left;
            self.stats.probes_sent = self.stats.probes_sent.saturating_add(1);
        }
        if plan.blocked {
            self.timers.blocked = Some(now + self.idle_timeout / limits::KEEPALIVE_IDLE_DIVISOR);
        }
        self.on_eliciting_sent(now);
        self.tell_writer();
    }
}
