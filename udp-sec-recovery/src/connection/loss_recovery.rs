//! An acknowledgement in: what it frees, what it shows to be lost, what that does to the window
//! (RFC 9002 sections 5 to 7, appendix A.7 to A.10).
//!
//! 1. Every range is checked before anything changes.
//! 2. Packets newly acknowledged leave the flight; what they carried is done.
//! 3. The round trip is measured, if the largest acknowledged packet is among them.
//! 4. Older packets are judged: lost, or not yet.
//! 5. Packets done with leave the queue.

use core::ops::RangeInclusive;

use udp_sec::error::Reject;
use udp_sec::time::Instant;

use super::Connection;
use crate::event::Event;
use crate::frame::AckFrame;
use crate::limits;
use crate::memory::Storage;
use crate::send::congestion::{Reaction, Undo};
use crate::send::loss::{self, Verdict};
use crate::send::persistent::{self, Congestion};
use crate::send::sent_queue::{self, Carried, Fate, SentPacket};

/// What one ACK frame newly acknowledged.
#[derive(Default)]
struct NewlyAcked {
    /// Number and departure of the largest such packet.
    largest: Option<(u64, Instant)>,
}

impl<S: Storage> Connection<S> {
    /// Applies an ACK frame.
    ///
    /// # Errors
    /// `AckOfUnsentPacket` for numbers never sent, those left out on purpose among them, and `MalformedFrame` for
    /// ranges below zero; nothing has changed then.
    pub(super) fn on_ack(&mut self, now: Instant, ack: &AckFrame<'_>) -> Result<(), Reject> {
        let largest_sent = self.session.next_packet_number().checked_sub(1);
        let ranges = ack.ranges(largest_sent)?;
        let mut largest = 0;
        for range in ranges.clone() {
            if self.skips.any_in(&range) {
                return Err(Reject::AckOfUnsentPacket);
            }
            largest = largest.max(*range.end());
        }
        self.stats.acks_received = self.stats.acks_received.saturating_add(1);
        self.largest_acked = self.largest_acked.max(Some(largest));
        self.session.on_acknowledged(largest);

        let mut newly = NewlyAcked::default();
        for range in ranges {
            self.acknowledge(&range, &mut newly);
        }
        if let Some((number, sent_at)) = newly.largest {
            if number == largest && number >= self.first_on_path {
                let delay = ack.delay().min(self.peer_ack_delay);
                self.rtt.on_sample(now.saturating_since(sent_at), delay, now);
            }
            self.pto_count = 0;
        }
        self.detect_losses(now);
        self.forget_old_packets(now);
        self.set_probe_timer();
        self.tell_writer();
        Ok(())
    }

    /// Marks the packets numbered in `range` as acknowledged.
    fn acknowledge(&mut self, range: &RangeInclusive<u64>, newly: &mut NewlyAcked) {
        for position in sent_queue::positions(self.storage.memory().sent, range) {
            let Some(packet) = self.storage.memory().sent.get_mut(position).map(|packet| {
                let before = *packet;
                packet.fate = Fate::Acked;
                before
            }) else {
                continue;
            };
            let on_path = packet.number >= self.first_on_path;
            match packet.fate {
                Fate::Acked => continue,
                Fate::InFlight if on_path => {
                    self.controller.on_packet_acked(u64::from(packet.size), packet.sent_at, self.utilisation);
                }
                Fate::InFlight => {}
                Fate::Lost => {
                    self.stats.spurious_losses = self.stats.spurious_losses.saturating_add(1);
                    self.persistent.on_acked();
                    if on_path && self.controller.on_spurious_loss(packet.sent_at) == Undo::Restored {
                        self.stats.reductions_undone = self.stats.reductions_undone.saturating_add(1);
                    }
                }
            }
            newly.largest = newly.largest.max(Some((packet.number, packet.sent_at)));
            self.on_packet_arrived(&packet);
        }
    }

    /// The peer has what `packet` carried.
    fn on_packet_arrived(&mut self, packet: &SentPacket) {
        let memory = self.storage.memory();
        let fin = packet.carried.has(Carried::FIN);
        if packet.stream_len > 0 || fin {
            self.send.on_acked(memory.acked, memory.lost, packet.stream(), fin);
        }
        if packet.carried.has(Carried::MAX_DATA) {
            self.credit.on_acked(packet.credit);
        }
        if let Some(largest) = packet.acked_below.checked_sub(1) {
            self.received.forget_up_to(largest);
        }
    }

    /// Declares lost what RFC 9002 section 6.1 says is lost at `now`, and arms the timer for what is not yet.
    pub(super) fn detect_losses(&mut self, now: Instant) {
        self.timers.loss = None;
        let Some(largest_acked) = self.largest_acked else { return };
        let loss_delay = self.rtt.loss_delay();
        let mut congestion = Congestion::Transient;
        let mut position = sent_queue::position(self.storage.memory().sent, self.oldest_in_flight);
        while let Some(packet) = self.storage.memory().sent.get(position).copied() {
            if packet.number > largest_acked {
                break;
            }
            match packet.fate {
                Fate::Acked => self.persistent.on_acked(),
                Fate::Lost => {}
                Fate::InFlight => {
                    let skipped = self.skips.between(packet.number, largest_acked);
                    let later = largest_acked.saturating_sub(packet.number).saturating_sub(skipped);
                    match loss::judge(packet.sent_at, later, loss_delay, now) {
                        Verdict::Lost => {
                            congestion = congestion.max(self.on_packet_lost(now, position, &packet))
                        }
                        // Packets sent after this one cannot be lost before it.
                        Verdict::NotYet { at } => {
                            self.timers.loss = Some(at);
                            break;
                        }
                        Verdict::Keep => break,
                    }
                }
            }
            position = position.saturating_add(1);
            self.oldest_in_flight = packet.number.saturating_add(1);
        }
        self.answer(congestion);
    }

    /// Starts anew from the minimum window where the losses establish persistent congestion.
    fn answer(&mut self, congestion: Congestion) {
        if congestion == Congestion::Persistent {
            self.controller.on_persistent_congestion();
            self.rtt.reset_min();
            self.stats.persistent_congestions = self.stats.persistent_congestions.saturating_add(1);
        }
    }

    /// `packet`, at `position` of the queue, is lost: what it carried goes out again in new packets.
    fn on_packet_lost(&mut self, now: Instant, position: usize, packet: &SentPacket) -> Congestion {
        let size = u64::from(packet.size);
        let on_path = packet.number >= self.first_on_path;
        if on_path && self.controller.on_packet_lost(size, packet.sent_at, now) == Reaction::Reduced {
            self.stats.window_reductions = self.stats.window_reductions.saturating_add(1);
        }
        self.stats.packets_lost = self.stats.packets_lost.saturating_add(1);
        self.stats.bytes_lost = self.stats.bytes_lost.saturating_add(size);
        let memory = self.storage.memory();
        if let Some(entry) = memory.sent.get_mut(position) {
            entry.fate = Fate::Lost;
        }
        let fin = packet.carried.has(Carried::FIN);
        if packet.stream_len > 0 || fin {
            self.send.on_lost(memory.acked, memory.lost, packet.stream(), fin);
        }
        if packet.carried.has(Carried::MAX_DATA) {
            self.credit.on_lost(packet.credit);
        }
        if packet.carried.has(Carried::DATA_BLOCKED) {
            self.control.blocked = self.control.blocked_at.is_some();
        }
        let span = persistent::duration(self.pto_base());
        self.persistent.on_lost(packet.sent_at, self.rtt.first_sample_at(), span)
    }

    /// Takes packets done with off the old end of the queue. A lost one stays until a late acknowledgement has
    /// become unlikely, or the room is needed.
    fn forget_old_packets(&mut self, now: Instant) {
        let linger = self.pto_base() * 2;
        let sent = self.storage.memory().sent;
        let crowded = sent.storage_capacity() / 2;
        while let Some(oldest) = sent.front() {
            let done = match oldest.fate {
                Fate::Acked => true,
                Fate::InFlight => false,
                Fate::Lost => oldest.sent_at + linger <= now || sent.storage_len() > crowded,
            };
            if !done {
                break;
            }
            sent.pop_front();
        }
    }

    /// Keeps the places that probes need free: where so many probes in a row went unanswered that they fill the queue,
    /// the oldest packets are given up. Otherwise no probe could leave, and nothing would ever be acknowledged.
    pub(super) fn make_room_for_probes(&mut self, now: Instant) {
        loop {
            let sent = self.storage.memory().sent;
            if sent.storage_capacity().saturating_sub(sent.storage_len()) >= limits::PROBE_SLOTS {
                break;
            }
            let Some(oldest) = sent.front().copied() else { break };
            if oldest.fate == Fate::InFlight {
                // A loss like any other: what it carried goes out again, and the window shrinks.
                let congestion = self.on_packet_lost(now, 0, &oldest);
                self.answer(congestion);
            }
            self.storage.memory().sent.pop_front();
        }
    }

    /// Tells a waiting writer that there is room again, or that little enough waits to be sent.
    pub(super) fn tell_writer(&mut self) {
        if self.writer_waits && self.is_writable() {
            self.writer_waits = false;
            self.events.push(Event::Writable);
        }
    }

    /// Whether there is ample room to write, and unsent bytes are at the low-water mark or below: what
    /// [`Event::Writable`] says.
    pub fn is_writable(&mut self) -> bool {
        let memory = self.storage.memory();
        let capacity = memory.send.len();
        let roomy = self.send.free(capacity) >= capacity / 4;
        roomy && (self.low_water == 0 || self.send.unsent(memory.lost) <= self.low_water)
    }

    /// Bytes in flight are the sum over the packets in flight on the path in use (invariant I4 of the test harness).
    pub(super) fn check_in_flight(&mut self) {
        let (in_flight, oldest) = (self.controller.in_flight(), self.oldest_in_flight);
        let (first_on_path, awaits) = (self.first_on_path, self.awaits_acknowledgement());
        let sent = self.storage.memory().sent;
        let mut sum = 0u64;
        debug_assert_eq!(awaits, sent.iter().any(|packet| packet.fate == Fate::InFlight));
        for packet in sent.iter().filter(|packet| packet.fate == Fate::InFlight) {
            debug_assert!(packet.number >= oldest);
            if packet.number >= first_on_path {
                sum = sum.saturating_add(u64::from(packet.size));
            }
        }
        debug_assert_eq!(in_flight, sum);
    }
}

#[cfg(test)]
mod tests;
