//! RFC 9002 appendix B, transcribed from its pseudo-code: names, order and sentinels are the RFC's own. Shares no
//! code with the library, and takes its constants from the text.
//!
//! The RFC leaves freedom in one place: by how much a single acknowledgement grows the window in congestion
//! avoidance. Appendix B.5 gives a fraction per packet, section 7.3.3 the rule behind it: at most one maximum
//! datagram size for each window acknowledged. This model counts the bytes still to be acknowledged before the next
//! step, which makes the rule exact; the count starts anew whenever the window is cut.

/// Section B.2 and B.3. The text has 14720 and twice the datagram size as limits of ten datagrams (section 7.2).
const MAX_DATAGRAM_SIZE: i128 = 1200;
const K_INITIAL_WINDOW: i128 = 12_000;
const K_MINIMUM_WINDOW: i128 = 2_400;
const INFINITE: i128 = i128::MAX;
/// Stands for the pseudo-code's time 0, "not in recovery": here the clock may really be at 0.
const NEVER: i128 = -1;

/// A packet as section A.1.1 tracks it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) sent_bytes: u64,
    pub(crate) time_sent: u64,
}

/// The variables of section B.2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    bytes_in_flight: i128,
    congestion_window: i128,
    congestion_recovery_start_time: i128,
    ssthresh: i128,
    /// Bytes to be acknowledged before congestion avoidance adds a datagram; none counted yet if `None`.
    until_next_step: Option<i128>,
}

impl Model {
    /// B.3, Initialization.
    pub(crate) fn new() -> Self {
        Self {
            bytes_in_flight: 0,
            congestion_window: K_INITIAL_WINDOW,
            congestion_recovery_start_time: NEVER,
            ssthresh: INFINITE,
            until_next_step: None,
        }
    }

    /// B.4, On Packet Sent.
    pub(crate) fn on_packet_sent_cc(&mut self, sent_bytes: u64) {
        self.bytes_in_flight += i128::from(sent_bytes);
    }

    /// B.5, On Packet Acknowledgment.
    fn in_congestion_recovery(&self, sent_time: i128) -> bool {
        sent_time <= self.congestion_recovery_start_time
    }

    /// B.5, On Packet Acknowledgment.
    pub(crate) fn on_packets_acked(&mut self, acked_packets: &[Packet], app_limited: bool) {
        for acked_packet in acked_packets {
            self.on_packet_acked(acked_packet, app_limited);
        }
    }

    fn on_packet_acked(&mut self, acked_packet: &Packet, app_limited: bool) {
        let sent_bytes = i128::from(acked_packet.sent_bytes);
        self.bytes_in_flight -= sent_bytes;
        if app_limited {
            return;
        }
        if self.in_congestion_recovery(i128::from(acked_packet.time_sent)) {
            return;
        }
        if self.congestion_window < self.ssthresh {
            self.congestion_window += sent_bytes;
            return;
        }
        let left = self.until_next_step.unwrap_or(self.congestion_window) - sent_bytes;
        self.until_next_step = Some(left);
        if left <= 0 {
            self.congestion_window += MAX_DATAGRAM_SIZE;
            self.until_next_step = Some(left + self.congestion_window);
        }
    }

    /// B.6, On New Congestion Event.
    fn on_congestion_event(&mut self, sent_time: i128, now: u64) {
        if self.in_congestion_recovery(sent_time) {
            return;
        }
        self.congestion_recovery_start_time = i128::from(now);
        self.ssthresh = self.congestion_window / 2;
        self.congestion_window = self.ssthresh.max(K_MINIMUM_WINDOW);
        self.until_next_step = None;
    }

    /// B.8, On Packets Lost; whether they amount to persistent congestion is decided elsewhere.
    pub(crate) fn on_packets_lost(
        &mut self,
        lost_packets: &[Packet],
        in_persistent_congestion: bool,
        now: u64,
    ) {
        let mut sent_time_of_last_loss = NEVER;
        for lost_packet in lost_packets {
            self.bytes_in_flight -= i128::from(lost_packet.sent_bytes);
            sent_time_of_last_loss = sent_time_of_last_loss.max(i128::from(lost_packet.time_sent));
        }
        if sent_time_of_last_loss != NEVER {
            self.on_congestion_event(sent_time_of_last_loss, now);
        }
        if in_persistent_congestion {
            self.congestion_window = K_MINIMUM_WINDOW;
            self.congestion_recovery_start_time = NEVER;
            self.until_next_step = None;
        }
    }

    /// B.9, Removing Discarded Packets from Bytes in Flight.
    pub(crate) fn remove_from_bytes_in_flight(&mut self, discarded_packets: &[Packet]) {
        for packet in discarded_packets {
            self.bytes_in_flight -= i128::from(packet.sent_bytes);
        }
    }

    /// Window, threshold (`u64::MAX` for infinite) and bytes in flight.
    pub(crate) fn observe(&self) -> (u64, u64, u64) {
        let ssthresh = if self.ssthresh == INFINITE { u64::MAX } else { self.ssthresh.try_into().unwrap() };
        (self.congestion_window.try_into().unwrap(), ssthresh, self.bytes_in_flight.try_into().unwrap())
    }
}
