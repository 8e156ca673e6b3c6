//! The NewReno controller in lock step with an independent model of RFC 9002 appendix B, on random traces: window,
//! threshold and bytes in flight are equal after every event.
//!
//! A failure names its seed; `NEWRENO_SEED=<seed>` replays that trace alone.

mod model;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use model::{Model, Packet};
use udp_sec::time::Instant;
use udp_sec_recovery::send::congestion::{Controller, Undo, Utilisation};

const TRACES: u64 = 100_000;
const EVENTS_MIN: u64 = 200;
const EVENTS_MAX: u64 = 300;

/// What can happen to a sender.
#[derive(Clone, Copy, Debug)]
enum Event {
    Send,
    Probe,
    Ack(Utilisation),
    Lose,
    LosePersistently,
    /// Losses that all turn out spurious at once: for the model they only leave the flight.
    LoseSpuriously,
    Discard,
}

/// One trace: both senders, the packets in flight, and the clock.
struct Trace {
    rng: ChaCha8Rng,
    now: u64,
    in_flight: Vec<Packet>,
    model: Model,
    controller: Controller,
}

/// How often each event and each branch was taken, to show that the traces reach them.
#[derive(Default, Debug)]
struct Coverage {
    events: u64,
    slow_start: u64,
    avoidance: u64,
    reductions: u64,
    at_minimum: u64,
    persistent: u64,
    undone: u64,
}

impl Trace {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Clocks that have just started, that run, and that are about to end.
        let now = match rng.next_u32() % 3 {
            0 => 0,
            1 => rng.next_u64() >> 1,
            _ => u64::MAX - 200_000 * EVENTS_MAX,
        };
        Self { rng, now, in_flight: Vec::new(), model: Model::new(), controller: Controller::new_reno() }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    /// A third of the events share an instant with the one before: a packet may leave, and losses be declared, in
    /// the very microsecond in which a recovery period began.
    fn advance(&mut self) {
        self.now += match self.below(3) {
            0 => 0,
            1 => self.below(50),
            _ => self.below(200_000),
        };
    }

    fn choose(&mut self) -> Event {
        match self.below(100) {
            0..40 => Event::Send,
            40..42 => Event::Probe,
            42..80 => Event::Ack(Utilisation::WindowLimited),
            80..86 => Event::Ack(Utilisation::AppLimited),
            86..95 => Event::Lose,
            95 => Event::LosePersistently,
            96..98 => Event::LoseSpuriously,
            _ => Event::Discard,
        }
    }

    fn apply(&mut self, event: Event, coverage: &mut Coverage) {
        match event {
            Event::Send => {
                // As much as fits, or less.
                let wanted = 1 + self.below(self.controller.window() / 600);
                for _ in 0..wanted {
                    if !self.send(self.controller.room()) {
                        break;
                    }
                }
            }
            Event::Probe => {
                self.send(u64::MAX);
            }
            Event::Ack(utilisation) => {
                let packets = self.take();
                self.model.on_packets_acked(&packets, utilisation == Utilisation::AppLimited);
                for packet in packets {
                    let sent_at = Instant::from_micros(packet.time_sent);
                    self.controller.on_packet_acked(packet.sent_bytes, sent_at, utilisation);
                }
            }
            Event::Lose => {
                let packets = self.take();
                self.model.on_packets_lost(&packets, false, self.now);
                self.lose(&packets);
            }
            Event::LosePersistently => {
                let packets = self.take();
                if packets.len() >= 2 {
                    coverage.persistent += 1;
                    self.model.on_packets_lost(&packets, true, self.now);
                    self.lose(&packets);
                    self.controller.on_persistent_congestion();
                } else {
                    self.model.on_packets_lost(&packets, false, self.now);
                    self.lose(&packets);
                }
            }
            Event::LoseSpuriously => self.lose_spuriously(coverage),
            Event::Discard => {
                let packets = self.take();
                self.model.remove_from_bytes_in_flight(&packets);
                for packet in packets {
                    self.controller.on_packet_discarded(packet.sent_bytes);
                }
            }
        }
    }

    fn send(&mut self, room: u64) -> bool {
        let sent_bytes = if self.below(4) > 0 { 1200 } else { 33 + self.below(1168) };
        if sent_bytes > room {
            return false;
        }
        self.in_flight.push(Packet { sent_bytes, time_sent: self.now });
        self.model.on_packet_sent_cc(sent_bytes);
        self.controller.on_packet_sent(sent_bytes);
        true
    }

    /// Takes packets out of the flight, in the order of sending: the oldest, or here and there.
    fn take(&mut self) -> Vec<Packet> {
        let all = self.in_flight.len() as u64;
        if all == 0 {
            return Vec::new();
        }
        let count = match self.below(4) {
            0 => 1,
            1 => all,
            _ => 1 + self.below(all),
        };
        if self.below(2) == 0 {
            return self.in_flight.drain(..count as usize).collect();
        }
        let mut taken = Vec::new();
        let rng = &mut self.rng;
        self.in_flight.retain(|packet| {
            let keep = rng.next_u64() % all >= count;
            if !keep {
                taken.push(*packet);
            }
            keep
        });
        taken
    }

    fn lose(&mut self, packets: &[Packet]) {
        let now = Instant::from_micros(self.now);
        for packet in packets {
            self.controller.on_packet_lost(packet.sent_bytes, Instant::from_micros(packet.time_sent), now);
        }
    }

    /// Packets of no earlier recovery period are lost and then acknowledged late, all of them: if that reduced the
    /// window, nothing of it remains.
    fn lose_spuriously(&mut self, coverage: &mut Coverage) {
        let packets = self.take();
        let reductions_before = self.controller.window();
        let unanswered = packets.first().is_some_and(|packet| self.model.would_react_to(packet.time_sent));
        if !unanswered {
            self.model.on_packets_lost(&packets, false, self.now);
            self.lose(&packets);
            return;
        }
        self.model.remove_from_bytes_in_flight(&packets);
        self.lose(&packets);
        let mut undo = Undo::Unchanged;
        for packet in &packets {
            assert_eq!(undo, Undo::Unchanged, "undone before the last late acknowledgement");
            undo = self.controller.on_spurious_loss(Instant::from_micros(packet.time_sent));
        }
        let _ = reductions_before;
        coverage.undone += u64::from(undo == Undo::Restored);
    }
}
