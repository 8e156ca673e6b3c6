//! The NewReno controller in lock step with an independent model of RFC 9002 appendix B, on random traces: window,
//! threshold and bytes in flight are equal after every event.
//!
//! A failure names its seed; `NEWRENO_SEED=<seed>` replays that trace alone.

mod model;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use model::{Model, Packet};
use udp_sec::time::Instant;
use udp_sec_recovery::send::congestion::{Controller, Reaction, Undo, Utilisation};

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
    /// One in so many losses happens: some paths leave the window time to grow.
    calm: u64,
    in_flight: Vec<Packet>,
    persistent_at: Option<u64>,
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
        let calm = 1 << (rng.next_u32() % 5);
        Self {
            rng,
            now,
            calm,
            in_flight: Vec::new(),
            persistent_at: None,
            model: Model::new(),
            controller: Controller::new_reno(),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        // The high half of a product: uniform enough, and without a division.
        ((u128::from(self.rng.next_u64()) * u128::from(bound)) >> 64) as u64
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
            86..96 if self.below(self.calm) > 0 => Event::Send,
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
                let wanted = 1 + self.below((self.controller.window() / 600).min(32));
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
                coverage.reductions += u64::from(self.lose(&packets) == Reaction::Reduced);
            }
            Event::LosePersistently => {
                let packets = self.take();
                let persistent = packets.len() >= 2;
                self.model.on_packets_lost(&packets, persistent, self.now);
                self.lose(&packets);
                if persistent {
                    self.controller.on_persistent_congestion();
                    self.persistent_at = Some(self.now);
                    coverage.persistent += 1;
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
        // Three of four are of full size.
        let sent_bytes = (33 + self.below(4 * 1168)).min(1200);
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
            let keep = u64::from(rng.next_u32()) * all >= count << 32;
            if !keep {
                taken.push(*packet);
            }
            keep
        });
        taken
    }

    /// `Reduced` if one of the losses reduced the window.
    fn lose(&mut self, packets: &[Packet]) -> Reaction {
        let now = Instant::from_micros(self.now);
        let mut reaction = Reaction::Unchanged;
        for packet in packets {
            let sent_at = Instant::from_micros(packet.time_sent);
            if self.controller.on_packet_lost(packet.sent_bytes, sent_at, now) == Reaction::Reduced {
                assert_eq!(reaction, Reaction::Unchanged, "reduced twice by losses declared together");
                reaction = Reaction::Reduced;
            }
        }
        reaction
    }

    /// Packets are lost and then all acknowledged late: for the model they only leave the flight, so whatever the
    /// controller did about them must be gone again.
    fn lose_spuriously(&mut self, coverage: &mut Coverage) {
        let packets = self.take();
        // Persistent congestion cannot be undone, nor anything for packets from before it.
        if packets.first().is_some_and(|packet| self.persistent_at.is_some_and(|at| packet.time_sent <= at)) {
            self.model.on_packets_lost(&packets, false, self.now);
            self.lose(&packets);
            return;
        }
        self.model.remove_from_bytes_in_flight(&packets);
        let reaction = self.lose(&packets);
        let undo = packets
            .iter()
            .map(|packet| self.controller.on_spurious_loss(Instant::from_micros(packet.time_sent)));
        assert_eq!(
            undo.last() == Some(Undo::Restored),
            reaction == Reaction::Reduced,
            "undone if and only if reduced"
        );
        coverage.undone += u64::from(reaction == Reaction::Reduced);
    }

    fn check(&self, before: (u64, u64, u64), coverage: &mut Coverage) {
        let observed = (self.controller.window(), self.controller.ssthresh(), self.controller.in_flight());
        assert_eq!(observed, self.model.observe(), "window, ssthresh, bytes in flight");
        let (window, ssthresh, _) = observed;
        coverage.events += 1;
        coverage.slow_start += u64::from(window > before.0 && ssthresh == before.1 && before.0 < ssthresh);
        coverage.avoidance += u64::from(window > before.0 && ssthresh == before.1 && before.0 >= ssthresh);
        coverage.at_minimum += u64::from(window == 2_400);
    }
}

/// Runs the trace of `seed`; the message of a failure is preceded by the seed and the event.
fn run(seed: u64, coverage: &mut Coverage) {
    let mut trace = Trace::new(seed);
    let events = EVENTS_MIN + trace.below(EVENTS_MAX - EVENTS_MIN + 1);
    for number in 0..events {
        trace.advance();
        let event = trace.choose();
        let before = trace.model.observe();
        let context = OnPanic { seed, number, event };
        trace.apply(event, coverage);
        trace.check(before, coverage);
        core::mem::forget(context);
    }
}

/// Names the trace when a check in it fails.
struct OnPanic {
    seed: u64,
    number: u64,
    event: Event,
}

impl Drop for OnPanic {
    fn drop(&mut self) {
        eprintln!("NEWRENO_SEED={} fails at event {}, {:?}", self.seed, self.number, self.event);
    }
}

#[test]
fn equals_the_model_after_every_event() {
    let mut coverage = Coverage::default();
    if let Ok(seed) = std::env::var("NEWRENO_SEED") {
        return run(seed.parse().expect("NEWRENO_SEED is a number"), &mut coverage);
    }
    for seed in 0..TRACES {
        run(seed, &mut coverage);
    }
    println!("{coverage:?}");
    // Equality proves little about a branch that is never taken.
    assert!(coverage.events >= TRACES * EVENTS_MIN);
    let taken = [
        coverage.slow_start,
        coverage.avoidance,
        coverage.reductions,
        coverage.at_minimum,
        coverage.persistent,
        coverage.undone,
    ];
    assert!(taken.into_iter().all(|times| times >= TRACES / 5), "{coverage:?}");
}
