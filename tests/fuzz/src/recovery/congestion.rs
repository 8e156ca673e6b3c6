//! Window, round-trip time and pacing under any times and any order of reports: bounds hold, and bytes in flight are
//! what was sent and has met no fate.

use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::limits::{DATAGRAM_MAX, MINIMUM_WINDOW};
use udp_sec_recovery::send::congestion::{Controller, Utilisation};
use udp_sec_recovery::send::pacer::{Pace, Pacer};
use udp_sec_recovery::send::rtt::RttEstimator;

use crate::input::Input;
use crate::{Outcome, log};

/// A packet: its size, and when it left.
type Packet = (u64, Instant);

struct Path {
    now: Instant,
    controller: Controller,
    ceiling: u64,
    rtt: RttEstimator,
    pacer: Pacer,
    flight: Vec<Packet>,
    lost: Vec<Packet>,
}

pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let mut path = Path {
        now: Instant::from_micros([0, 1, u64::MAX - (1 << 30), u64::MAX][usize::from(input.u8() % 4)]),
        controller: Controller::new_reno(),
        ceiling: u64::from(input.u16()) << 4,
        rtt: RttEstimator::new(),
        pacer: Pacer::new(),
        flight: Vec::new(),
        lost: Vec::new(),
    };
    path.controller.set_ceiling(path.ceiling);
    let mut outcome = "congestion";
    while let Some(choice) = input.next() {
        if path.play(choice, input) {
            outcome = "congestion: reduced";
        }
        path.check();
    }
    log::state(&(path.controller, path.rtt, path.pacer));
    outcome
}

impl Path {
    /// One report; whether the window was reduced.
    fn play(&mut self, choice: u8, input: &mut Input<'_>) -> bool {
        let window = self.controller.window();
        match choice % 8 {
            0 | 1 => self.send(u64::from(choice) * 4 + 33),
            2 => {
                if let Some(at) = input.index(self.flight.len()) {
                    let (size, sent_at) = self.flight.remove(at);
                    let used =
                        if choice & 0x80 == 0 { Utilisation::WindowLimited } else { Utilisation::AppLimited };
                    self.controller.on_packet_acked(size, sent_at, used);
                    let grown = self.controller.window() > window;
                    assert!(!grown || used == Utilisation::WindowLimited, "an unused window grew");
                    self.rtt.on_sample(self.now.saturating_since(sent_at), input.span(), self.now);
                }
            }
            3 => {
                // In the order of sending.
                if !self.flight.is_empty() {
                    let packet = self.flight.remove(0);
                    self.controller.on_packet_lost(packet.0, packet.1, self.now);
                    self.lost.push(packet);
                }
            }
            4 => {
                if let Some(at) = input.index(self.lost.len()) {
                    let (_, sent_at) = self.lost.remove(at);
                    self.controller.on_spurious_loss(sent_at);
                }
            }
            5 => {
                self.controller.on_persistent_congestion();
                self.rtt.reset_min();
                assert_eq!(self.controller.window(), MINIMUM_WINDOW);
            }
            6 => self.rtt.on_sample(Duration::from_micros(input.u64()), input.span(), self.now),
            _ => self.now += input.span(),
        }
        self.controller.window() < window
    }

    fn send(&mut self, size: u64) {
        let pace = self.pacer.poll(self.now, self.controller.window(), self.rtt.smoothed());
        match pace {
            Pace::Ready(bytes) => assert!(bytes >= DATAGRAM_MAX, "{bytes} bytes are no datagram"),
            Pace::Wait(until) => {
                assert!(until > self.now || self.now == Instant::MAX, "a timer in the past");
                return;
            }
        }
        if size <= self.controller.room() {
            self.controller.on_packet_sent(size);
            self.pacer.on_sent(size);
            self.flight.push((size, self.now));
        }
    }

    fn check(&self) {
        let in_flight: u64 = self.flight.iter().map(|(size, _)| size).sum();
        assert_eq!(self.controller.in_flight(), in_flight);
        let window = self.controller.window();
        assert!(window >= MINIMUM_WINDOW && window <= self.ceiling.max(MINIMUM_WINDOW), "{window}");
        assert!(self.rtt.loss_delay() >= Duration::from_millis(1));
        assert!(self.rtt.pto_base(Duration::ZERO) >= self.rtt.smoothed());
    }
}
