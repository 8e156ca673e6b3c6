//! A datagram in.
//!
//! 1. `Session::open` authenticates it; what fails is counted by the endpoint and changes nothing. What opens may show
//!    that the peer's address has changed.
//! 2. The peer has been heard: the idle timer starts anew.
//! 3. Its frames are applied in order; a violation closes the session.
//! 4. Its number is recorded for acknowledging, unless its stream data found no room.
//! 5. If that completed both directions, we close.

use udp_sec::error::{CloseCode, Reject};
use udp_sec::limits::KEY_FAILED_MAX;
use udp_sec::session::Authenticated;
use udp_sec::time::Instant;

use super::{Connection, Path, State};
use crate::event::{Closure, Event};
use crate::frame::{Frame, Frames, StreamFrame};
use crate::memory::Storage;

impl<S: Storage> Connection<S> {
    /// Takes one datagram that names this session, and opens it in place.
    ///
    /// # Errors
    /// Why it, or a part of it, was dropped.
    pub fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &mut [u8]) -> Result<(), Reject> {
        let memory = self.storage.memory();
        let (phase, newest) = (self.session.receive_phase(), self.session.largest_received());
        match self.session.open(memory.replay, datagram) {
            Ok(packet) => {
                if self.session.receive_phase() != phase {
                    self.on_key_updated(now);
                }
                if matches!(self.state, State::Open) {
                    let is_newest = Some(packet.packet_number()) > newest;
                    self.on_packet_from(now, path, packet.datagram_len(), is_newest);
                }
                self.handle_packet(now, path, &packet)
            }
            Err(reject) => {
                if matches!(self.state, State::Open) {
                    if reject == Reject::KeyUpdateViolation {
                        self.close_for(now, reject);
                    } else if self.session.failed_openings() >= KEY_FAILED_MAX {
                        self.close(now, CloseCode::KeyLimit, Closure::ByUs(CloseCode::KeyLimit));
                    }
                }
                Err(reject)
            }
        }
    }

    /// Takes one packet that has been opened: nothing else can carry bytes into the stream.
    ///
    /// # Errors
    /// The violation for which the session was closed, or the reassembly overflow that cost the packet its
    /// stream data.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        path: Path,
        packet: &Authenticated<'_>,
    ) -> Result<(), Reject> {
        self.stats.datagrams_received = self.stats.datagrams_received.saturating_add(1);
        self.stats.bytes_received = self.stats.bytes_received.saturating_add(packet.datagram_len() as u64);
        if let Some(unproven) = self.unproven.as_mut().filter(|_| path.leads_to(&self.path.remote)) {
            unproven.allowance.on_received(packet.datagram_len() as u64);
        }
        match &mut self.state {
            State::Open => {}
            State::Closing(closing) => {
                closing.on_packet();
                return self.look_for_close(packet);
            }
            State::Ended(_) => return Ok(()),
        }
        self.on_heard(now);
        match self.apply_frames(now, path, packet) {
            Ok(received) => {
                if matches!(self.state, State::Open) {
                    self.close_if_complete(now);
                }
                received
            }
            Err(violation) => {
                self.close_for(now, violation);
                Err(violation)
            }
        }
    }

    /// Ends the receive batch: acknowledgements may leave now rather than wait for the next packet.
    pub fn end_of_batch(&mut self) {
        self.ack.on_batch_end();
    }

    /// The outer error is a violation, the inner one only a packet that could not be kept.
    fn apply_frames(
        &mut self,
        now: Instant,
        path: Path,
        packet: &Authenticated<'_>,
    ) -> Result<Result<(), Reject>, Reject> {
        let mut eliciting = false;
        let mut kept = Ok(());
        for frame in Frames::new(packet.frames()) {
            let frame = frame?;
            eliciting |= frame.is_ack_eliciting();
            match self.on_frame(now, path, packet.datagram_len(), &frame) {
                Err(Reject::ReassemblyOverflow) => kept = Err(Reject::ReassemblyOverflow),
                other => other?,
            }
            if !matches!(self.state, State::Open) {
                return Ok(Ok(()));
            }
        }
        match kept {
            // Not acknowledged, so it will be sent again when there is an entry for it.
            Err(_) => self.stats.reassembly_overflows = self.stats.reassembly_overflows.saturating_add(1),
            Ok(()) => {
                let first = self.received.largest().is_none();
                let insertion = self.received.insert(packet.packet_number());
                self.ack.on_packet(now, eliciting, insertion);
                if first && eliciting {
                    // The initiator learns from this acknowledgement that its session has begun.
                    self.ack.expedite();
                }
            }
        }
        Ok(kept)
    }

    fn on_frame(&mut self, now: Instant, path: Path, len: usize, frame: &Frame<'_>) -> Result<(), Reject> {
        match frame {
            Frame::Padding | Frame::Ping | Frame::DataBlocked(_) => Ok(()),
            Frame::Ack(ack) => self.on_ack(now, ack),
            Frame::Stream(stream) => self.on_stream(now, stream),
            Frame::MaxData(credit) => {
                self.on_max_data(*credit);
                Ok(())
            }
            Frame::PathChallenge(challenge) => {
                self.on_path_challenge(path, len, *challenge);
                Ok(())
            }
            Frame::PathResponse(response) => {
                self.on_path_response(*response);
                Ok(())
            }
            Frame::Close(close) => {
                self.on_peer_close(close.code);
                Ok(())
            }
        }
    }

    fn on_stream(&mut self, now: Instant, frame: &StreamFrame<'_>) -> Result<(), Reject> {
        let memory = self.storage.memory();
        let finished = self.reassembly.is_finished();
        let inserted = self.reassembly.insert(memory.recv, memory.reorder, frame, self.credit.granted())?;
        self.stats.stream_bytes_received = self.stats.stream_bytes_received.saturating_add(inserted.readable);
        if inserted.readable > 0 || self.reassembly.is_finished() != finished {
            self.events.push(Event::Readable);
        }
        if inserted.fresh > 0 {
            self.expect_more(now);
        }
        Ok(())
    }

    fn on_max_data(&mut self, credit: u64) {
        if credit > self.peer_credit {
            self.peer_credit = credit;
            self.control.blocked = false;
            self.control.blocked_at = None;
            self.timers.blocked = None;
        }
    }

    /// A closing session listens for one thing only: that the peer has closed, too.
    fn look_for_close(&mut self, packet: &Authenticated<'_>) -> Result<(), Reject> {
        for frame in Frames::new(packet.frames()) {
            if let Frame::Close(close) = frame? {
                self.on_peer_close(close.code);
                break;
            }
        }
        Ok(())
    }
}
